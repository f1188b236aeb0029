//! MessagePack values, one after the other.

use serde::Serialize;

use super::failure::{RecordError, cannot_encode};
use super::json::pass;
use crate::batch::format::{Encode, Record};
use crate::error::{Error, Result};
use crate::runtime::call::CallResult;

/// Writes values of the same shapes as in JSON.
pub(super) struct MsgpackEncoder;

impl Encode for MsgpackEncoder {
    fn result(&mut self, record: &Record<'_>, result: &CallResult, output: &mut Vec<u8>) -> Result<()> {
        if let Some(id) = record.id {
            output.extend_from_slice(b"\x82\xa2id");
            id.write_msgpack(output);
            output.extend_from_slice(b"\xa6result");
        }
        write(result, output)
    }

    fn error(&mut self, record: &Record<'_>, error: &Error, output: &mut Vec<u8>) {
        match record.id {
            Some(id) => {
                output.extend_from_slice(b"\x82\xa2id");
                id.write_msgpack(output);
            }
            None => output.push(0x81),
        }
        output.extend_from_slice(b"\xa5error");
        let error = RecordError::new(error, record.number());
        write(&error, output).unwrap_or_else(|error| unreachable!("MessagePack in memory: {error}"));
    }

    fn pass(&mut self, record: &Record<'_>, output: &mut Vec<u8>) {
        pass(record, b"", output);
    }
}

fn write(value: &impl Serialize, output: &mut Vec<u8>) -> Result<()> {
    rmp_serde::encode::write_named(output, value).map_err(|error| cannot_encode(&error))
}
