//! Random values: all bit patterns, and more often than chance the ones that break codecs.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::RangeInclusive;

use arbtest::arbitrary::{Result, Unstructured};
use wrun::{FuncType, ValType, Value};

/// Runs a property on random inputs. A failure prints its seed; `ARBTEST_SEED` repeats it.
pub(crate) fn check(cases: u32, mut property: impl FnMut(&mut Unstructured) -> Result<()>) {
    if std::env::var_os("ARBTEST_SEED").is_some() {
        return arbtest::arbtest(property).run();
    }
    for _ in 0..cases {
        // The lower half of a seed is the size of the input. No property uses up this many bytes: an exhausted input yields only
        // zeros.
        let seed = RandomState::new().build_hasher().finish() << u32::BITS | 1024;
        arbtest::arbtest(&mut property).seed(seed).run();
    }
}

/// Generates a vector with a length in this range.
pub(crate) fn vec<'a, T>(
    u: &mut Unstructured<'a>,
    lengths: RangeInclusive<usize>,
    item: impl Fn(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let length = u.int_in_range(lengths)?;
    (0..length).map(|_| item(u)).collect()
}

pub(crate) fn any_i32(u: &mut Unstructured) -> Result<i32> {
    Ok(match u.choose_index(4)? {
        0 => u.arbitrary()?,
        1 => i32::MIN,
        2 => i32::MAX,
        _ => u.int_in_range(-200..=199)?,
    })
}

pub(crate) fn any_i64(u: &mut Unstructured) -> Result<i64> {
    const EXACT: [i64; 6] = [i64::MIN, i64::MAX, (1 << 53) + 1, -(1 << 53) - 1, i64::MIN + 1, 0xffff_ffff];
    Ok(match u.choose_index(3)? {
        0 => u.arbitrary()?,
        1 => *u.choose(&EXACT)?,
        _ => u.int_in_range(-200..=199)?,
    })
}

/// Generates every bit pattern, and zeros, subnormals, infinities and NaNs, quiet and signalling, more often than
/// chance.
pub(crate) fn any_f32(u: &mut Unstructured) -> Result<f32> {
    let bits = match u.choose_index(3)? {
        0 => u.arbitrary()?,
        1 => special_f32(u)? | u32::from(u.arbitrary::<bool>()?) << 31,
        _ => f32::from(u.int_in_range(-1000..=999i16)?).to_bits(),
    };
    Ok(f32::from_bits(bits))
}

fn special_f32(u: &mut Unstructured) -> Result<u32> {
    Ok(match u.choose_index(6)? {
        0 => 0,
        1 => u.int_in_range(1..=0x007f_ffff)?,           // subnormal
        2 => 0x7f7f_ffff,                                // the largest
        3 => 0x7f80_0000,                                // infinity
        4 => u.int_in_range(0x7f80_0001..=0x7fbf_ffff)?, // signalling NaN
        _ => u.int_in_range(0x7fc0_0000..=0x7fff_ffff)?, // quiet NaN
    })
}

/// Generates the same kinds of values as [`any_f32`], and its values.
pub(crate) fn any_f64(u: &mut Unstructured) -> Result<f64> {
    let bits = match u.choose_index(4)? {
        0 => u.arbitrary()?,
        1 => special_f64(u)? | u64::from(u.arbitrary::<bool>()?) << 63,
        2 => f64::from(u.int_in_range(-1000..=999i16)?).to_bits(),
        _ => f64::from(any_f32(u)?).to_bits(),
    };
    Ok(f64::from_bits(bits))
}

fn special_f64(u: &mut Unstructured) -> Result<u64> {
    Ok(match u.choose_index(6)? {
        0 => 0,
        1 => u.int_in_range(1..=0x000f_ffff_ffff_ffff)?,
        2 => 0x7fef_ffff_ffff_ffff,
        3 => 0x7ff0_0000_0000_0000,
        4 => u.int_in_range(0x7ff0_0000_0000_0001..=0x7ff7_ffff_ffff_ffff)?,
        _ => u.int_in_range(0x7ff8_0000_0000_0000..=0x7fff_ffff_ffff_ffff)?,
    })
}

pub(crate) fn any_v128(u: &mut Unstructured) -> Result<u128> {
    Ok(match u.choose_index(4)? {
        0 => u.arbitrary()?,
        1 => 0,
        2 => u128::MAX,
        _ => u.arbitrary::<u8>()?.into(),
    })
}

pub(crate) fn any_number(u: &mut Unstructured) -> Result<Value> {
    Ok(match u.choose_index(4)? {
        0 => Value::I32(any_i32(u)?),
        1 => Value::I64(any_i64(u)?),
        2 => Value::F32(any_f32(u)?),
        _ => Value::F64(any_f64(u)?),
    })
}

/// Generates a value that can be written as text. The only such references are null.
pub(crate) fn any_value(u: &mut Unstructured) -> Result<Value> {
    Ok(match u.choose_index(12)? {
        0..8 => any_number(u)?,
        8 | 9 => Value::V128(any_v128(u)?),
        10 => Value::FuncRef(None),
        _ => Value::ExternRef(None),
    })
}

/// Returns the types of these values.
pub(crate) fn types(values: &[Value]) -> Vec<ValType> {
    values.iter().map(Value::ty).collect()
}

/// Returns the type of a function that takes these values.
pub(crate) fn function_taking(values: &[Value]) -> FuncType {
    FuncType::new(types(values), [])
}
