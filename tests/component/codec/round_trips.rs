//! Each format reads its own output back, for random types and values; and random changes of it are read or refused.

use arbtest::arbitrary::{Result, Unstructured};
use wrun::component::check::check;
use wrun::component::encode::TypedResult;
use wrun::component::{json, msgpack, text};
use wrun::{ErrorKind, WitFunction, WitType, WitValue};

use super::any::{self, any_type, any_typed, any_value};
use super::{to_json, to_msgpack};

#[test]
fn json_round_trips() {
    any::check(3000, |u| {
        let (ty, value) = any_typed(u)?;
        let document = to_json(&value, &ty);
        assert!(!document.contains('\n'));
        assert_eq!(json::decode(document.as_bytes(), &ty).unwrap(), value, "{document} of {ty}");
        Ok(())
    });
}

/// Whether a document has floats, which `serde_json::Value` does not keep to the bit.
fn has_floats(document: &serde_json::Value) -> bool {
    match document {
        serde_json::Value::Number(number) => number.is_f64(),
        serde_json::Value::Array(items) => items.iter().any(has_floats),
        serde_json::Value::Object(fields) => fields.values().any(has_floats),
        _ => false,
    }
}

/// A `serde_json::Value` sorts its keys, and the pretty form has spaces and lines.
#[test]
fn json_in_another_order_is_the_same() {
    any::check(2000, |u| {
        let (ty, value) = any_typed(u)?;
        let parsed: serde_json::Value = serde_json::from_str(&to_json(&value, &ty)).unwrap();
        if has_floats(&parsed) {
            return Ok(());
        }
        let sorted = serde_json::to_string_pretty(&parsed).unwrap();
        let read = to_json(&json::decode(sorted.as_bytes(), &ty).unwrap(), &ty);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&read).unwrap(), parsed, "{sorted} of {ty}");
        Ok(())
    });
}

#[test]
fn messagepack_round_trips() {
    any::check(3000, |u| {
        let (ty, value) = any_typed(u)?;
        let document = to_msgpack(&value, &ty);
        assert_eq!(msgpack::decode(&document, &ty).unwrap(), value, "{document:02x?} of {ty}");
        Ok(())
    });
}

#[test]
fn text_round_trips() {
    any::check(3000, |u| {
        let (ty, value) = any_typed(u)?;
        let written = text::format(&value, &ty).unwrap();
        assert_eq!(text::parse(&written, &ty).unwrap(), value, "{written} of {ty}");
        Ok(())
    });
}

#[test]
fn arguments_keep_their_order() {
    any::check(1000, |u| {
        let types = (0..u.int_in_range(0..=3)?).map(|_| any_type(u, 2)).collect::<Result<Vec<_>>>()?;
        let values = types.iter().map(|ty| any_value(u, ty)).collect::<Result<Vec<_>>>()?;
        let params: Vec<_> = types.iter().enumerate().map(|(at, ty)| (format!("p{at}").into(), ty.clone())).collect();
        let ty = WitFunction::new(params, None, false);
        let json_parts: Vec<_> = values.iter().zip(&types).map(|(value, ty)| to_json(value, ty)).collect();
        let document = format!("[{}]", json_parts.join(","));
        assert_eq!(json::decode_args(document.as_bytes(), &ty).unwrap(), values, "{document}");
        let mut document = vec![0x90 | u8::try_from(values.len()).unwrap()];
        values.iter().zip(&types).for_each(|(value, ty)| document.extend(to_msgpack(value, ty)));
        assert_eq!(msgpack::decode_args(&document, &ty).unwrap(), values);
        let texts: Vec<_> = values.iter().zip(&types).map(|(value, ty)| text::format(value, ty).unwrap()).collect();
        assert_eq!(text::parse_args(&texts, &ty).unwrap(), values);
        Ok(())
    });
}

#[test]
fn generated_values_fit_their_type_and_rarely_another() {
    any::check(2000, |u| {
        let (ty, value) = any_typed(u)?;
        check(&value, &ty).unwrap();
        let other = any_type(u, 2)?;
        let result = TypedResult::new(Some(&value), Some(&other));
        if check(&value, &other).is_ok() {
            let document = json::encode_result(result).unwrap();
            assert_eq!(json::decode(document.as_bytes(), &other).unwrap(), value, "{document} of {other}");
        } else if let Ok(document) = json::encode_result(result) {
            // Encoding checks the shape only: names may differ.
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(&document).is_ok());
        }
        Ok(())
    });
}

/// Changes some bytes of a document.
pub(crate) fn mutate(u: &mut Unstructured, document: &[u8], tokens: &[&[u8]]) -> Result<Vec<u8>> {
    let mut mutated = document.to_vec();
    for _ in 0..u.int_in_range(1..=3)? {
        let at = u.choose_index(mutated.len() + 1)?;
        match u.choose_index(4)? {
            0 => mutated.truncate(at),
            1 if at < mutated.len() => drop(mutated.remove(at)),
            2 if at < mutated.len() => mutated[at] = u.arbitrary()?,
            _ => drop(mutated.splice(at..at, u.choose(tokens)?.iter().copied())),
        }
    }
    Ok(mutated)
}

pub(crate) fn assert_read_or_refused(read: wrun::Result<WitValue>, ty: &WitType, document: &[u8]) {
    let shown = String::from_utf8_lossy(document);
    match read {
        Ok(value) => {
            check(&value, ty).unwrap_or_else(|error| panic!("{shown} of {ty}: {error}"));
            let written = to_json(&value, ty);
            assert_eq!(json::decode(written.as_bytes(), ty).unwrap(), value, "{shown} of {ty}");
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{shown} of {ty}"),
    }
}

#[test]
fn changed_json_is_read_or_refused() {
    let tokens: [&[u8]; 12] = [
        b"null",
        b"[",
        b"]",
        b"{\"some\":",
        b"}",
        b"1e999",
        b"-0",
        b"\"a\":",
        b"\"ok\"",
        b",",
        b"{\"base64\":\"AA==\"}",
        b"\"",
    ];
    any::check(4000, |u| {
        let (ty, value) = any_typed(u)?;
        let document = mutate(u, to_json(&value, &ty).as_bytes(), &tokens)?;
        assert_read_or_refused(json::decode(&document, &ty), &ty, &document);
        if let Ok(written) = std::str::from_utf8(&document) {
            assert_read_or_refused(text::parse(written, &ty), &ty, &document);
        }
        Ok(())
    });
}

#[test]
fn changed_messagepack_is_read_or_refused() {
    let tokens: [&[u8]; 8] =
        [&[0xc0], &[0x91], &[0x81], &[0xdd, 0xff, 0xff, 0xff, 0xff], &[0xc4, 1], &[0xd9, 1], &[0xca], &[0xc7]];
    any::check(4000, |u| {
        let (ty, value) = any_typed(u)?;
        let document = mutate(u, &to_msgpack(&value, &ty), &tokens)?;
        assert_read_or_refused(msgpack::decode(&document, &ty), &ty, &document);
        Ok(())
    });
}

#[test]
fn json_of_one_type_is_read_or_refused_as_another() {
    any::check(4000, |u| {
        let (ty, value) = any_typed(u)?;
        let other = any_type(u, 3)?;
        let document = to_json(&value, &ty);
        assert_read_or_refused(json::decode(document.as_bytes(), &other), &other, document.as_bytes());
        assert_read_or_refused(msgpack::decode(&to_msgpack(&value, &ty), &other), &other, document.as_bytes());
        Ok(())
    });
}
