//! The values of a column, by row.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, BinaryArray, BinaryViewArray, BooleanArray, FixedSizeBinaryArray, Float16Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, LargeBinaryArray, LargeStringArray, PrimitiveArray, StringArray,
    StringViewArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::DataType;

use crate::value::types::ValType;

/// A column of a record batch. Cloning is cheap: clones share the values.
#[derive(Clone, Debug)]
pub(super) enum Column {
    Null,
    Bool(BooleanArray),
    Int8(Int8Array),
    Int16(Int16Array),
    Int32(Int32Array),
    Int64(Int64Array),
    UInt8(UInt8Array),
    UInt16(UInt16Array),
    UInt32(UInt32Array),
    UInt64(UInt64Array),
    Float16(Float16Array),
    Float32(Float32Array),
    Float64(Float64Array),
    Utf8(StringArray),
    LargeUtf8(LargeStringArray),
    Utf8View(StringViewArray),
    Binary(BinaryArray),
    LargeBinary(LargeBinaryArray),
    BinaryView(BinaryViewArray),
    FixedBinary(FixedSizeBinaryArray),
    List(Nested, Box<Column>),
    Map(Nested, Box<(Column, Column)>),
    Struct(Option<NullBuffer>, Vec<(String, Column)>),
    Dictionary(Box<(Column, Column)>),
}

/// Where the elements of each row are.
#[derive(Clone, Debug)]
pub(super) struct Nested {
    nulls: Option<NullBuffer>,
    offsets: Offsets,
}

#[derive(Clone, Debug)]
enum Offsets {
    Small(OffsetBuffer<i32>),
    Large(OffsetBuffer<i64>),
    /// Each row has this many elements.
    Fixed(usize),
}

impl Nested {
    /// Returns the first element of a row and the element after its last.
    pub(super) fn range(&self, row: usize) -> (usize, usize) {
        match &self.offsets {
            Offsets::Small(offsets) => (position(offsets[row].into()), position(offsets[row + 1].into())),
            Offsets::Large(offsets) => (position(offsets[row]), position(offsets[row + 1])),
            Offsets::Fixed(size) => (row * size, (row + 1) * size),
        }
    }
}

/// Converts a position whose range was validated.
fn position(offset: i64) -> usize {
    usize::try_from(offset).unwrap_or_else(|_| unreachable!("offsets are validated"))
}

/// A float, with the width of its column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Float {
    Single(f32),
    Double(f64),
}

