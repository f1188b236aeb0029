//! Chooses the reader and the decoder of a format.

use std::io::Read;

use super::csv::CsvSource;
use super::delimited::DelimitedFrame;
use super::framed::Framed;
use super::json::JsonDecoder;
use super::lines::LineDecoder;
use super::msgpack::MsgpackDecoder;
use super::row::RowDecoder;
use super::value_frame::ValueFrame;
use crate::batch::arrow;
use crate::batch::buffer::Buffers;
use crate::batch::format::{Decode, Formats, Source};
use crate::batch::options::BatchInput;

/// Opens a stream of records. The header of the stream is read with the first chunk.
pub(in crate::batch) fn source<'a, R: Read + Send + 'a>(
    formats: &'a Formats<'a>,
    reader: R,
    buffers: &Buffers,
) -> Box<dyn Source + 'a> {
    match formats.options.input {
        BatchInput::Json => Box::new(Framed::new(reader, DelimitedFrame::json(), formats, buffers.clone())),
        BatchInput::Lines => Box::new(Framed::new(reader, DelimitedFrame::lines(), formats, buffers.clone())),
        BatchInput::Nul => Box::new(Framed::new(reader, DelimitedFrame::nul(), formats, buffers.clone())),
        BatchInput::Msgpack => Box::new(Framed::new(reader, ValueFrame::default(), formats, buffers.clone())),
        BatchInput::Csv => Box::new(CsvSource::new(reader, formats)),
        BatchInput::Arrow => arrow::source(formats, reader),
    }
}

/// Creates the decoder of one worker.
pub(in crate::batch) fn decoder<'a>(formats: &'a Formats<'a>) -> Box<dyn Decode + 'a> {
    match formats.options.input {
        BatchInput::Json => Box::new(JsonDecoder::new(formats)),
        BatchInput::Lines | BatchInput::Nul => Box::new(LineDecoder::new(formats)),
        BatchInput::Msgpack => Box::new(MsgpackDecoder::new(formats)),
        BatchInput::Csv => Box::new(RowDecoder::new(formats)),
        BatchInput::Arrow => arrow::decoder(formats),
    }
}
