use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use wrun::batch::{BatchInput, BatchOutput, OnError};
use wrun::session::InstanceMode;

use super::{FORMAT_HEADING, variant};
use crate::cli::argv;
use crate::cli::parse_values::parse_size;

#[derive(Args, Debug)]
#[command(next_help_heading = FORMAT_HEADING)]
pub(crate) struct RecordArgs {
    /// Format of the records [default: json]
    #[arg(long, value_name = "FORMAT", value_parser = variant::<BatchInput>())]
    pub(crate) input: Option<BatchInput>,
    /// Format of the results [default: json]
    #[arg(short, long, value_name = "FORMAT", value_parser = variant::<BatchOutput>())]
    pub(crate) output: Option<BatchOutput>,
    /// Columns of the arguments, by name, or by position from 1 with --no-header [default: by the names of the parameters, else all columns in order]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_parser = argv::text())]
    pub(crate) columns: Option<Vec<String>>,
    /// Treat the first row of CSV as a record
    #[arg(long)]
    pub(crate) no_header: bool,
    /// Maximum length of a record [default: 16MiB]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = argv::text_for(parse_size))]
    pub(crate) max_record: Option<u64>,
    /// Write the metrics of the batch to a file, as MessagePack if its name ends in `.msgpack`, else as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = argv::path())]
    pub(crate) metrics: Option<PathBuf>,
    /// Print the engine, limits, grants and options in force, and where each comes from; run nothing
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Records")]
pub(crate) struct CallArgs {
    /// What to write if a record fails: an error, nothing, or the record itself; `fail` stops the batch [default: emit]
    #[arg(long, value_name = "ACTION", value_parser = variant::<OnError>())]
    pub(crate) on_error: Option<OnError>,
    /// Write the errors of records to a file, as one JSON object per line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = argv::path())]
    pub(crate) errors: Option<PathBuf>,
    /// Number of records processed at a time [default: number of available cores]
    #[arg(long, value_name = "N", value_parser = argv::text_for(parse_jobs))]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Run all calls of a job in one instance, or each call in a new one [default: shared]
    #[arg(long, value_name = "MODE", value_parser = variant::<InstanceMode>())]
    pub(crate) instance: Option<InstanceMode>,
    /// Write each result as soon as its call ends, not in input order
    #[arg(long)]
    pub(crate) unordered: bool,
}

/// The most jobs: each is a thread.
const MAX_JOBS: usize = 1024;

fn parse_jobs(text: &str) -> Result<NonZeroUsize, String> {
    let jobs: NonZeroUsize = text.parse().map_err(|_| format!("expected a number from 1 to {MAX_JOBS}"))?;
    if jobs.get() > MAX_JOBS { Err(format!("at most {MAX_JOBS}")) } else { Ok(jobs) }
}
