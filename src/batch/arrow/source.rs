//! Reads the rows of a stream.

use std::collections::HashMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::{ArrowError, DataType, Schema};

use super::check::is_text;
use super::column::Column;
use super::length;
use super::message::{self, Message, Messages, Next, invalid};
use super::params::Params;
use super::records::ArrowRecords;
use crate::batch::format::Formats;
use crate::batch::id::IdType;
use crate::batch::input::layout_by_names;
use crate::error::Result;

/// The maximum number of rows in a group.
const MAX_ROWS: usize = 4096;

/// The number of bytes in a group, if it has more than one row.
const GROUP: usize = 64 << 10;

/// How many times longer than a record a record batch may be.
const RECORDS_IN_BATCH: usize = 64;

/// Reads a stream, or several with the same columns one after the other.
#[derive(Debug)]
pub(super) struct ArrowSource<'a, R> {
    messages: Messages<R>,
    formats: &'a Formats<'a>,
    max_body: usize,
    stream: Option<Stream>,
    /// The current record batch: its rows that are not returned yet.
    rest: Option<ArrowRecords>,
}

#[derive(Debug)]
struct Stream {
    schema: Arc<Schema>,
    /// The columns of the arguments, and then that of the ids.
    projection: Vec<usize>,
    has_ids: bool,
    dictionaries: HashMap<i64, ArrayRef>,
}

impl<'a, R: Read> ArrowSource<'a, R> {
    /// Creates a source of arguments.
    pub(super) fn new(reader: R, formats: &'a Formats<'a>) -> Self {
        let max_body = formats.options.max_record.saturating_mul(RECORDS_IN_BATCH);
        Self { messages: Messages::new(reader, max_body), formats, max_body, stream: None, rest: None }
    }

    /// Returns the next rows, at least one. Reads one record batch at a time.
    ///
    /// # Errors
    /// Those of reading; [`ErrorKind::Io`](crate::ErrorKind::Io) if the stream is damaged;
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if it is no stream, or its columns do not fit the
    /// parameters.
    pub(super) fn next_rows(&mut self) -> Result<Option<ArrowRecords>> {
        while self.rest.is_none() {
            if !self.read_message()? {
                return Ok(None);
            }
        }
        Ok(self.rest.take().map(|mut rows| {
            let row_bytes = (rows.bytes / rows.rows).max(1);
            let taken = (GROUP / row_bytes).clamp(1, MAX_ROWS).min(rows.rows);
            let (columns, ids) = (Arc::clone(&rows.columns), rows.ids.clone());
            let bytes = taken * row_bytes;
            let group = ArrowRecords { columns, ids, first: rows.first, rows: taken, bytes, longest: rows.longest };
            rows.first += taken;
            rows.rows -= taken;
            rows.bytes = rows.bytes.saturating_sub(group.bytes);
            self.rest = Some(rows).filter(|rows| rows.rows > 0);
            group
        }))
    }

    /// Reads one message. Returns `false` at the end.
    fn read_message(&mut self) -> Result<bool> {
        match self.messages.next()? {
            Next::Message(message) => self.take(&message).map(|()| true),
            Next::EndOfStream if self.messages.is_file() => self.messages.skip_rest().map(|()| false),
            Next::EndOfStream => Ok(true),
            Next::EndOfInput if self.stream.is_none() => Err(invalid("it is empty")),
            Next::EndOfInput => Ok(false),
        }
    }

    fn take(&mut self, message: &Message) -> Result<()> {
        let header = root_as_message(&message.header).map_err(invalid)?;
        let body = self.messages.body(header.bodyLength())?;
        let version = header.version();
        match header.header_type() {
            MessageHeader::Schema => {
                let schema = header.header_as_schema().ok_or_else(|| invalid("a schema is missing"))?;
                if !schema.endianness().equals_to_target_endianness() {
                    return Err(invalid("its byte order is not that of this machine"));
                }
                let schema = guard(|| try_fb_to_schema(schema))?;
                self.begin(schema)
            }
            MessageHeader::DictionaryBatch => {
                let dictionary =
                    header.header_as_dictionary_batch().ok_or_else(|| invalid("a dictionary is missing"))?;
                let stream = self.stream.as_mut().ok_or_else(|| invalid("it does not begin with a schema"))?;
                message::check(dictionary.data().ok_or_else(|| invalid("a dictionary is empty"))?, &body)?;
                let (schema, dictionaries) = (&stream.schema, &mut stream.dictionaries);
                guard(|| read_dictionary(&body, dictionary, schema, dictionaries, &version))?;
                // Deltas add to a dictionary.
                if dictionaries.values().map(Array::get_array_memory_size).sum::<usize>() > self.max_body {
                    return Err(invalid(format!("its dictionaries are larger than {} bytes", self.max_body)));
                }
                Ok(())
            }
            MessageHeader::RecordBatch => {
                let batch = header.header_as_record_batch().ok_or_else(|| invalid("a record batch is missing"))?;
                let stream = self.stream.as_ref().ok_or_else(|| invalid("it does not begin with a schema"))?;
                message::check(batch, &body)?;
                let (schema, projection) = (Arc::clone(&stream.schema), Some(stream.projection.as_slice()));
                let batch =
                    guard(|| read_record_batch(&body, batch, schema, &stream.dictionaries, projection, &version))?;
                self.rest = rows(stream, &batch, body.len());
                Ok(())
            }
            other => Err(invalid(format!("it has a message of type {other:?}"))),
        }
    }

    /// Begins a stream.
    fn begin(&mut self, schema: Schema) -> Result<()> {
        if let Some(stream) = &mut self.stream {
            if stream.schema.fields() != schema.fields() {
                return Err(invalid("its columns change"));
            }
            stream.dictionaries.clear();
            return Ok(());
        }
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut layout = layout_by_names(&names, self.formats)?;
        let ids = layout.id.and_then(|id| Some((id, id_type(schema.field(id).data_type())?)));
        layout.id = ids.map(|(id, _)| id);
        layout.has_ids = ids.is_some();
        let mut projection = layout.params.clone().unwrap_or_default();
        Params::new(self.formats.callable).check(&schema, &projection)?;
        if let Some((id, id_type)) = ids {
            layout.id_type = id_type;
            projection.push(id);
        }
        let (has_ids, dictionaries) = (layout.has_ids, HashMap::new());
        self.formats.layout.get_or_init(|| layout);
        self.stream = Some(Stream { schema: Arc::new(schema), projection, has_ids, dictionaries });
        Ok(())
    }
}

fn rows(stream: &Stream, batch: &RecordBatch, bytes: usize) -> Option<ArrowRecords> {
    let mut columns: Vec<Column> = batch.columns().iter().map(|array| Column::new(array)).collect();
    let ids = if stream.has_ids { columns.pop() } else { None };
    let (longest, rows) = (length::bound(&columns, bytes), batch.num_rows());
    Some(ArrowRecords { columns: columns.into(), ids, first: 0, rows, bytes, longest }).filter(|_| rows > 0)
}

/// Returns the type of the ids in a column, if its values can be ids.
fn id_type(data: &DataType) -> Option<IdType> {
    match data {
        DataType::Dictionary(_, values) => id_type(values),
        DataType::UInt64 => Some(IdType::Unsigned),
        data if data.is_integer() => Some(IdType::Signed),
        data => is_text(data).then_some(IdType::Text),
    }
}

/// Decodes a part of a stream. The decoder may panic where a stream is damaged in a way that it does not expect.
fn guard<T>(decode: impl FnOnce() -> Result<T, ArrowError>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(invalid),
        Err(_) => Err(invalid("its data is damaged")),
    }
}
