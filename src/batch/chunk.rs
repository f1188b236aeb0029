//! A group of records that passes through the pipeline together.

/// Records in the order of the input.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The number of the first record, counted from 1.
    pub(super) first: u64,
    pub(super) records: Records,
}

/// The records of a chunk.
#[derive(Debug)]
pub(super) enum Records {
    /// Byte strings, such as lines without their ends.
    Bytes(ByteRecords),
}

/// Byte strings in one buffer.
#[derive(Debug, Default)]
pub(super) struct ByteRecords {
    pub(super) bytes: Vec<u8>,
    /// Where each record is in `bytes`; `None` for a record longer than the limit.
    pub(super) ranges: Vec<Option<(usize, usize)>>,
}

/// What a worker made of a chunk.
#[derive(Debug, Default)]
pub(super) struct Processed {
    /// Bytes for the output.
    pub(super) output: Vec<u8>,
    /// Bytes for the stream of errors, if there is one.
    pub(super) errors: Vec<u8>,
    /// Whether the batch stops after this chunk.
    pub(super) stop: bool,
}
