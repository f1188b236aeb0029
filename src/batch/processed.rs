//! The output of a worker for some records.

use serde::Serialize;

use super::buffer::Buffer;
use super::pipeline::schedule::PieceOutput;
use crate::error::{Error, ErrorKind};

/// Results and errors as bytes, with their number.
#[derive(Debug)]
pub(super) struct Processed {
    /// Bytes for the output.
    pub(super) output: Buffer,
    /// Bytes for the stream of errors, if there is one.
    pub(super) errors: Vec<u8>,
    pub(super) tally: Tally,
    /// The record that ends the batch, with [`OnError::Fail`](super::options::OnError::Fail).
    pub(super) failure: Option<BatchFailure>,
}

/// The record that ended a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchFailure {
    /// Its number, counted from 1.
    pub record: u64,
    /// Why it failed.
    pub error: Error,
}

impl BatchFailure {
    /// Returns the failure of the first record.
    pub(super) fn first(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        one.into_iter().chain(other).min_by_key(|failure| failure.record)
    }
}

/// How many records succeeded and failed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    succeeded: u64,
    failed: Vec<ErrorKind>,
}

impl Tally {
    /// Counts records that have results.
    pub(super) fn succeeded(&mut self, records: u64) {
        self.succeeded += records;
    }

    /// Counts a record that failed.
    pub(super) fn failed(&mut self, kind: ErrorKind) {
        self.failed.push(kind);
    }

    /// Returns the number of records.
    pub(super) fn records(&self) -> u64 {
        self.succeeded + self.failed.len() as u64
    }

    /// Returns the kinds of the errors of records that failed.
    pub(super) fn failures(&self) -> &[ErrorKind] {
        &self.failed
    }
}

/// The length of a [`Processed`], to remove incomplete output after a panic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    output: usize,
    errors: usize,
    /// The number of results that the encoder holds back.
    pub(super) pending: usize,
    succeeded: u64,
    failed: usize,
}

impl Processed {
    /// No results yet, and a buffer for them.
    pub(super) fn new(output: Buffer) -> Self {
        Self { output, errors: Vec::new(), tally: Tally::default(), failure: None }
    }

    pub(super) fn mark(&self, pending: usize) -> Mark {
        let Self { output, errors, tally: Tally { succeeded, failed }, .. } = self;
        let (output, errors, failed) = (output.len(), errors.len(), failed.len());
        Mark { output, errors, pending, succeeded: *succeeded, failed }
    }

    /// Appends the next outputs.
    pub(super) fn append(&mut self, mut next: Self) {
        self.output.append(&mut next.output);
        self.errors.append(&mut next.errors);
        self.tally.succeeded += next.tally.succeeded;
        self.tally.failed.append(&mut next.tally.failed);
        self.failure = BatchFailure::first(self.failure.take(), next.failure);
    }

    pub(super) fn truncate(&mut self, mark: Mark) {
        self.output.truncate(mark.output);
        self.errors.truncate(mark.errors);
        self.tally.succeeded = mark.succeeded;
        self.tally.failed.truncate(mark.failed);
        self.failure = None;
    }
}

impl PieceOutput for Processed {
    fn bytes(&self) -> usize {
        self.output.capacity() + self.errors.capacity() + self.tally.failed.capacity()
    }

    fn is_last(&self) -> bool {
        self.failure.is_some()
    }
}

/// How a batch ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BatchOutcome {
    /// It still runs.
    #[default]
    Running,
    /// All records were processed.
    Completed,
    /// [`Stop::request`](super::Stop::request) ended it before the end of the input.
    Stopped,
    /// The reader of the output has gone away.
    OutputClosed,
    /// A record failed, with [`OnError::Fail`](super::OnError::Fail); or reading or writing did.
    Failed,
}
