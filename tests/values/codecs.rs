//! Each codec alone: what it writes, it reads back to the same bits.

use proptest::collection::vec;
use proptest::prelude::*;
use wrun::value::{args, json, msgpack, text};
use wrun::{ErrorKind, FuncType, ValType, Value};

use crate::any::{any_f32, any_f64, any_i32, any_i64, any_v128, cases, number, taking, value};

/// The text of a finite float as WebAssembly's hexadecimal literal.
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

/// Lanes as a JSON object.
fn lanes(shape: &str, lanes: impl Iterator<Item = String>) -> String {
    format!(r#"{{"{shape}": [{}]}}"#, lanes.collect::<Vec<_>>().join(", "))
}

fn decode_one(document: &str, ty: ValType) -> Value {
    json::decode_args(document.as_bytes(), &FuncType::new([ty], [])).unwrap_or_else(|error| panic!("{error}"))[0]
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn text_reads_back_what_it_wrote(value in value()) {
        prop_assert_eq!(text::parse(&text::format(&value), &value.ty()).unwrap(), value);
    }

    #[test]
    fn text_arguments_keep_their_order(values in vec(value(), 0..8)) {
        let spelt: Vec<_> = values.iter().map(text::format).collect();
        prop_assert_eq!(args::parse_text(&spelt, &taking(&values)).unwrap(), values);
    }

    #[test]
    fn json_reads_back_what_it_wrote(values in vec(value(), 1..8)) {
        let document = json::encode_results(&values);
        prop_assert_eq!(json::decode_args(document.as_bytes(), &taking(&values)).unwrap(), values);
    }

    #[test]
    fn json_is_one_line_of_json(values in vec(value(), 0..8)) {
        let document = json::encode_results(&values);
        prop_assert!(!document.contains('\n'));
        let parsed: serde_json::Value = serde_json::from_str(&document).unwrap();
        prop_assert_eq!(parsed.as_array().map(Vec::len), (values.len() > 1).then_some(values.len()));
    }

    #[test]
    fn a_json_string_of_the_text_is_the_value_too(value in value()) {
        let document = serde_json::to_string(&text::format(&value)).unwrap();
        prop_assert_eq!(decode_one(&document, value.ty()), value);
    }

    #[test]
    fn messagepack_reads_back_what_it_wrote(values in vec(value(), 1..8)) {
        let document = msgpack::encode_results(&values);
        prop_assert_eq!(msgpack::decode_args(&document, &taking(&values)).unwrap(), values);
    }

    #[test]
    fn messagepack_cut_short_or_drawn_out_is_refused(values in vec(value(), 1..5), extra in any::<u8>()) {
        let mut document = msgpack::encode_results(&values);
        for length in 0..document.len() {
            let error = msgpack::decode_args(&document[..length], &taking(&values)).unwrap_err();
            prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        }
        document.push(extra);
        prop_assert!(msgpack::decode_args(&document, &taking(&values)).is_err());
    }

    #[test]
    fn one_value_too_few_or_too_many_is_refused(values in vec(number(), 2..6), one in number()) {
        let more = FuncType::new([crate::any::types(&values), vec![one.ty()]].concat(), []);
        let fewer = taking(&values[1..]);
        for ty in [more, fewer] {
            prop_assert!(json::decode_args(json::encode_results(&values).as_bytes(), &ty).is_err());
            prop_assert!(msgpack::decode_args(&msgpack::encode_results(&values), &ty).is_err());
            let spelt: Vec<_> = values.iter().map(text::format).collect();
            prop_assert!(args::parse_text(&spelt, &ty).is_err());
        }
    }

    #[test]
    fn integers_are_read_in_the_signed_and_the_unsigned_range(a in any_i32(), b in any_i64()) {
        for spelt in [a.to_string(), a.cast_unsigned().to_string(), format!("{:#x}", a.cast_unsigned())] {
            prop_assert_eq!(text::parse(&spelt, &ValType::I32).unwrap(), Value::I32(a));
        }
        for spelt in [b.to_string(), b.cast_unsigned().to_string(), format!("{:#x}", b.cast_unsigned())] {
            prop_assert_eq!(text::parse(&spelt, &ValType::I64).unwrap(), Value::I64(b));
        }
        prop_assert_eq!(decode_one(&a.cast_unsigned().to_string(), ValType::I32), Value::I32(a));
        prop_assert_eq!(decode_one(&b.cast_unsigned().to_string(), ValType::I64), Value::I64(b));
    }

    #[test]
    fn integers_out_of_both_ranges_are_refused(beyond in 1..1u64 << 40) {
        let beyond = i128::from(beyond);
        for (ty, least, most) in [
            (ValType::I32, i128::from(i32::MIN), i128::from(u32::MAX)),
            (ValType::I64, i128::from(i64::MIN), i128::from(u64::MAX)),
        ] {
            for wrong in [least - beyond, most + beyond] {
                prop_assert!(text::parse(&wrong.to_string(), &ty).unwrap_err().message().contains("out of range"));
                let ty = FuncType::new([ty.clone()], []);
                prop_assert!(json::decode_args(wrong.to_string().as_bytes(), &ty).is_err());
            }
        }
    }

    #[test]
    fn hexadecimal_floats_are_exact(v in any_f64()) {
        let finite = if v.is_finite() { v } else { f64::from_bits(v.to_bits() ^ 1 << 62) };
        prop_assert_eq!(text::parse(&hexadecimal(finite), &ValType::F64).unwrap(), Value::F64(finite));
    }

    /// To 24 bits from the decimal digits, not from 53 bits that were rounded already.
    #[test]
    fn a_decimal_is_rounded_to_f32_once(digits in "[0-9]{1,9}\\.[0-9]{1,30}", exponent in -30..25) {
        let spelt = format!("{digits}e{exponent}");
        let nearest: f32 = spelt.parse().unwrap();
        prop_assert_eq!(text::parse(&spelt, &ValType::F32).unwrap(), Value::F32(nearest));
        let quoted = format!("\"{spelt}\"");
        prop_assert_eq!(decode_one(&quoted, ValType::F32), Value::F32(nearest));
    }

    #[test]
    fn messagepack_integers_are_floats_where_floats_are_wanted(v in any_i64()) {
        let document = msgpack::encode_results(&[Value::I64(v)]);
        let read = |ty| msgpack::decode_args(&document, &FuncType::new([ty], [])).unwrap()[0];
        #[expect(clippy::cast_precision_loss, reason = "rounding is what is tested")]
        let (single, double) = (v as f32, v as f64);
        prop_assert_eq!(read(ValType::F32), Value::F32(single));
        prop_assert_eq!(read(ValType::F64), Value::F64(double));
    }

    /// A NaN stays one; which, Rust leaves open.
    #[test]
    fn messagepack_floats_of_the_other_width_are_rounded_to_the_nearest(v in any_f64(), w in any_f32()) {
        let read = |value, ty| msgpack::decode_args(&msgpack::encode_results(&[value]), &FuncType::new([ty], []));
        let wide = read(Value::F32(w), ValType::F64).unwrap()[0];
        let both_nan = w.is_nan() && matches!(wide, Value::F64(wide) if wide.is_nan());
        prop_assert!(both_nan || wide == Value::F64(f64::from(w)), "{} became {}", w, wide);
        #[expect(clippy::cast_possible_truncation, reason = "rounding is what is tested")]
        let nearest = v as f32;
        match read(Value::F64(v), ValType::F32) {
            Ok(values) if v.is_nan() => prop_assert!(matches!(values[..], [Value::F32(narrow)] if narrow.is_nan())),
            Ok(values) => {
                prop_assert_eq!(values, [Value::F32(nearest)]);
                prop_assert!(nearest.is_finite() || v.is_infinite(), "{} became infinite", v);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument);
                prop_assert!(v.is_finite() && nearest.is_infinite(), "{} was refused", v);
            }
        }
    }

    #[test]
    fn json_lanes_of_every_shape_make_the_vector(bits in any_v128()) {
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
            prop_assert_eq!(decode_one(&document, ValType::V128), Value::V128(bits), "{}", document);
            prop_assert_eq!(decode_one(&format!("[{document}]"), ValType::V128), Value::V128(bits));
        }
    }
}
