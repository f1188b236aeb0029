//! Values made of Rust's types, and looked into.

use wrun::WitValue;

#[test]
fn rust_types_become_values() {
    assert_eq!(WitValue::from(true), WitValue::Bool(true));
    assert_eq!(WitValue::from(7u16), WitValue::U16(7));
    assert_eq!(WitValue::from(-7i64), WitValue::S64(-7));
    assert_eq!(WitValue::from(1.5f32), WitValue::F32(1.5));
    assert_eq!(WitValue::from('x'), WitValue::Char('x'));
    assert_eq!(WitValue::from("text"), WitValue::String("text".to_owned()));
    assert_eq!(WitValue::from(vec![1u8]), WitValue::Bytes(vec![1]));
    assert_eq!(WitValue::from(Some(1u8)), WitValue::Option(Some(Box::new(WitValue::U8(1)))));
    assert_eq!(WitValue::from(None::<u8>), WitValue::Option(None));
    assert_eq!(WitValue::list([1u32]), WitValue::List(vec![WitValue::U32(1)]));
    assert_eq!(WitValue::ok(None), WitValue::Result(Ok(None)));
    assert_eq!(WitValue::err(Some('x'.into())), WitValue::Result(Err(Some(Box::new(WitValue::Char('x'))))));
}

#[test]
fn integers_of_every_type_are_read_in_range() {
    for value in
        [WitValue::from(7i8), 7u8.into(), 7i16.into(), 7u16.into(), 7i32.into(), 7u32.into(), 7i64.into(), 7u64.into()]
    {
        assert_eq!((value.as_i64(), value.as_u64(), value.as_f64()), (Some(7), Some(7), None));
    }
    assert_eq!((WitValue::from(-1i8).as_i64(), WitValue::from(-1i8).as_u64()), (Some(-1), None));
    assert_eq!((WitValue::from(u64::MAX).as_i64(), WitValue::from(u64::MAX).as_u64()), (None, Some(u64::MAX)));
    assert_eq!(WitValue::from(0.5f32).as_f64(), Some(0.5));
}

#[test]
fn parts_are_found_by_name_or_position() {
    let item = WitValue::record([("name", "tea".into()), ("sizes", WitValue::list([1u8, 2]))]);
    assert_eq!(item.get("name").and_then(WitValue::as_str), Some("tea"));
    assert_eq!(item.get("sizes").and_then(WitValue::as_slice), Some([WitValue::U8(1), WitValue::U8(2)].as_slice()));
    assert_eq!(item.get("size"), None);
    assert_eq!(WitValue::from(b"hi".as_slice()).as_bytes(), Some(b"hi".as_slice()));
    assert_eq!(WitValue::from(Some(true)).as_some().and_then(WitValue::as_bool), Some(true));
    assert_eq!(WitValue::from(None::<bool>).as_some(), None);
    let five = WitValue::from(5u8);
    assert_eq!(WitValue::variant("circle", Some(five.clone())).as_case(), Some(("circle", Some(&five))));
    assert_eq!(WitValue::Enum("red".into()).as_case(), Some(("red", None)));
    assert_eq!(WitValue::err(Some(five.clone())).as_case(), Some(("err", Some(&five))));
    assert_eq!(five.as_case(), None);
}
