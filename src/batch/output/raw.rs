//! The bytes of results.

use super::failure::cannot_encode;
use crate::batch::format::{Encode, Record};
use crate::error::{Error, Result};
use crate::runtime::call::CallResult;

/// Writes strings and bytes as they are, without delimiters. Errors and records are left out.
pub(super) struct RawEncoder;

impl Encode for RawEncoder {
    fn result(&mut self, _: &Record<'_>, result: &CallResult, output: &mut Vec<u8>) -> Result<()> {
        let bytes = result.bytes().ok_or_else(|| cannot_encode(&"it is not a string or bytes"))?;
        output.extend_from_slice(bytes);
        Ok(())
    }

    fn error(&mut self, _: &Record<'_>, _: &Error, _: &mut Vec<u8>) {}

    fn pass(&mut self, _: &Record<'_>, _: &mut Vec<u8>) {}
}
