//! The numeric value types as Rust types, for calls specialized for one signature.

use crate::value::types::Value;

/// A Rust type that represents one numeric value type.
pub(crate) trait Number: Copy + Send + 'static {
    /// Returns the number if `value` has this type.
    fn of(value: &Value) -> Option<Self>;

    fn value(self) -> Value;
}

macro_rules! number {
    ($($rust:ty => $variant:ident,)*) => { $(
        impl Number for $rust {
            #[inline]
            fn of(value: &Value) -> Option<Self> {
                if let Value::$variant(number) = value { Some(*number) } else { None }
            }

            #[inline]
            fn value(self) -> Value {
                Value::$variant(self)
            }
        }
    )* };
}

number! { i32 => I32, i64 => I64, f32 => F32, f64 => F64, }

/// Evaluates `$then` with `$name` as the Rust type of a numeric value type; `None` for other types.
macro_rules! with_number {
    ($ty:expr, $name:ident => $then:expr) => {
        match $ty {
            $crate::value::types::ValType::I32 => {
                type $name = i32;
                $then
            }
            $crate::value::types::ValType::I64 => {
                type $name = i64;
                $then
            }
            $crate::value::types::ValType::F32 => {
                type $name = f32;
                $then
            }
            $crate::value::types::ValType::F64 => {
                type $name = f64;
                $then
            }
            _ => None,
        }
    };
}

/// Calls one of several generic functions, by arity, with the parameter types of a common signature: up to two numbers of any
/// types, or three or four of the same type. `None` for all other signatures. `$own` is an extra first type parameter.
macro_rules! with_common_params {
    ($params:expr, $nullary:ident, $unary:ident, $binary:ident, $ternary:ident, $quaternary:ident, $args:tt $(, $own:tt)?) => {
        match $params {
            [] => $nullary $args,
            [a] => with_number!(a, A => $unary::<$($own,)? A> $args),
            [a, b] => with_number!(a, A => with_number!(b, B => $binary::<$($own,)? A, B> $args)),
            [a, b, c] if a == b && b == c => with_number!(a, A => $ternary::<$($own,)? A, A, A> $args),
            [a, b, c, d] if a == b && b == c && c == d => {
                with_number!(a, A => $quaternary::<$($own,)? A, A, A, A> $args)
            }
            _ => None,
        }
    };
}

pub(crate) use {with_common_params, with_number};
