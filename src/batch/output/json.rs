//! One JSON value in each line.

use serde::Serialize;

use super::failure::RecordError;
use crate::batch::chunk::Records;
use crate::batch::format::{Encode, Record};
use crate::batch::id::Id;
use crate::error::{Error, Result};
use crate::runtime::call::CallResult;

/// Writes a result bare or, if its record has an id, as `{"id": …, "result": …}`.
pub(super) struct JsonEncoder;

impl Encode for JsonEncoder {
    fn result(&mut self, record: &Record<'_>, result: &CallResult, output: &mut Vec<u8>) -> Result<()> {
        let Some(id) = record.id else {
            write(result, output)?;
            output.push(b'\n');
            return Ok(());
        };
        begin(id, output);
        output.extend_from_slice(br#""result":"#);
        write(result, output)?;
        output.extend_from_slice(b"}\n");
        Ok(())
    }

    fn error(&mut self, record: &Record<'_>, error: &Error, output: &mut Vec<u8>) {
        write_error(record, error, b'\n', output);
    }

    fn pass(&mut self, record: &Record<'_>, output: &mut Vec<u8>) {
        pass(record, b"\n", output);
    }
}

/// Appends an error object as JSON.
pub(in crate::batch) fn write_error(record: &Record<'_>, error: &Error, end: u8, output: &mut Vec<u8>) {
    match record.id {
        Some(id) => begin(id, output),
        None => output.push(b'{'),
    }
    output.extend_from_slice(br#""error":"#);
    let error = RecordError::new(error, record.number());
    write(&error, output).unwrap_or_else(|error| unreachable!("JSON in memory: {error}"));
    output.extend_from_slice(&[b'}', end]);
}

/// Appends a record of bytes and its end.
pub(super) fn pass(record: &Record<'_>, end: &[u8], output: &mut Vec<u8>) {
    if let Records::Bytes(records) = &record.chunk.records
        && let Some(bytes) = records.get(record.index)
    {
        output.extend_from_slice(bytes);
        output.extend_from_slice(end);
    }
}

fn begin(id: Id<'_>, output: &mut Vec<u8>) {
    output.extend_from_slice(br#"{"id":"#);
    id.write_json(output);
    output.push(b',');
}

#[inline]
fn write(value: &impl Serialize, output: &mut Vec<u8>) -> Result<()> {
    serde_json::to_writer(output, value).map_err(|error| super::failure::cannot_encode(&error))
}
