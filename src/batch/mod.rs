//! Streams of calls: one record in, one result out.
//!
//! [`run`] reads records from a stream, calls a function with each, and writes the results. [`Batch::iter`] and
//! [`Batch::map`] do the same for arguments and results in memory.

mod chunk;
mod counters;
mod input;
mod map;
mod options;
mod output;
mod pipeline;
mod process;
mod stream;

pub use counters::{BatchCounters, BatchReport};
pub use map::Batch;
pub use options::{BatchInput, BatchOptions, BatchOutput, OnError};
pub use stream::{Stop, Streams, run};
