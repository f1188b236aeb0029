//! Arguments for a generated function.

use fastrand::Rng;

use crate::value::types::{FuncType, ValType, Value};

/// Bits at which operators change their behaviour. Half of the arguments are one of these.
const BITS_32: [u32; 8] = [0, 1, 2, 31, 32, i32::MAX.cast_unsigned(), i32::MIN.cast_unsigned(), u32::MAX];
const BITS_64: [u64; 8] = [0, 1, 2, 63, 64, i64::MAX.cast_unsigned(), i64::MIN.cast_unsigned(), u64::MAX];
const FLOATS: [f64; 10] =
    [0.0, -0.0, 1.0, -1.5, 0.1, 2_147_483_648.0, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

/// Makes one value for each parameter. `None` if a type has values that cannot pass to the guest.
pub(super) fn arguments(ty: &FuncType, rng: &mut Rng) -> Option<Vec<Value>> {
    ty.params().iter().map(|param| value(param, rng)).collect()
}

fn value(ty: &ValType, rng: &mut Rng) -> Option<Value> {
    let is_special = rng.bool();
    Some(match ty {
        ValType::I32 => Value::I32(if is_special { one_of(&BITS_32, rng) } else { rng.u32(..) }.cast_signed()),
        ValType::I64 => Value::I64(if is_special { one_of(&BITS_64, rng) } else { rng.u64(..) }.cast_signed()),
        ValType::F32 => {
            #[expect(clippy::cast_possible_truncation, reason = "a number too large becomes infinite")]
            let special = one_of(&FLOATS, rng) as f32;
            Value::F32(if is_special { special } else { f32::from_bits(rng.u32(..)) })
        }
        ValType::F64 => Value::F64(if is_special { one_of(&FLOATS, rng) } else { f64::from_bits(rng.u64(..)) }),
        ValType::V128 => Value::V128(rng.u128(..)),
        ty => Value::zero(ty)?,
    })
}

fn one_of<T: Copy>(values: &[T], rng: &mut Rng) -> T {
    values[rng.usize(..values.len())]
}
