//! CSV with a header.

use csv_core::Writer;

use super::columns::{ColumnValue, ERROR_COLUMNS, ID_COLUMN, ResultColumns};
use super::failure::RecordError;
use crate::batch::chunk::{Extent, Records};
use crate::batch::format::{Encode, Formats, Record};
use crate::batch::options::OnError;
use crate::component::text;
use crate::component::types::{TypeKind, WitType};
use crate::component::value::WitValue;
use crate::error::{Error, Result};
use crate::runtime::call::CallResult;

/// Writes a row for each result.
pub(super) struct CsvEncoder<'a> {
    formats: &'a Formats<'a>,
    columns: ResultColumns,
    writer: RowWriter,
    /// The fields of the current result.
    fields: Vec<String>,
}

/// Returns the header.
pub(super) fn header(formats: &Formats<'_>) -> Vec<u8> {
    let (mut output, mut writer) = (Vec::new(), RowWriter::default());
    if formats.layout().has_ids {
        writer.field(ID_COLUMN.as_bytes(), &mut output);
    }
    for name in ResultColumns::new(formats.callable, formats.layout().has_ids).names() {
        writer.field(name.as_bytes(), &mut output);
    }
    if formats.options.on_error == OnError::Emit {
        for name in ERROR_COLUMNS {
            writer.field(name.as_bytes(), &mut output);
        }
    }
    writer.end(&mut output);
    output
}

impl<'a> CsvEncoder<'a> {
    /// The source has set the layout.
    pub(super) fn new(formats: &'a Formats<'a>) -> Self {
        let columns = ResultColumns::new(formats.callable, formats.layout().has_ids);
        Self { formats, columns, writer: RowWriter::default(), fields: Vec::new() }
    }

    fn id(&mut self, record: &Record<'_>, output: &mut Vec<u8>) {
        if self.formats.layout().has_ids {
            let id = record.id.as_ref().map(|id| id.to_text()).unwrap_or_default();
            self.writer.field(id.as_bytes(), output);
        }
    }

    fn has_errors(&self) -> bool {
        self.formats.options.on_error == OnError::Emit
    }
}

impl Encode for CsvEncoder<'_> {
    fn result(&mut self, record: &Record<'_>, result: &CallResult, output: &mut Vec<u8>) -> Result<()> {
        self.fields.clear();
        for column in 0..self.columns.names().len() {
            self.fields.push(field(self.columns.value(result, column))?);
        }
        self.id(record, output);
        for field in &self.fields {
            self.writer.field(field.as_bytes(), output);
        }
        if self.has_errors() {
            for _ in ERROR_COLUMNS {
                self.writer.field(b"", output);
            }
        }
        self.writer.end(output);
        Ok(())
    }

    fn error(&mut self, record: &Record<'_>, error: &Error, output: &mut Vec<u8>) {
        self.id(record, output);
        self.columns.names().iter().for_each(|_| self.writer.field(b"", output));
        let error = RecordError::new(error, record.number());
        self.writer.field(error.kind.as_bytes(), output);
        self.writer.field(error.message.as_bytes(), output);
        self.writer.end(output);
    }

    fn pass(&mut self, record: &Record<'_>, output: &mut Vec<u8>) {
        if let Records::Rows(rows) = &record.chunk.records
            && let Extent::At(fields) = rows.extents[record.index].clone()
        {
            fields.for_each(|field| self.writer.field(rows.field(field), output));
            self.writer.end(output);
        }
    }
}

/// Formats the value of a field: text as it is, nothing for no value, compact JSON for a value with parts.
fn field(value: ColumnValue<'_>) -> Result<String> {
    match value {
        ColumnValue::None => Ok(String::new()),
        ColumnValue::Core(value) => Ok(value.to_string()),
        ColumnValue::Component(value, ty) => component_field(value, ty),
    }
}

fn component_field(value: &WitValue, ty: &WitType) -> Result<String> {
    match (value, ty.kind()) {
        (WitValue::Option(None), _) => Ok(String::new()),
        (WitValue::Option(Some(value)), Some(TypeKind::Option(ty)))
            if !matches!(ty.kind(), Some(TypeKind::Option(_))) =>
        {
            component_field(value, ty)
        }
        _ => text::format(value, ty).map_err(|error| super::failure::cannot_encode(&error)),
    }
}

/// Writes rows.
#[derive(Default)]
struct RowWriter {
    writer: Writer,
    /// Whether the row has a field.
    has_field: bool,
}

impl RowWriter {
    fn field(&mut self, field: &[u8], output: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_field, true) {
            append(output, 2, |space| self.writer.delimiter(space).1);
        }
        append(output, field.len() * 2 + 2, |space| self.writer.field(field, space).2);
    }

    fn end(&mut self, output: &mut Vec<u8>) {
        self.has_field = false;
        append(output, 4, |space| self.writer.terminator(space).1);
    }
}

/// Appends the output of a function, which gets this many bytes.
fn append(output: &mut Vec<u8>, bound: usize, write: impl FnOnce(&mut [u8]) -> usize) {
    let start = output.len();
    output.resize(start + bound, 0);
    let length = write(&mut output[start..]);
    output.truncate(start + length);
}
