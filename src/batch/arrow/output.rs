//! Writes results as a stream.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, Int64Builder, StringBuilder, UInt64Builder};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteContext, IpcWriteOptions, write_message};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};

use super::append;
use super::builder::Builder;
use super::wit_types;
use crate::batch::id::{Id, IdType};
use crate::batch::output::{ColumnType, ColumnValue, ERROR_COLUMNS, ID_COLUMN, ResultColumns};
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::call::CallResult;
use crate::runtime::callable::{Callable, CallableType};

/// The mark at the end of a stream.
const END: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// The weight of a result that is too large for the 32-bit offsets of a column.
const MAX_WEIGHT: usize = 1 << 30;

/// The weight of rows that fill a record batch.
const FULL: usize = 1 << 20;

/// The columns of results.
#[derive(Clone, Debug)]
pub(super) struct ArrowSchema {
    schema: SchemaRef,
    results: ResultColumns,
    ids: Option<IdType>,
    has_errors: bool,
}

impl ArrowSchema {
    /// Returns the columns for the results of a function: `id` if there are ids, the [`ResultColumns`], and `error_kind` and
    /// `error_message` if errors take the place of results.
    ///
    /// References of a module, which [`check`] refuses, are null.
    pub(super) fn new(callable: &Callable, ids: Option<IdType>, has_errors: bool) -> Self {
        let results = ResultColumns::new(callable, ids.is_some());
        let mut fields = Vec::new();
        if let Some(ids) = ids {
            let data = match ids {
                IdType::Signed => DataType::Int64,
                IdType::Unsigned => DataType::UInt64,
                IdType::Text => DataType::Utf8,
            };
            fields.push(Field::new(ID_COLUMN, data, true));
        }
        fields.extend(results.names().iter().enumerate().map(|(column, name)| match results.ty(callable, column) {
            ColumnType::Core(ty) => Field::new(&**name, wit_types::of_core(ty).unwrap_or(DataType::Null), has_errors),
            ColumnType::Component(ty) => {
                let field = wit_types::field(name, ty);
                let nullable = has_errors || field.is_nullable();
                field.with_nullable(nullable)
            }
            ColumnType::None => Field::new(&**name, DataType::Null, true),
        }));
        if has_errors {
            fields.extend(ERROR_COLUMNS.map(|name| Field::new(name, DataType::Utf8, true)));
        }
        Self { schema: Arc::new(Schema::new(fields)), results, ids, has_errors }
    }

    /// Returns the first message of the stream.
    pub(super) fn head(&self) -> Vec<u8> {
        let options = IpcWriteOptions::default();
        let generator = IpcDataGenerator::default();
        let mut tracker = DictionaryTracker::new(false);
        let encoded = generator.schema_to_bytes_with_dictionary_tracker(&self.schema, &mut tracker, &options);
        let mut head = Vec::new();
        let written = write_message(&mut head, encoded, &options);
        written.unwrap_or_else(|error| unreachable!("a schema in memory: {error}"));
        head
    }

    /// Returns the mark at the end of the stream.
    pub(super) fn tail() -> Vec<u8> {
        END.to_vec()
    }
}

/// Collects results, and writes them as record batches.
pub(super) struct ArrowOutput {
    schema: ArrowSchema,
    ids: Builder,
    columns: Vec<Builder>,
    /// The rows that failed, with kind and message.
    errors: Vec<(usize, &'static str, String)>,
    rows: usize,
    weight: usize,
    context: IpcWriteContext,
    options: IpcWriteOptions,
}

impl std::fmt::Debug for ArrowOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArrowOutput").field("schema", &self.schema).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl ArrowOutput {
    pub(super) fn new(schema: ArrowSchema) -> Self {
        let ids = match schema.ids {
            Some(IdType::Signed) => Builder::Int64(Int64Builder::new()),
            Some(IdType::Unsigned) => Builder::UInt64(UInt64Builder::new()),
            Some(IdType::Text) => Builder::Utf8(StringBuilder::new()),
            None => Builder::Null(0),
        };
        let fields = schema.schema.fields().iter().skip(usize::from(schema.ids.is_some()));
        let results =
            schema.schema.fields().len() - usize::from(schema.ids.is_some()) - 2 * usize::from(schema.has_errors);
        let columns = fields.take(results).map(|field| Builder::new(field.data_type())).collect();
        let (context, options) = (IpcWriteContext::default(), IpcWriteOptions::default());
        Self { schema, ids, columns, errors: Vec::new(), rows: 0, weight: 0, context, options }
    }

    /// Appends a result.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if it is too large for a column. Nothing is appended then.
    #[inline]
    pub(super) fn result(&mut self, id: Option<&IdValue<'_>>, result: &CallResult) -> Result<()> {
        if let CallResult::Component(Some(value), _) = result {
            self.weight += checked_weight(value)?;
        }
        for (index, column) in self.columns.iter_mut().enumerate() {
            match self.schema.results.value(result, index) {
                ColumnValue::Core(value) => append::core(column, value),
                ColumnValue::Component(value, ty) => append::wit(column, value, ty),
                ColumnValue::None => column.append_null(),
            }
        }
        self.end_row(id);
        Ok(())
    }

