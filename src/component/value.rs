//! Values of WIT types.

use crate::component::types::Name;

/// A value that passes into or out of a component. [`WitType`](crate::component::types::WitType) describes it; a value alone
/// does not tell its type.
///
/// Floats compare by their bits: `-0.0` differs from `0.0`, and a NaN equals one of the same sign and payload. (The component
/// model makes every NaN canonical when it passes in or out.)
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WitValue {
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer of 8 bits.
    S8(i8),
    /// An unsigned integer of 8 bits.
    U8(u8),
    /// A signed integer of 16 bits.
    S16(i16),
    /// An unsigned integer of 16 bits.
    U16(u16),
    /// A signed integer of 32 bits.
    S32(i32),
    /// An unsigned integer of 32 bits.
    U32(u32),
    /// A signed integer of 64 bits.
    S64(i64),
    /// An unsigned integer of 64 bits.
    U64(u64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// A Unicode scalar value.
    Char(char),
    /// Unicode text.
    String(String),
    /// A `list<u8>`; a [`WitValue::List`] of [`WitValue::U8`] is accepted as well, but never returned.
    Bytes(Vec<u8>),
    /// A list of another type, of fixed length or not.
    List(Vec<WitValue>),
    /// Keys and values, in any order.
    Map(Vec<(WitValue, WitValue)>),
    /// Fields without names.
    Tuple(Vec<WitValue>),
    /// Fields with names, in the order of the type.
    Record(Vec<(Name, WitValue)>),
    /// A case and its payload.
    Variant(Name, Option<Box<WitValue>>),
    /// A case.
    Enum(Name),
    /// The names that are set, in the order of the type.
    Flags(Vec<Name>),
    /// A value or none.
    Option(Option<Box<WitValue>>),
    /// Success or failure, and its payload.
    Result(Result<Option<Box<WitValue>>, Option<Box<WitValue>>>),
    /// A handle to a resource of one instance.
    Resource(ResourceHandle),
}

/// A handle to a resource: a number that the instance which returned it understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceHandle {
    /// The instance.
    pub(crate) instance: u64,
    /// The number of the handle in this instance.
    pub(crate) number: u64,
}

impl PartialEq for WitValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::S8(a), Self::S8(b)) => a == b,
            (Self::U8(a), Self::U8(b)) => a == b,
            (Self::S16(a), Self::S16(b)) => a == b,
            (Self::U16(a), Self::U16(b)) => a == b,
            (Self::S32(a), Self::S32(b)) => a == b,
            (Self::U32(a), Self::U32(b)) => a == b,
            (Self::S64(a), Self::S64(b)) => a == b,
            (Self::U64(a), Self::U64(b)) => a == b,
            (Self::F32(a), Self::F32(b)) => a.to_bits() == b.to_bits(),
            (Self::F64(a), Self::F64(b)) => a.to_bits() == b.to_bits(),
            (Self::Char(a), Self::Char(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => a == b,
            (Self::Bytes(a), Self::List(b)) | (Self::List(b), Self::Bytes(a)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| matches!(b, Self::U8(b) if a == b))
            }
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Record(a), Self::Record(b)) => a == b,
            (Self::Variant(a, x), Self::Variant(b, y)) => a == b && x == y,
            (Self::Enum(a), Self::Enum(b)) => a == b,
            (Self::Flags(a), Self::Flags(b)) => a == b,
            (Self::Option(a), Self::Option(b)) => a == b,
            (Self::Result(a), Self::Result(b)) => a == b,
            (Self::Resource(a), Self::Resource(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for WitValue {}
