//! Builds a column from values.

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Float32Builder, Float64Builder, Int8Builder, Int16Builder,
    Int32Builder, Int64Builder, NullBufferBuilder, StringBuilder, UInt8Builder, UInt16Builder, UInt32Builder,
    UInt64Builder,
};
use arrow_array::{Array, ArrayRef, ListArray, MapArray, NullArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, FieldRef, Fields};

/// Collects the values of a column of any type that results have.
#[derive(Debug)]
pub(super) enum Builder {
    Null(usize),
    Bool(BooleanBuilder),
    Int8(Int8Builder),
    Int16(Int16Builder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    UInt8(UInt8Builder),
    UInt16(UInt16Builder),
    UInt32(UInt32Builder),
    UInt64(UInt64Builder),
    Float32(Float32Builder),
    Float64(Float64Builder),
    Utf8(StringBuilder),
    Binary(BinaryBuilder),
    FixedBinary(FixedSizeBinaryBuilder),
    List(Box<ListBuilder>),
    Struct(StructBuilder),
}

/// A list of values, or a map as a list of its entries.
#[derive(Debug)]
pub(super) struct ListBuilder {
    field: FieldRef,
    is_map: bool,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
    pub(super) values: Builder,
}

/// Values of several columns in each row.
#[derive(Debug)]
pub(super) struct StructBuilder {
    fields: Fields,
    pub(super) nulls: NullBufferBuilder,
    pub(super) columns: Vec<Builder>,
}

impl Builder {
    /// Creates a builder for a type that [`wit_types`](super::wit_types) returns.
    pub(super) fn new(data: &DataType) -> Self {
        match data {
            DataType::Boolean => Self::Bool(BooleanBuilder::new()),
            DataType::Int8 => Self::Int8(Int8Builder::new()),
            DataType::Int16 => Self::Int16(Int16Builder::new()),
            DataType::Int32 => Self::Int32(Int32Builder::new()),
            DataType::Int64 => Self::Int64(Int64Builder::new()),
            DataType::UInt8 => Self::UInt8(UInt8Builder::new()),
            DataType::UInt16 => Self::UInt16(UInt16Builder::new()),
            DataType::UInt32 => Self::UInt32(UInt32Builder::new()),
            DataType::UInt64 => Self::UInt64(UInt64Builder::new()),
            DataType::Float32 => Self::Float32(Float32Builder::new()),
            DataType::Float64 => Self::Float64(Float64Builder::new()),
            DataType::Utf8 => Self::Utf8(StringBuilder::new()),
            DataType::Binary => Self::Binary(BinaryBuilder::new()),
            DataType::FixedSizeBinary(size) => Self::FixedBinary(FixedSizeBinaryBuilder::new(*size)),
            DataType::List(field) | DataType::Map(field, _) => Self::List(Box::new(ListBuilder {
                field: Arc::clone(field),
                is_map: matches!(data, DataType::Map(..)),
                offsets: vec![0],
                nulls: NullBufferBuilder::new(0),
                values: Self::new(field.data_type()),
            })),
            DataType::Struct(fields) => Self::Struct(StructBuilder {
                fields: fields.clone(),
                nulls: NullBufferBuilder::new(0),
                columns: fields.iter().map(|field| Self::new(field.data_type())).collect(),
            }),
            _ => Self::Null(0),
        }
    }

    /// Appends a row without a value.
    pub(super) fn append_null(&mut self) {
        match self {
            Self::Null(rows) => *rows += 1,
            Self::Bool(builder) => builder.append_null(),
            Self::Int8(builder) => builder.append_null(),
            Self::Int16(builder) => builder.append_null(),
            Self::Int32(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::UInt8(builder) => builder.append_null(),
            Self::UInt16(builder) => builder.append_null(),
            Self::UInt32(builder) => builder.append_null(),
            Self::UInt64(builder) => builder.append_null(),
            Self::Float32(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Utf8(builder) => builder.append_null(),
            Self::Binary(builder) => builder.append_null(),
            Self::FixedBinary(builder) => builder.append_null(),
            Self::List(list) => list.end(0, false),
            Self::Struct(parts) => {
                parts.columns.iter_mut().for_each(Self::append_null);
                parts.nulls.append_null();
            }
        }
    }

    /// Returns the column, and begins another.
    ///
    /// # Errors
    /// Those of the constructors of arrays.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Null(rows) => Arc::new(NullArray::new(std::mem::take(rows))),
            Self::Bool(builder) => Arc::new(builder.finish()),
            Self::Int8(builder) => Arc::new(builder.finish()),
            Self::Int16(builder) => Arc::new(builder.finish()),
            Self::Int32(builder) => Arc::new(builder.finish()),
            Self::Int64(builder) => Arc::new(builder.finish()),
            Self::UInt8(builder) => Arc::new(builder.finish()),
            Self::UInt16(builder) => Arc::new(builder.finish()),
            Self::UInt32(builder) => Arc::new(builder.finish()),
            Self::UInt64(builder) => Arc::new(builder.finish()),
            Self::Float32(builder) => Arc::new(builder.finish()),
            Self::Float64(builder) => Arc::new(builder.finish()),
            Self::Utf8(builder) => Arc::new(builder.finish()),
            Self::Binary(builder) => Arc::new(builder.finish()),
            Self::FixedBinary(builder) => Arc::new(builder.finish()),
            Self::List(list) => list.finish()?,
            Self::Struct(parts) => parts.finish()?,
        })
    }
}

impl ListBuilder {
    /// Ends a row after `length` values were appended.
    pub(super) fn end(&mut self, length: usize, is_valid: bool) {
        // Rows are written before they hold so many values (`MAX_WEIGHT`).
        let length = i32::try_from(length).unwrap_or_else(|_| unreachable!("a list of {length} values"));
        let last = self.offsets.last().copied().unwrap_or_default();
        self.offsets.push(last + length);
        self.nulls.append(is_valid);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let (field, nulls, values) = (Arc::clone(&self.field), self.nulls.finish(), self.values.finish()?);
        if !self.is_map {
            return Ok(Arc::new(ListArray::try_new(field, offsets, values, nulls)?));
        }
        let entries = StructArray::from(values.to_data());
        Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, false)?))
    }
}

impl StructBuilder {
    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let (length, nulls) = (self.nulls.len(), self.nulls.finish());
        // The last row may be incomplete: see `ArrowOutput::finish`.
        let finish = |column: &mut Builder| Ok(column.finish()?.slice(0, length));
        let columns = self.columns.iter_mut().map(finish).collect::<Result<Vec<_>, ArrowError>>()?;
        Ok(Arc::new(StructArray::try_new_with_length(self.fields.clone(), columns, nulls, length)?))
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::Field;

    use super::*;

    /// As after a panic while a row is appended.
    #[test]
    fn an_incomplete_last_row_is_dropped() {
        let field = |name: &str| Field::new(name, DataType::Int32, true);
        let mut builder = Builder::new(&DataType::Struct(Fields::from(vec![field("x"), field("y")])));
        builder.append_null();
        let Builder::Struct(parts) = &mut builder else { unreachable!() };
        parts.columns[0].append_null();
        assert_eq!(builder.finish().unwrap().len(), 1);
    }
}