impl Column {
    /// Takes the values of an array whose type [`check`](super::check) has accepted.
    pub(super) fn new(array: &dyn Array) -> Self {
        match array.data_type() {
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            DataType::Int8 => Self::Int8(array.as_primitive::<Int8Type>().clone()),
            DataType::Int16 => Self::Int16(array.as_primitive::<Int16Type>().clone()),
            DataType::Int32 => Self::Int32(array.as_primitive::<Int32Type>().clone()),
            DataType::Int64 => Self::Int64(array.as_primitive::<Int64Type>().clone()),
            DataType::UInt8 => Self::UInt8(array.as_primitive::<UInt8Type>().clone()),
            DataType::UInt16 => Self::UInt16(array.as_primitive::<UInt16Type>().clone()),
            DataType::UInt32 => Self::UInt32(array.as_primitive::<UInt32Type>().clone()),
            DataType::UInt64 => Self::UInt64(array.as_primitive::<UInt64Type>().clone()),
            DataType::Float16 => Self::Float16(array.as_primitive::<Float16Type>().clone()),
            DataType::Float32 => Self::Float32(array.as_primitive::<Float32Type>().clone()),
            DataType::Float64 => Self::Float64(array.as_primitive::<Float64Type>().clone()),
            DataType::Utf8 => Self::Utf8(array.as_string().clone()),
            DataType::LargeUtf8 => Self::LargeUtf8(array.as_string().clone()),
            DataType::Utf8View => Self::Utf8View(array.as_string_view().clone()),
            DataType::Binary => Self::Binary(array.as_binary().clone()),
            DataType::LargeBinary => Self::LargeBinary(array.as_binary().clone()),
            DataType::BinaryView => Self::BinaryView(array.as_binary_view().clone()),
            DataType::FixedSizeBinary(_) => Self::FixedBinary(array.as_fixed_size_binary().clone()),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let offsets = Offsets::Small(list.offsets().clone());
                Self::List(nested(array, offsets), Box::new(Self::new(list.values())))
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                let offsets = Offsets::Large(list.offsets().clone());
                Self::List(nested(array, offsets), Box::new(Self::new(list.values())))
            }
            DataType::FixedSizeList(..) => {
                let list = array.as_fixed_size_list();
                let offsets = Offsets::Fixed(position(list.value_length().into()));
                Self::List(nested(array, offsets), Box::new(Self::new(list.values())))
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let offsets = Offsets::Small(map.offsets().clone());
                let entries = (Self::new(map.keys()), Self::new(map.values()));
                Self::Map(nested(array, offsets), Box::new(entries))
            }
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns().iter();
                let named = fields.iter().zip(columns).map(|(field, column)| (field.name().clone(), Self::new(column)));
                Self::Struct(array.nulls().cloned(), named.collect())
            }
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                Self::Dictionary(Box::new((Self::new(dictionary.keys()), Self::new(dictionary.values()))))
            }
            _ => Self::Null,
        }
    }

    /// Returns the column without dictionaries, and the row in it. A null in a dictionary's keys has no row there.
    pub(super) fn resolve(&self, row: usize) -> (&Self, usize) {
        match self {
            Self::Dictionary(parts) if !parts.0.is_null(row) => {
                let key = parts.0.integer(row).and_then(|key| usize::try_from(key).ok());
                parts.1.resolve(key.unwrap_or_else(|| unreachable!("keys are validated")))
            }
            _ => (self, row),
        }
    }

    /// Returns whether a row has no value.
    pub(super) fn is_null(&self, row: usize) -> bool {
        let nulls = match self {
            Self::Null => return true,
            Self::Dictionary(parts) => {
                return parts.0.is_null(row) || {
                    let (values, row) = self.resolve(row);
                    values.is_null(row)
                };
            }
            Self::Bool(array) => array.nulls(),
            Self::Int8(array) => array.nulls(),
            Self::Int16(array) => array.nulls(),
            Self::Int32(array) => array.nulls(),
            Self::Int64(array) => array.nulls(),
            Self::UInt8(array) => array.nulls(),
            Self::UInt16(array) => array.nulls(),
            Self::UInt32(array) => array.nulls(),
            Self::UInt64(array) => array.nulls(),
            Self::Float16(array) => array.nulls(),
            Self::Float32(array) => array.nulls(),
            Self::Float64(array) => array.nulls(),
            Self::Utf8(array) => array.nulls(),
            Self::LargeUtf8(array) => array.nulls(),
            Self::Utf8View(array) => array.nulls(),
            Self::Binary(array) => array.nulls(),
            Self::LargeBinary(array) => array.nulls(),
            Self::BinaryView(array) => array.nulls(),
            Self::FixedBinary(array) => array.nulls(),
            Self::List(nested, _) | Self::Map(nested, _) => nested.nulls.as_ref(),
            Self::Struct(nulls, _) => nulls.as_ref(),
        };
        nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Returns the values of rows as bytes in little-endian order, if they are numbers of this type and none is null. An unsigned integer
    /// is passed as the signed one with the same bits.
    pub(super) fn numbers(&self, ty: &ValType, rows: Range<usize>) -> Option<&[u8]> {
        fn bytes<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, rows: Range<usize>) -> Option<&[u8]> {
            let width = size_of::<T::Native>();
            let has_nulls = array.null_count() > 0;
            (!has_nulls).then(|| &array.values().inner()[rows.start * width..rows.end * width])
        }
        match (self, ty) {
            _ if cfg!(target_endian = "big") => None,
            (Self::Int32(array), ValType::I32) => bytes(array, rows),
            (Self::UInt32(array), ValType::I32) => bytes(array, rows),
            (Self::Int64(array), ValType::I64) => bytes(array, rows),
            (Self::UInt64(array), ValType::I64) => bytes(array, rows),
            (Self::Float32(array), ValType::F32) => bytes(array, rows),
            (Self::Float64(array), ValType::F64) => bytes(array, rows),
            _ => None,
        }
    }

    /// Returns an integer, if the column has integers.
    pub(super) fn integer(&self, row: usize) -> Option<i128> {
        Some(match self {
            Self::Int8(array) => array.value(row).into(),
            Self::Int16(array) => array.value(row).into(),
            Self::Int32(array) => array.value(row).into(),
            Self::Int64(array) => array.value(row).into(),
            Self::UInt8(array) => array.value(row).into(),
            Self::UInt16(array) => array.value(row).into(),
            Self::UInt32(array) => array.value(row).into(),
            Self::UInt64(array) => array.value(row).into(),
            _ => return None,
        })
    }

    /// Returns a float, if the column has floats.
    pub(super) fn float(&self, row: usize) -> Option<Float> {
        Some(match self {
            Self::Float16(array) => Float::Single(array.value(row).to_f32()),
            Self::Float32(array) => Float::Single(array.value(row)),
            Self::Float64(array) => Float::Double(array.value(row)),
            _ => return None,
        })
    }

    /// Returns whether the column has text or binary data.
    pub(super) fn has_bytes(&self) -> bool {
        matches!(
            self,
            Self::Utf8(_)
                | Self::LargeUtf8(_)
                | Self::Utf8View(_)
                | Self::Binary(_)
                | Self::LargeBinary(_)
                | Self::BinaryView(_)
                | Self::FixedBinary(_)
        )
    }

    /// Returns text, if the column has text.
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        Some(match self {
            Self::Utf8(array) => array.value(row),
            Self::LargeUtf8(array) => array.value(row),
            Self::Utf8View(array) => array.value(row),
            _ => return None,
        })
    }

    /// Returns bytes, if the column has text or binary data.
    pub(super) fn bytes(&self, row: usize) -> Option<&[u8]> {
        Some(match self {
            Self::Binary(array) => array.value(row),
            Self::LargeBinary(array) => array.value(row),
            Self::BinaryView(array) => array.value(row),
            Self::FixedBinary(array) => array.value(row),
            _ => self.text(row)?.as_bytes(),
        })
    }
}

fn nested(array: &dyn Array, offsets: Offsets) -> Nested {
    Nested { nulls: array.nulls().cloned(), offsets }
}
