//! The options of a batch.

use std::num::NonZeroUsize;

use strum::{Display, EnumString, VariantNames};

use crate::session::WorkerOptions;

/// The format of the records that a batch reads.
#[derive(Clone, Copy, Debug, Default, Display, EnumString, VariantNames, PartialEq, Eq)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum BatchInput {
    /// One JSON value in each line: an array of arguments, a bare value for one parameter, or `{"id": …, "args": […]}`.
    #[default]
    Json,
    /// Lines: each is one argument, as text.
    Lines,
    /// As [`BatchInput::Lines`], but records end with a NUL byte.
    Nul,
    /// CSV: each row has the arguments.
    Csv,
    /// MessagePack values of the same shapes as JSON, one after the other.
    Msgpack,
    /// An Arrow IPC stream: each row has the arguments.
    Arrow,
}

/// The format of the results that a batch writes.
#[derive(Clone, Copy, Debug, Default, Display, EnumString, VariantNames, PartialEq, Eq)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum BatchOutput {
    /// One JSON value in each line.
    #[default]
    Json,
    /// Text, one line for each result.
    Text,
    /// CSV with a header.
    Csv,
    /// MessagePack values, one after the other.
    Msgpack,
    /// An Arrow IPC stream.
    Arrow,
    /// The bytes of each result, one after the other.
    Raw,
}

/// The action for a record that fails.
#[derive(Clone, Copy, Debug, Default, Display, EnumString, VariantNames, PartialEq, Eq)]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum OnError {
    /// An error object takes the place of the result.
    #[default]
    Emit,
    /// Nothing takes the place of the result.
    Skip,
    /// The record itself takes the place of the result.
    Pass,
    /// The batch stops. The results of all earlier records are written.
    Fail,
}

/// The options of a batch.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchOptions {
    /// The format of the records.
    pub input: BatchInput,
    /// The format of the results.
    pub output: BatchOutput,
    /// The action for a record that fails.
    pub on_error: OnError,
    /// The number of workers, each with its own instance and thread.
    pub jobs: NonZeroUsize,
    /// Whether results are written in the order of their records.
    pub ordered: bool,
    /// The instances and the limits of each call, and whether the calls are measured for the report.
    pub worker: WorkerOptions,
    /// The maximum length of a record in bytes. A longer one fails.
    pub max_record: usize,
    /// The columns of CSV or Arrow that are the parameters, in order. `None` takes the columns named like the parameters, else all.
    pub columns: Option<Vec<String>>,
    /// Whether the first row of CSV names the columns.
    pub header: bool,
}

impl BatchOptions {
    /// The default of [`BatchOptions::max_record`]: 16 MiB.
    pub const MAX_RECORD: usize = 16 << 20;
}

impl Default for BatchOptions {
    /// JSON in and out, error objects, one worker, input order, shared instances without limits, records of at most 16 MiB.
    fn default() -> Self {
        Self {
            input: BatchInput::default(),
            output: BatchOutput::default(),
            on_error: OnError::default(),
            jobs: NonZeroUsize::MIN,
            ordered: true,
            worker: WorkerOptions::default(),
            max_record: Self::MAX_RECORD,
            columns: None,
            header: true,
        }
    }
}
