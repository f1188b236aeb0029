//! Arrow as a format of records and results.

use std::io::Read;
use std::ops::Range;

use super::output::{ArrowOutput, ArrowSchema, IdValue};
use super::params::Params;
use super::records::ArrowRecords;
use super::source::ArrowSource;
use crate::batch::chunk::{Chunk, Records};
use crate::batch::format::{Decode, Encode, Formats, Record, Source};
use crate::batch::input::too_long;
use crate::batch::options::OnError;
use crate::error::{Error, Result};
use crate::runtime::call::CallResult;
use crate::runtime::callable::CallArgs;

/// Opens a stream of records.
pub(in crate::batch) fn source<'a, R: Read + Send + 'a>(formats: &'a Formats<'a>, reader: R) -> Box<dyn Source + 'a> {
    Box::new(RowDecoder { source: ArrowSource::new(reader, formats), next: 1 })
}

struct RowDecoder<'a, R> {
    source: ArrowSource<'a, R>,
    next: u64,
}

impl<R: Read + Send> Source for RowDecoder<'_, R> {
    fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        Ok(self.source.next_rows()?.map(|rows| {
            let first = self.next;
            self.next += rows.len() as u64;
            Chunk { first, records: Records::Arrow(rows) }
        }))
    }
}

/// Creates the decoder of one worker.
pub(in crate::batch) fn decoder<'a>(formats: &'a Formats<'a>) -> Box<dyn Decode + 'a> {
    Box::new(ArrowDecoder { formats, params: Params::new(formats.callable) })
}

struct ArrowDecoder<'a> {
    formats: &'a Formats<'a>,
    params: Params,
}

impl Decode for ArrowDecoder<'_> {
    fn decode(&mut self, record: &mut Record<'_>, args: &mut CallArgs) -> Result<()> {
        let rows = rows_of(record.chunk);
        if rows.has_ids() {
            record.id = rows.id(record.index);
        }
        if rows.is_longer(record.index, self.formats.options.max_record) {
            return Err(too_long(self.formats));
        }
        rows.fill(&self.params, record.index, args)
    }

    fn columns<'c>(&self, chunk: &'c Chunk, indices: Range<usize>) -> Option<Vec<&'c [u8]>> {
        rows_of(chunk).numbers(&self.params, &indices, self.formats.options.max_record)
    }
}

fn rows_of(chunk: &Chunk) -> &ArrowRecords {
    match &chunk.records {
        Records::Arrow(rows) => rows,
        _ => unreachable!("records are rows of Arrow"),
    }
}

/// Creates the encoder of one worker. The source has set the layout.
pub(in crate::batch) fn encoder(formats: &Formats<'_>) -> Box<dyn Encode> {
    Box::new(ArrowEncoder { output: ArrowOutput::new(schema(formats)) })
}

/// Returns the first message of the output.
pub(in crate::batch) fn head(formats: &Formats<'_>) -> Vec<u8> {
    schema(formats).head()
}

/// Returns the mark at the end of the output.
pub(in crate::batch) fn tail() -> Vec<u8> {
    ArrowSchema::tail()
}

fn schema(formats: &Formats<'_>) -> ArrowSchema {
    let layout = formats.layout();
    let ids = layout.has_ids.then_some(layout.id_type);
    ArrowSchema::new(formats.callable, ids, formats.options.on_error == OnError::Emit)
}

struct ArrowEncoder {
    output: ArrowOutput,
}

impl Encode for ArrowEncoder {
    fn result(&mut self, record: &Record<'_>, result: &CallResult, _: &mut Vec<u8>) -> Result<()> {
        let text = record.id.as_ref().map(IdValue::new);
        self.output.result(text.as_ref(), result)
    }

    fn error(&mut self, record: &Record<'_>, error: &Error, _: &mut Vec<u8>) {
        let text = record.id.as_ref().map(IdValue::new);
        self.output.error(text.as_ref(), error);
    }

    /// The columns of the results are not those of the records, so [`check`](crate::batch::check) refuses to pass records.
    fn pass(&mut self, record: &Record<'_>, _: &mut Vec<u8>) {
        unreachable!("record {} passes into Arrow", record.number());
    }

    fn takes_columns(&self) -> bool {
        true
    }

    fn columns(&mut self, chunk: &Chunk, indices: Range<usize>, results: &[Vec<u8>], _: &mut Vec<u8>) {
        self.output.columns(indices.len(), results);
        let rows = rows_of(chunk);
        if rows.has_ids() {
            indices.for_each(|index| self.output.id(rows.id(index).as_ref().map(IdValue::new).as_ref()));
        }
    }

    fn pending(&self) -> usize {
        self.output.rows()
    }

    fn write_large(&mut self, output: &mut Vec<u8>) {
        self.output.write_large(output);
    }

    fn finish(&mut self, output: &mut Vec<u8>) {
        self.output.finish(self.output.rows(), output);
    }

    fn rescue(&mut self, rows: usize, output: &mut Vec<u8>) {
        self.output.finish(rows, output);
    }
}