    /// Appends an error.
    pub(super) fn error(&mut self, id: Option<&IdValue<'_>>, error: &Error) {
        self.columns.iter_mut().for_each(Builder::append_null);
        self.errors.push((self.rows, error.kind().as_str(), error.message().to_owned()));
        self.weight += error.message().len();
        self.end_row(id);
    }

    /// Appends the results of rows by column, as [`append::numbers`] takes them. An id for each row follows.
    pub(super) fn columns(&mut self, rows: usize, results: &[Vec<u8>]) {
        if results.is_empty() {
            (0..rows).for_each(|_| self.columns.iter_mut().for_each(Builder::append_null));
        }
        self.columns.iter_mut().zip(results).for_each(|(column, numbers)| append::numbers(column, numbers));
        self.rows += rows;
    }

    fn end_row(&mut self, id: Option<&IdValue<'_>>) {
        self.id(id);
        self.rows += 1;
    }

    /// Appends the id of a row, if there are ids.
    pub(super) fn id(&mut self, id: Option<&IdValue<'_>>) {
        if self.schema.ids.is_some() {
            match (&mut self.ids, id) {
                (Builder::Int64(ids), Some(IdValue::Integer(id))) => ids.append_option(i64::try_from(*id).ok()),
                (Builder::UInt64(ids), Some(IdValue::Integer(id))) => ids.append_option(u64::try_from(*id).ok()),
                (Builder::Utf8(ids), Some(IdValue::Text(id))) => {
                    self.weight += id.len();
                    ids.append_value(id);
                }
                (ids, _) => ids.append_null(),
            }
        }
    }

    /// Returns the number of rows that were appended and are not written yet.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Writes the rows if they fill a record batch.
    pub(super) fn write_large(&mut self, output: &mut Vec<u8>) {
        if self.weight > FULL {
            self.finish(self.rows, output);
        }
    }

    /// Writes the first rows that were appended as a record batch, and drops the others, which may be incomplete.
    pub(super) fn finish(&mut self, rows: usize, output: &mut Vec<u8>) {
        if rows > 0 {
            self.write(rows, output).unwrap_or_else(|error| unreachable!("columns that fit their types: {error}"));
        }
    }

    fn write(&mut self, rows: usize, output: &mut Vec<u8>) -> Result<(), ArrowError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.schema.fields().len());
        if self.schema.ids.is_some() {
            columns.push(self.ids.finish()?);
        }
        for column in &mut self.columns {
            columns.push(column.finish()?);
        }
        if self.schema.has_errors {
            let mut errors = std::mem::take(&mut self.errors);
            errors.retain(|(row, ..)| *row < rows);
            columns.push(sparse(rows, errors.iter().map(|(row, kind, _)| (*row, *kind))));
            columns.push(sparse(rows, errors.iter().map(|(row, _, message)| (*row, message.as_str()))));
        }
        for column in columns.iter_mut().filter(|column| column.len() > rows) {
            *column = column.slice(0, rows);
        }
        (self.rows, self.weight) = (0, 0);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema.schema), columns, &options)?;
        // No column has a dictionary.
        let mut tracker = DictionaryTracker::new(false);
        let generator = IpcDataGenerator::default();
        let (_, encoded) = generator.encode(&batch, &mut tracker, &self.options, &mut self.context)?;
        write_message(output, encoded, &self.options).map(|_| ())
    }
}

/// The id of a record, as it is written.
#[derive(Debug)]
pub(super) enum IdValue<'a> {
    Integer(i128),
    Text(Cow<'a, str>),
}

impl<'a> IdValue<'a> {
    pub(super) fn new(id: &'a Id<'a>) -> Self {
        match id {
            Id::Integer(id) => Self::Integer(*id),
            id => Self::Text(id.to_text()),
        }
    }
}

/// Returns a column of text with values in a few rows, in order, and nulls in all others.
fn sparse<'a>(rows: usize, values: impl Iterator<Item = (usize, &'a str)>) -> ArrayRef {
    let mut column = StringBuilder::new();
    for (row, value) in values {
        column.append_nulls(row - column.len());
        column.append_value(value);
    }
    column.append_nulls(rows - column.len());
    Arc::new(column.finish())
}

/// Checks that this build has Arrow, and that a function has results that can be columns.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if it returns references.
pub(in crate::batch) fn check(callable: &Callable) -> Result<()> {
    let CallableType::Core(ty) = callable.ty() else { return Ok(()) };
    match ty.results().iter().find(|ty| wit_types::of_core(ty).is_none()) {
        Some(ty) => {
            let message = format!("{callable} has a result of type {ty}, which cannot be written as Arrow");
            Err(Error::new(ErrorKind::InvalidArgument, message))
        }
        None => Ok(()),
    }
}

fn checked_weight(value: &WitValue) -> Result<usize> {
    let weight = append::weight(value);
    if weight > MAX_WEIGHT {
        let message = format!("the result is too large for a column of Arrow: about {weight} bytes");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(weight)
}
