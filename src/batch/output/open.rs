//! Chooses the encoder of a format.

use super::csv::{self, CsvEncoder};
use super::json::JsonEncoder;
use super::msgpack::MsgpackEncoder;
use super::raw::RawEncoder;
use super::text::TextEncoder;
use crate::batch::arrow;
use crate::batch::format::{Encode, Formats};
use crate::batch::options::{BatchInput, BatchOutput};

/// Creates the encoder of one worker.
pub(in crate::batch) fn encoder<'a>(formats: &'a Formats<'a>) -> Box<dyn Encode + 'a> {
    match formats.options.output {
        BatchOutput::Json => Box::new(JsonEncoder),
        BatchOutput::Text => {
            Box::new(TextEncoder { end: if formats.options.input == BatchInput::Nul { b'\0' } else { b'\n' } })
        }
        BatchOutput::Csv => Box::new(CsvEncoder::new(formats)),
        BatchOutput::Msgpack => Box::new(MsgpackEncoder),
        BatchOutput::Raw => Box::new(RawEncoder),
        BatchOutput::Arrow => arrow::encoder(formats),
    }
}

/// Returns the bytes before the first result, such as a header. The source has set the layout.
pub(in crate::batch) fn head(formats: &Formats<'_>) -> Vec<u8> {
    match formats.options.output {
        BatchOutput::Csv => csv::header(formats),
        BatchOutput::Arrow => arrow::head(formats),
        _ => Vec::new(),
    }
}

/// Returns the bytes after the last result.
pub(in crate::batch) fn tail(formats: &Formats<'_>) -> Vec<u8> {
    if formats.options.output == BatchOutput::Arrow { arrow::tail() } else { Vec::new() }
}
