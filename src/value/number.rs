//! The numeric value types as Rust types, for calls prepared for one signature.

use crate::value::types::Value;

/// A Rust type that stands for one numeric value type.
pub(crate) trait Number: Copy + Send + 'static {
    /// The number, where the value is of this type.
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

/// Names the Rust type of a numeric value type in the code that follows; `None` for the others.
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

/// Calls a generic function of one of four arities with the types of a common signature: up to two numbers of any types
/// or four of one type; `None` for all others. The functions' own type parameters stand before those.
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
