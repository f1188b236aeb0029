//! Value types, function types and values, named as in the WebAssembly specification.

use std::fmt;
use std::sync::Arc;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::{AsRefStr, Display};

/// The type of a value.
///
/// Reference types other than nullable `funcref` and `externref` are kept as text. wrun can display them, but values of these
/// types cannot pass between host and guest.
#[derive(AsRefStr, Clone, Debug, Display, PartialEq, Eq, Hash)]
#[strum(serialize_all = "lowercase")]
#[non_exhaustive]
pub enum ValType {
    /// A 32-bit integer, signed or unsigned.
    I32,
    /// A 64-bit integer, signed or unsigned.
    I64,
    /// A 32-bit IEEE 754 float.
    F32,
    /// A 64-bit IEEE 754 float.
    F64,
    /// 128 bits.
    V128,
    /// A nullable reference to a function.
    FuncRef,
    /// A nullable reference to a host object.
    ExternRef,
    /// Any other reference type in the text format, such as `(ref null any)`.
    #[strum(transparent)]
    Ref(Box<str>),
}

impl ValType {
    /// Whether values of this type can pass between host and guest.
    #[must_use]
    pub fn is_passable(&self) -> bool {
        !matches!(self, Self::Ref(_))
    }
}

/// Serializes as text, such as `"i32"`.
impl Serialize for ValType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_ref())
    }
}

impl<'de> Deserialize<'de> for ValType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = ValType;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of a value type")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<ValType, E> {
                use ValType::{ExternRef, F32, F64, FuncRef, I32, I64, Ref, V128};
                let named = [I32, I64, F32, F64, V128, FuncRef, ExternRef];
                Ok(named.into_iter().find(|ty| ty.as_ref() == text).unwrap_or_else(|| Ref(text.into())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// The type of a function. Cloning is cheap: clones share the type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FuncType(Arc<Signature>);

#[derive(Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Signature {
    params: Box<[ValType]>,
    results: Box<[ValType]>,
}

impl Serialize for FuncType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FuncType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Signature::deserialize(deserializer).map(|signature| Self(Arc::new(signature)))
    }
}

impl FuncType {
    /// Creates a function type.
    pub fn new(params: impl Into<Box<[ValType]>>, results: impl Into<Box<[ValType]>>) -> Self {
        Self(Arc::new(Signature { params: params.into(), results: results.into() }))
    }

    /// Returns the parameter types, in order.
    #[must_use]
    pub fn params(&self) -> &[ValType] {
        &self.0.params
    }

    /// Returns the result types, in order.
    #[must_use]
    pub fn results(&self) -> &[ValType] {
        &self.0.results
    }
}

/// The maximum number of parameters, and of results, that are displayed.
const MAX_SHOWN: usize = 32;

/// Formats as `(i32, i32) -> i64`; zero or several results are in parentheses. Of more than 32 types, the first are shown.
impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, self.params())?;
        f.write_str(" -> ")?;
        match self.results() {
            [one] => write!(f, "{one}"),
            several => write_list(f, several),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, types: &[ValType]) -> fmt::Result {
    f.write_str("(")?;
    for (index, ty) in types.iter().take(MAX_SHOWN).enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{ty}")?;
    }
    match types.len().saturating_sub(MAX_SHOWN) {
        0 => f.write_str(")"),
        more => write!(f, ", and {more} more)"),
    }
}

/// A value that can pass between host and guest.
///
/// Floats compare by their bits: `-0.0` differs from `0.0`, and a NaN equals one of the same sign and payload.
#[derive(Clone, Copy, Debug)]
pub enum Value {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// 128 bits; lane 0 is the least significant.
    V128(u128),
    /// A function, by a number that the instance which returned it understands, or null.
    FuncRef(Option<u32>),
    /// A number chosen by the host, which is opaque to the guest, or null.
    ExternRef(Option<u64>),
}

impl Value {
    /// Converts an integer to a numeric type. An integer type accepts its signed and its unsigned range; a float is rounded once.
    /// `None` if the integer is out of range, or the type is not numeric.
    #[expect(clippy::cast_precision_loss, reason = "an integer for a float is rounded to the nearest")]
    pub(crate) fn from_integer(integer: i128, ty: &ValType) -> Option<Self> {
        Some(match ty {
            ValType::I32 => {
                let signed = i32::try_from(integer).ok();
                Self::I32(signed.or_else(|| u32::try_from(integer).ok().map(u32::cast_signed))?)
            }
            ValType::I64 => {
                let signed = i64::try_from(integer).ok();
                Self::I64(signed.or_else(|| u64::try_from(integer).ok().map(u64::cast_signed))?)
            }
            ValType::F32 => Self::F32(integer as f32),
            ValType::F64 => Self::F64(integer as f64),
            _ => return None,
        })
    }

    /// Returns the type of this value.
    #[must_use]
    pub fn ty(&self) -> ValType {
        match self {
            Self::I32(_) => ValType::I32,
            Self::I64(_) => ValType::I64,
            Self::F32(_) => ValType::F32,
            Self::F64(_) => ValType::F64,
            Self::V128(_) => ValType::V128,
            Self::FuncRef(_) => ValType::FuncRef,
            Self::ExternRef(_) => ValType::ExternRef,
        }
    }

    /// Returns zero or null of a type; `None` if values of the type cannot be passed.
    #[must_use]
    pub fn zero(ty: &ValType) -> Option<Self> {
        Some(match ty {
            ValType::I32 => Self::I32(0),
            ValType::I64 => Self::I64(0),
            ValType::F32 => Self::F32(0.0),
            ValType::F64 => Self::F64(0.0),
            ValType::V128 => Self::V128(0),
            ValType::FuncRef => Self::FuncRef(None),
            ValType::ExternRef => Self::ExternRef(None),
            ValType::Ref(_) => return None,
        })
    }

    /// Whether this value has type `ty`.
    #[must_use]
    pub fn is(&self, ty: &ValType) -> bool {
        matches!(
            (self, ty),
            (Self::I32(_), ValType::I32)
                | (Self::I64(_), ValType::I64)
                | (Self::F32(_), ValType::F32)
                | (Self::F64(_), ValType::F64)
                | (Self::V128(_), ValType::V128)
                | (Self::FuncRef(_), ValType::FuncRef)
                | (Self::ExternRef(_), ValType::ExternRef)
        )
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::I32(a), Self::I32(b)) => a == b,
            (Self::I64(a), Self::I64(b)) => a == b,
            (Self::F32(a), Self::F32(b)) => a.to_bits() == b.to_bits(),
            (Self::F64(a), Self::F64(b)) => a.to_bits() == b.to_bits(),
            (Self::V128(a), Self::V128(b)) => a == b,
            (Self::FuncRef(a), Self::FuncRef(b)) => a == b,
            (Self::ExternRef(a), Self::ExternRef(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}
