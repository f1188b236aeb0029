//! A batch from one stream to another.

use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::counters::{BatchCounters, BatchReport};
use super::input::Delimited;
use super::options::BatchOptions;
use super::pipeline;
use super::process::Processor;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::Callable;
use crate::session::{PreparedCode, Worker};

/// Records in a chunk at most.
const MAX_RECORDS: usize = 4096;

/// Stops a batch from another thread: no more records are read, the calls that run finish, and their results are written.
#[derive(Debug, Default)]
pub struct Stop {
    requested: AtomicBool,
}

impl Stop {
    /// Asks the batch to stop. A read that waits is not woken.
    pub fn request(&self) {
        self.requested.store(true, Ordering::SeqCst);
    }

    /// Returns whether the batch was asked to stop, or has stopped by itself.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.requested.load(Ordering::SeqCst)
    }
}

/// The streams of a batch, its counters, and what stops it.
#[non_exhaustive]
pub struct Streams<'a> {
    /// The records.
    pub input: &'a mut (dyn Read + Send),
    /// The results.
    pub output: &'a mut dyn Write,
    /// The errors of records, one JSON object in each line.
    pub errors: Option<&'a mut dyn Write>,
    /// Counters, which other threads can read.
    pub counters: &'a BatchCounters,
    /// Stops the batch.
    pub stop: &'a Stop,
}

impl<'a> Streams<'a> {
    /// Streams without one for errors.
    pub fn new(
        input: &'a mut (dyn Read + Send),
        output: &'a mut dyn Write,
        counters: &'a BatchCounters,
        stop: &'a Stop,
    ) -> Self {
        Self { input, output, errors: None, counters, stop }
    }
}

/// Calls a function with each record of a stream, and writes the results to another.
///
/// # Errors
/// [`ErrorKind::Io`] if reading or writing fails, with the [`io::Error`] as its source. A record that fails is no error.
pub fn run(
    code: &PreparedCode,
    callable: &Callable,
    options: &BatchOptions,
    streams: Streams<'_>,
) -> Result<BatchReport> {
    let Streams { input, output, mut errors, counters, stop } = streams;
    let mut source = Delimited::new(input, b'\n', options.max_record);
    let mut read_error = None;
    let mut write_error = None;
    let has_errors = errors.is_some();
    let read = || {
        if stop.is_requested() {
            return None;
        }
        source.next_chunk(MAX_RECORDS).unwrap_or_else(|error| {
            read_error = Some(error);
            None
        })
    };
    let worker = || {
        let worker = Worker::new(code, callable, options.worker);
        let mut processor = Processor { worker, callable, options, counters, has_errors };
        move |chunk| processor.process(&chunk)
    };
    pipeline::run(options.jobs, options.ordered, read, worker, |processed| {
        let written = output.write_all(&processed.output).and_then(|()| match &mut errors {
            Some(errors) => errors.write_all(&processed.errors),
            None => Ok(()),
        });
        write_error = written.err();
        if write_error.is_some() || processed.stop {
            stop.request();
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    let failed = |what: &str, error: io::Error| {
        Err(Error::new(ErrorKind::Io, format!("cannot {what}: {error}")).with_source(error))
    };
    match (read_error, write_error) {
        (_, Some(error)) => failed("write results", error),
        (Some(error), _) => failed("read records", error),
        (None, None) => {
            Ok(BatchReport { records: counters.records(), failed: counters.failed(), ..BatchReport::default() })
        }
    }
}
