//! The messages of a stream: a header in flatbuffers, and a body with the data.

use std::io::{self, BufRead, BufReader, Read};

use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::{FieldNode, RecordBatch};

use crate::error::{Error, ErrorKind, Result};

/// The maximum length of a header in bytes.
const MAX_HEADER: usize = 16 << 20;

/// The first bytes of a message. Old streams lack them.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// The first bytes of a file, which holds a stream and an index.
const FILE_MAGIC: &[u8; 8] = b"ARROW1\0\0";

/// The maximum number of rows in a message.
const MAX_ROWS: i64 = i32::MAX as i64;

/// The bytes that are allocated before any are read.
const STEP: usize = 1 << 20;

/// A message whose header was not verified yet.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) header: Vec<u8>,
}

/// Reads messages.
#[derive(Debug)]
pub(super) struct Messages<R> {
    reader: BufReader<R>,
    max_body: usize,
    is_first: bool,
    is_file: bool,
}

/// What comes next in a stream.
#[derive(Debug)]
pub(super) enum Next {
    Message(Message),
    /// The mark at the end of a stream.
    EndOfStream,
    EndOfInput,
}

impl<R: Read> Messages<R> {
    pub(super) fn new(reader: R, max_body: usize) -> Self {
        Self { reader: BufReader::with_capacity(64 << 10, reader), max_body, is_first: true, is_file: false }
    }

    /// Returns whether the input is a file, after its first message.
    pub(super) fn is_file(&self) -> bool {
        self.is_file
    }

    /// Reads a header.
    ///
    /// # Errors
    /// Those of reading; [`ErrorKind::Io`] if the stream is cut off; [`ErrorKind::InvalidArgument`] if it is no stream.
    pub(super) fn next(&mut self) -> Result<Next> {
        if self.reader.fill_buf().map_err(|error| cannot_read(&error))?.is_empty() {
            return Ok(Next::EndOfInput);
        }
        let mut word = self.word()?;
        if std::mem::take(&mut self.is_first) && word == FILE_MAGIC[..4] {
            if self.word()? != FILE_MAGIC[4..] {
                return Err(not_arrow());
            }
            self.is_file = true;
            // Some writers pad the magic bytes to 64.
            word = self.word()?;
            for _ in 0..14 {
                if word != [0; 4] {
                    break;
                }
                word = self.word()?;
            }
        }
        let length = if word == CONTINUATION { self.word()? } else { word };
        let length = usize::try_from(i32::from_le_bytes(length)).map_err(|_| not_arrow())?;
        if length == 0 {
            return Ok(Next::EndOfStream);
        }
        if length > MAX_HEADER {
            return Err(not_arrow());
        }
        let mut header = Vec::new();
        let read = (&mut self.reader).take(length as u64).read_to_end(&mut header);
        read.map_err(|error| cannot_read(&error))?;
        if header.len() < length { Err(truncated()) } else { Ok(Next::Message(Message { header })) }
    }

    /// Reads the body of a message, of this length.
    ///
    /// # Errors
    /// As [`Messages::next`].
    pub(super) fn body(&mut self, length: i64) -> Result<Buffer> {
        let max = self.max_body;
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= max) else {
            let message = format!("a record batch of {length} bytes is longer than the maximum of {max} bytes");
            return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(
                "write smaller record batches, or raise --max-record (a batch may have 64 times its size)",
            ));
        };
        let mut body = MutableBuffer::new(length.min(STEP));
        while body.len() < length {
            let start = body.len();
            body.resize(length.min(start + start.max(STEP)), 0);
            self.reader.read_exact(&mut body[start..]).map_err(|error| cannot_read(&error))?;
        }
        Ok(body.into())
    }

    /// Reads and ignores the rest.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn skip_rest(&mut self) -> Result<()> {
        io::copy(&mut self.reader, &mut io::sink()).map(|_| ()).map_err(|error| cannot_read(&error))
    }

    fn word(&mut self) -> Result<[u8; 4]> {
        let mut word = [0; 4];
        self.reader.read_exact(&mut word).map_err(|error| cannot_read(&error))?;
        Ok(word)
    }
}

/// Validates the ranges of the buffers and the numbers of rows and nulls, because the decoder of `arrow-ipc` does not.
///
/// # Errors
/// [`ErrorKind::Io`] if a buffer is outside the body or a number is impossible; [`ErrorKind::InvalidArgument`] if the data is
/// compressed.
pub(super) fn check(batch: RecordBatch<'_>, body: &Buffer) -> Result<()> {
    if batch.compression().is_some() {
        let error = Error::new(ErrorKind::InvalidArgument, "the Arrow stream is compressed, which is not supported");
        return Err(error.with_hint("write it without compression, and compress the whole stream in the shell"));
    }
    let is_within = |buffer: &arrow_ipc::Buffer| {
        let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        range.and_then(|(offset, length)| offset.checked_add(length)).is_some_and(|end| end <= body.len())
    };
    let is_possible =
        |node: &FieldNode| (0..=MAX_ROWS).contains(&node.length()) && (0..=node.length()).contains(&node.null_count());
    let is_valid = (0..=MAX_ROWS).contains(&batch.length())
        && batch.buffers().is_some_and(|buffers| buffers.iter().all(is_within))
        && batch.nodes().is_some_and(|nodes| nodes.iter().all(is_possible));
    if is_valid { Ok(()) } else { Err(invalid("a record batch has buffers outside its body, or an impossible length")) }
}

/// The error for a stream that is damaged or cut off.
pub(super) fn invalid(reason: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Io, format!("the Arrow stream is not valid: {reason}"))
}

fn not_arrow() -> Error {
    Error::new(ErrorKind::InvalidArgument, "the input is not an Arrow IPC stream")
        .with_hint("pyarrow writes one with `pyarrow.ipc.new_stream`")
}

fn truncated() -> Error {
    invalid("it ends within a message")
}

fn cannot_read(error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return truncated();
    }
    Error::new(ErrorKind::Io, format!("cannot read records: {error}")).with_source(io::Error::from(error.kind()))
}
