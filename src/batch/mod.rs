//! Streams of calls: one record in, one result out.
//!
//! [`run`] reads records from a stream, calls a function with each, and writes the results. [`Batch::iter`] and
//! [`Batch::map`] do the same for arguments and results in memory.

#[cfg_attr(not(feature = "arrow"), path = "arrow_disabled.rs")]
mod arrow;
mod buffer;
mod caller;
mod check;
mod chunk;
mod counters;
mod driven;
mod format;
mod id;
mod input;
mod lines;
mod map;
mod options;
mod output;
mod piece;
mod pipeline;
mod process;
mod process_rows;
mod processed;
mod records;
mod report;
mod rows;
mod stop;
mod stream;
mod stuck;
mod usage;

pub use counters::BatchCounters;
pub use driven::{Driver, DriverOptions, Operation};
pub use map::{Batch, BatchArgs, Results};
pub use options::{BatchInput, BatchOptions, BatchOutput, OnError};
pub use processed::{BatchFailure, BatchOutcome};
pub use records::{DecodedRecord, read_records};
pub use report::{BatchReport, CallTimes};
pub use stop::Stop;
pub use stream::{Streams, run, run_driven};
pub use stuck::OnStuckCall;
