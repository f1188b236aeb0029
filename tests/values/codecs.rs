//! Each codec reads its own output back bit for bit.

use arbtest::arbitrary::{Result, Unstructured};
use wrun::value::{args, json, msgpack, text};
use wrun::{ErrorKind, FuncType, ValType, Value};

use crate::any::{
    any_f32, any_f64, any_i32, any_i64, any_number, any_v128, any_value, check, function_taking, types, vec,
};

/// Formats a finite float as a hexadecimal literal of the WebAssembly text format.
fn hexadecimal(v: f64) -> String {
    let bits = v.to_bits();
    let (sign, exponent, mantissa) =
        (if bits >> 63 == 1 { "-" } else { "" }, (bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    let exponent = i64::try_from(exponent).unwrap();
    match exponent {
        0 => format!("{sign}0x0.{mantissa:013x}p-1022"),
        _ => format!("{sign}0x1.{mantissa:013x}p{}", exponent - 1023),
    }
}

/// Generates 1 to `longest` decimal digits.
fn digits(u: &mut Unstructured, longest: usize) -> Result<String> {
    Ok(vec(u, 1..=longest, |u| u.int_in_range(b'0'..=b'9'))?.into_iter().map(char::from).collect())
}

/// Formats lanes as a JSON object.
fn lanes(shape: &str, lanes: impl Iterator<Item = String>) -> String {
    format!(r#"{{"{shape}": [{}]}}"#, lanes.collect::<Vec<_>>().join(", "))
}

fn decode_one(document: &str, ty: ValType) -> Value {
    json::decode_args(document.as_bytes(), &FuncType::new([ty], [])).unwrap_or_else(|error| panic!("{error}"))[0]
}

#[test]
fn text_round_trips() {
    check(2000, |u| {
        let value = any_value(u)?;
        assert_eq!(text::parse(&text::format(&value), &value.ty()).unwrap(), value);
        Ok(())
    });
}

#[test]
fn text_arguments_keep_their_order() {
    check(2000, |u| {
        let values = vec(u, 0..=7, any_value)?;
        let written: Vec<_> = values.iter().map(text::format).collect();
        assert_eq!(args::parse_text(&written, &function_taking(&values)).unwrap(), values);
        Ok(())
    });
}

#[test]
fn json_round_trips() {
    check(2000, |u| {
        let values = vec(u, 1..=7, any_value)?;
        let document = json::encode_results(&values);
        assert_eq!(json::decode_args(document.as_bytes(), &function_taking(&values)).unwrap(), values);
        Ok(())
    });
}

#[test]
fn json_is_valid_and_one_line() {
    check(2000, |u| {
        let values = vec(u, 0..=7, any_value)?;
        let document = json::encode_results(&values);
        assert!(!document.contains('\n'));
        let parsed: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(parsed.as_array().map(Vec::len), (values.len() > 1).then_some(values.len()));
        Ok(())
    });
}

#[test]
fn json_accepts_text_values_as_strings() {
    check(2000, |u| {
        let value = any_value(u)?;
        let document = serde_json::to_string(&text::format(&value)).unwrap();
        assert_eq!(decode_one(&document, value.ty()), value);
        Ok(())
    });
}

#[test]
fn messagepack_round_trips() {
    check(2000, |u| {
        let values = vec(u, 1..=7, any_value)?;
        let document = msgpack::encode_results(&values);
        assert_eq!(msgpack::decode_args(&document, &function_taking(&values)).unwrap(), values);
        Ok(())
    });
}

#[test]
fn truncated_or_extended_messagepack_is_refused() {
    check(2000, |u| {
        let values = vec(u, 1..=4, any_value)?;
        let extra = u.arbitrary::<u8>()?;
        let mut document = msgpack::encode_results(&values);
        for length in 0..document.len() {
            let error = msgpack::decode_args(&document[..length], &function_taking(&values)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
        document.push(extra);
        assert!(msgpack::decode_args(&document, &function_taking(&values)).is_err());
        Ok(())
    });
}

#[test]
fn a_missing_or_an_extra_value_is_refused() {
    check(2000, |u| {
        let values = vec(u, 2..=5, any_number)?;
        let one = any_number(u)?;
        let more = FuncType::new([types(&values), vec![one.ty()]].concat(), []);
        let fewer = function_taking(&values[1..]);
        for ty in [more, fewer] {
            assert!(json::decode_args(json::encode_results(&values).as_bytes(), &ty).is_err());
            assert!(msgpack::decode_args(&msgpack::encode_results(&values), &ty).is_err());
            let written: Vec<_> = values.iter().map(text::format).collect();
            assert!(args::parse_text(&written, &ty).is_err());
        }
        Ok(())
    });
}

#[test]
fn integers_are_read_as_signed_or_unsigned() {
    check(2000, |u| {
        let a = any_i32(u)?;
        let b = any_i64(u)?;
        for written in [a.to_string(), a.cast_unsigned().to_string(), format!("{:#x}", a.cast_unsigned())] {
            assert_eq!(text::parse(&written, &ValType::I32).unwrap(), Value::I32(a));
        }
        for written in [b.to_string(), b.cast_unsigned().to_string(), format!("{:#x}", b.cast_unsigned())] {
            assert_eq!(text::parse(&written, &ValType::I64).unwrap(), Value::I64(b));
        }
        assert_eq!(decode_one(&a.cast_unsigned().to_string(), ValType::I32), Value::I32(a));
        assert_eq!(decode_one(&b.cast_unsigned().to_string(), ValType::I64), Value::I64(b));
        Ok(())
    });
}

#[test]
fn integers_outside_both_ranges_are_refused() {
    check(2000, |u| {
        let beyond = i128::from(u.int_in_range(1..=(1u64 << 40) - 1)?);
        for (ty, least, most) in [
            (ValType::I32, i128::from(i32::MIN), i128::from(u32::MAX)),
            (ValType::I64, i128::from(i64::MIN), i128::from(u64::MAX)),
        ] {
            for wrong in [least - beyond, most + beyond] {
                assert!(text::parse(&wrong.to_string(), &ty).unwrap_err().message().contains("out of range"));
                let ty = FuncType::new([ty.clone()], []);
                assert!(json::decode_args(wrong.to_string().as_bytes(), &ty).is_err());
            }
        }
        Ok(())
    });
}

#[test]
fn hexadecimal_floats_are_exact() {
    check(2000, |u| {
        let v = any_f64(u)?;
        let finite = if v.is_finite() { v } else { f64::from_bits(v.to_bits() ^ 1 << 62) };
        assert_eq!(text::parse(&hexadecimal(finite), &ValType::F64).unwrap(), Value::F64(finite));
        Ok(())
    });
}

/// The digits are rounded directly to 24 bits, not to 53 bits first.
#[test]
fn a_decimal_is_rounded_to_f32_once() {
    check(2000, |u| {
        let (whole, fraction) = (digits(u, 9)?, digits(u, 30)?);
        let written = format!("{whole}.{fraction}e{}", u.int_in_range(-30..=24)?);
        let nearest: f32 = written.parse().unwrap();
        assert_eq!(text::parse(&written, &ValType::F32).unwrap(), Value::F32(nearest));
        let quoted = format!("\"{written}\"");
        assert_eq!(decode_one(&quoted, ValType::F32), Value::F32(nearest));
        Ok(())
    });
}

#[test]
fn messagepack_integers_convert_to_floats() {
    check(2000, |u| {
        let v = any_i64(u)?;
        let document = msgpack::encode_results(&[Value::I64(v)]);
        let read = |ty| msgpack::decode_args(&document, &FuncType::new([ty], [])).unwrap()[0];
        #[expect(clippy::cast_precision_loss, reason = "the test is about rounding")]
        let (single, double) = (v as f32, v as f64);
        assert_eq!(read(ValType::F32), Value::F32(single));
        assert_eq!(read(ValType::F64), Value::F64(double));
        Ok(())
    });
}

/// A NaN stays a NaN; Rust does not specify its payload.
#[test]
fn messagepack_floats_of_the_other_width_are_rounded() {
    check(2000, |u| {
        let v = any_f64(u)?;
        let w = any_f32(u)?;
        let read = |value, ty| msgpack::decode_args(&msgpack::encode_results(&[value]), &FuncType::new([ty], []));
        let wide = read(Value::F32(w), ValType::F64).unwrap()[0];
        let both_nan = w.is_nan() && matches!(wide, Value::F64(wide) if wide.is_nan());
        assert!(both_nan || wide == Value::F64(f64::from(w)), "{w} became {wide}");
        #[expect(clippy::cast_possible_truncation, reason = "the test is about rounding")]
        let nearest = v as f32;
        match read(Value::F64(v), ValType::F32) {
            Ok(values) if v.is_nan() => assert!(matches!(values[..], [Value::F32(narrow)] if narrow.is_nan())),
            Ok(values) => {
                assert_eq!(values, [Value::F32(nearest)]);
                assert!(nearest.is_finite() || v.is_infinite(), "{v} became infinite");
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidArgument);
                assert!(v.is_finite() && nearest.is_infinite(), "{v} was refused");
            }
        }
        Ok(())
    });
}

#[test]
fn json_reads_lanes_of_every_shape() {
    check(2000, |u| {
        let bits = any_v128(u)?;
        let bytes = bits.to_le_bytes();
        let signed = |lane: &u8| i8::from_le_bytes([*lane]).to_string();
        let of16 = |lane: &[u8]| u16::from_le_bytes(lane.try_into().unwrap()).to_string();
        let of32 = |lane: &[u8]| u32::from_le_bytes(lane.try_into().unwrap());
        let of64 = |lane: &[u8]| u64::from_le_bytes(lane.try_into().unwrap());
        let single = |lane: &[u8]| json::encode_results(&[Value::F32(f32::from_bits(of32(lane)))]);
        let double = |lane: &[u8]| json::encode_results(&[Value::F64(f64::from_bits(of64(lane)))]);
        for document in [
            lanes("i8x16", bytes.iter().map(ToString::to_string)),
            lanes("i8x16", bytes.iter().map(signed)),
            lanes("i16x8", bytes.chunks(2).map(of16)),
            lanes("i32x4", bytes.chunks(4).map(|lane| of32(lane).to_string())),
            lanes("i64x2", bytes.chunks(8).map(|lane| of64(lane).to_string())),
            lanes("i64x2", bytes.chunks(8).map(|lane| format!("\"{:#x}\"", of64(lane)))),
            lanes("f32x4", bytes.chunks(4).map(single)),
            lanes("f64x2", bytes.chunks(8).map(double)),
        ] {
            assert_eq!(decode_one(&document, ValType::V128), Value::V128(bits), "{document}");
            assert_eq!(decode_one(&format!("[{document}]"), ValType::V128), Value::V128(bits));
        }
        Ok(())
    });
}
