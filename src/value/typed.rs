//! Rust types for WebAssembly values, for calls whose signature is known at compile time.

use crate::value::types::{ValType, Value};

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that represents one value type: `i32`, `u32`, `i64`, `u64`, `f32`, `f64`, `u128`.
pub trait WasmValue: sealed::Sealed + Sized {
    /// The value type it represents.
    const TYPE: ValType;

    /// Converts to a value.
    fn into_value(self) -> Value;

    /// Converts a value; returns `None` if its type is not [`Self::TYPE`].
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! wasm_value {
    ($($rust:ty => $variant:ident, $into:expr, $from:expr;)*) => { $(
        impl sealed::Sealed for $rust {}

        impl WasmValue for $rust {
            const TYPE: ValType = ValType::$variant;

            fn into_value(self) -> Value {
                Value::$variant($into(self))
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$variant(v) => Some($from(v)),
                    _ => None,
                }
            }
        }
    )* };
}

wasm_value! {
    i32 => I32, std::convert::identity, std::convert::identity;
    u32 => I32, u32::cast_signed, i32::cast_unsigned;
    i64 => I64, std::convert::identity, std::convert::identity;
    u64 => I64, u64::cast_signed, i64::cast_unsigned;
    f32 => F32, std::convert::identity, std::convert::identity;
    f64 => F64, std::convert::identity, std::convert::identity;
    u128 => V128, std::convert::identity, std::convert::identity;
}

/// The arguments or results of a typed call: a tuple of up to eight [`WasmValue`]s, a single one, or `()`.
pub trait WasmTuple: sealed::Sealed + Sized {
    /// Returns the value types, in order.
    fn types() -> Vec<ValType>;

    /// Converts to values, in order.
    fn into_values(self) -> Vec<Value>;

    /// Converts values; returns `None` if their types are not [`Self::types`].
    fn from_values(values: &[Value]) -> Option<Self>;
}

impl<T: WasmValue> WasmTuple for T {
    fn types() -> Vec<ValType> {
        vec![T::TYPE]
    }

    fn into_values(self) -> Vec<Value> {
        vec![self.into_value()]
    }

    fn from_values(values: &[Value]) -> Option<Self> {
        match values {
            [one] => T::from_value(*one),
            _ => None,
        }
    }
}

macro_rules! wasm_tuple {
    ($($name:ident)*) => {
        impl<$($name: WasmValue),*> sealed::Sealed for ($($name,)*) {}

        #[allow(non_snake_case, clippy::unused_unit, reason = "values are named after their types, and () has no values")]
        impl<$($name: WasmValue),*> WasmTuple for ($($name,)*) {
            fn types() -> Vec<ValType> {
                vec![$($name::TYPE),*]
            }

            fn into_values(self) -> Vec<Value> {
                let ($($name,)*) = self;
                vec![$($name.into_value()),*]
            }

            fn from_values(values: &[Value]) -> Option<Self> {
                let [$($name),*] = *values else { return None };
                Some(($($name::from_value($name)?,)*))
            }
        }
    };
}

wasm_tuple! {}
wasm_tuple! { A }
wasm_tuple! { A B }
wasm_tuple! { A B C }
wasm_tuple! { A B C D }
wasm_tuple! { A B C D E }
wasm_tuple! { A B C D E F }
wasm_tuple! { A B C D E F G }
wasm_tuple! { A B C D E F G H }
