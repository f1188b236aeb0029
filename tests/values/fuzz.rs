//! Random input: it is read or refused without a panic, and a value that was read survives writing and reading.

use arbtest::arbitrary::{Result, Unstructured};
use wrun::value::{json, msgpack, text};
use wrun::{ErrorKind, FuncType, ValType, Value};

use crate::any::{check, types, vec};

const TYPES: [ValType; 7] =
    [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128, ValType::FuncRef, ValType::ExternRef];

const JSON_TOKENS: [&str; 16] =
    ["[", "]", "{", "}", ",", ":", "null", "true", "1", "-1", "1.5", "1e999", "\"nan\"", "\"i32x4\"", "\"", "\\u00"];

fn some_types(u: &mut Unstructured) -> Result<Vec<ValType>> {
    vec(u, 0..=3, |u| Ok(u.choose(&TYPES)?.clone()))
}

/// Generates a string of at most `longest` of these characters.
fn string_of(u: &mut Unstructured, characters: &str, longest: usize) -> Result<String> {
    let bytes = vec(u, 0..=longest, |u| u.choose(characters.as_bytes()).copied())?;
    Ok(bytes.into_iter().map(char::from).collect())
}

/// Generates a string of the characters that values consist of, sometimes of any character.
fn almost_a_value(u: &mut Unstructured) -> Result<String> {
    let sign = *u.choose(&["", "", "-", "+"])?;
    Ok(match u.choose_index(4)? {
        0 => format!("{sign}{}", string_of(u, "0123456789abcdefx_.epn:", 12)?),
        1 => format!("{sign}0x{}{}", string_of(u, "0123456789abcdef_.", 20)?, binary_exponent(u)?),
        2 => format!("{sign}{}{}", u.choose(&["nan", "inf"])?, string_of(u, ":0123456789abcdefx", 8)?),
        _ => vec(u, 0..=8, any_character)?.into_iter().collect(),
    })
}

fn any_character(u: &mut Unstructured) -> Result<char> {
    if u.arbitrary()? { Ok(u.int_in_range(b' '..=b'~')?.into()) } else { u.arbitrary() }
}

fn binary_exponent(u: &mut Unstructured) -> Result<String> {
    if u.arbitrary()? {
        return Ok(String::new());
    }
    Ok(format!("p{}{}", u.choose(&["", "", "-", "+"])?, string_of(u, "0123456789", 25)?))
}

fn assert_round_trips(value: Value) {
    assert_eq!(text::parse(&text::format(&value), &value.ty()).unwrap(), value);
}

#[test]
fn text_is_read_or_refused() {
    check(4000, |u| {
        let input = almost_a_value(u)?;
        for ty in &TYPES {
            match text::parse(&input, ty) {
                Ok(value) => {
                    assert!(value.is(ty), "{input:?} as {ty}");
                    assert_round_trips(value);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{input:?} as {ty}"),
            }
        }
        Ok(())
    });
}

#[test]
fn json_is_read_or_refused() {
    check(4000, |u| {
        let document = vec(u, 0..=11, |u| u.choose(&JSON_TOKENS).copied())?.concat();
        let wanted = some_types(u)?;
        match json::decode_args(document.as_bytes(), &FuncType::new(wanted.clone(), [])) {
            Ok(values) => {
                assert_eq!(types(&values), wanted, "{document}");
                values.into_iter().for_each(assert_round_trips);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{document}"),
        }
        Ok(())
    });
}

/// An integer, often at the end of a range, or something like one.
fn almost_an_integer(u: &mut Unstructured) -> Result<String> {
    Ok(match u.choose_index(4)? {
        0 => string_of(u, "0123456789", 20)?,
        1 => format!("-{}", string_of(u, "0123456789", 20)?),
        2 => {
            let edge = *u.choose(&[0, 1 << 31, 1 << 32, 10_i128.pow(17), 10_i128.pow(18), 1 << 63, 1 << 64])?;
            (u.choose(&[1, -1])? * (edge + u.int_in_range(-2..=2)?)).to_string()
        }
        _ => string_of(u, "01-+.eE \"x", 6)?,
    })
}

#[test]
fn integers_in_json_are_read_in_one_way() {
    check(20_000, |u| {
        let values = vec(u, 0..=3, almost_an_integer)?.join(u.choose(&[",", ", ", ",  ", ",,"])?);
        let (open, close) = *u.choose(&[("[", "]"), ("", ""), ("[ ", " ]"), ("[", ""), ("[", "] "), ("[", "]]")])?;
        let document = format!("{open}{values}{close}");
        let ty = FuncType::new(vec(u, 0..=3, |u| u.choose(&TYPES[..4]).cloned())?, []);
        let mut reused = vec![Value::I32(7); 2];
        let read = json::decode_args_into(document.as_bytes(), &ty, &mut reused).map(|()| reused);
        let wanted = json::decode_args(document.as_bytes(), &ty);
        assert_eq!(read.ok(), wanted.ok(), "{document:?} for {ty}");
        Ok(())
    });
}

#[test]
fn messagepack_is_read_or_refused() {
    check(4000, |u| {
        let document = vec(u, 0..=23, Unstructured::arbitrary::<u8>)?;
        let wanted = some_types(u)?;
        match msgpack::decode_args(&document, &FuncType::new(wanted.clone(), [])) {
            Ok(values) => assert_eq!(types(&values), wanted, "{document:02x?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{document:02x?}"),
        }
        Ok(())
    });
}

#[test]
fn one_messagepack_value_is_read_or_refused() {
    check(4000, |u| {
        let document = vec(u, 1..=19, Unstructured::arbitrary::<u8>)?;
        for ty in &TYPES {
            match msgpack::decode_args(&document, &FuncType::new([ty.clone()], [])) {
                Ok(values) => assert!(values.len() == 1 && values[0].is(ty), "{document:02x?} as {ty}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{document:02x?} as {ty}"),
            }
        }
        Ok(())
    });
}

#[test]
fn deep_nesting_is_refused_without_a_stack_overflow() {
    let ty = FuncType::new([ValType::I32], []);
    let nested = "[".repeat(100_000);
    assert_eq!(json::decode_args(nested.as_bytes(), &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
    let closed = format!("{nested}{}", "]".repeat(100_000));
    assert_eq!(json::decode_args(closed.as_bytes(), &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
    let arrays = vec![0x91; 100_000];
    assert_eq!(msgpack::decode_args(&arrays, &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn a_length_beyond_the_input_is_refused_without_an_allocation() {
    let ty = FuncType::new([ValType::I32], []);
    for head in [[0xdd, 0xff, 0xff, 0xff, 0xff], [0xdb, 0xff, 0xff, 0xff, 0xff], [0xc6, 0xff, 0xff, 0xff, 0xff]] {
        assert_eq!(msgpack::decode_args(&head, &ty).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}
