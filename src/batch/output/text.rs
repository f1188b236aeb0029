//! Results as text, one in each line.

use std::io::Write;

use super::failure::cannot_encode;
use super::json::{pass, write_error};
use crate::batch::format::{Encode, Record};
use crate::error::{Error, Result};
use crate::runtime::call::CallResult;

/// Writes a result as a call on the command line prints it, but several results with tabs between them. Ids are left out.
pub(super) struct TextEncoder {
    /// The byte after each result.
    pub(super) end: u8,
}

impl Encode for TextEncoder {
    fn result(&mut self, _: &Record<'_>, result: &CallResult, output: &mut Vec<u8>) -> Result<()> {
        match result {
            CallResult::Core(values) if values.len() > 1 => {
                for (index, value) in values.iter().enumerate() {
                    let tab = if index > 0 { "\t" } else { "" };
                    write!(output, "{tab}{value}").map_err(|error| cannot_encode(&error))?;
                }
            }
            result => output.extend_from_slice(result.to_text().as_bytes()),
        }
        output.push(self.end);
        Ok(())
    }

    fn error(&mut self, record: &Record<'_>, error: &Error, output: &mut Vec<u8>) {
        write_error(record, error, self.end, output);
    }

    fn pass(&mut self, record: &Record<'_>, output: &mut Vec<u8>) {
        pass(record, &[self.end], output);
    }
}
