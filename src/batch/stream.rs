//! A batch from one stream to another.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use super::buffer::Buffers;
use super::caller::Caller;
use super::chunk::Part;
use super::counters::{BatchCounters, Recorder};
use super::driven::{Driver, DriverOptions};
use super::format::Formats;
use super::input;
use super::options::BatchOptions;
use super::output;
use super::piece;
use super::pipeline::shared::Pause;
use super::pipeline::threads::{self, Outputs, PipelineOptions};
use super::process::Processor;
use super::processed::{BatchFailure, BatchOutcome, Processed};
use super::report::BatchReport;
use super::stop::Stop;
use super::stuck::{self, OnStuckCall};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::Callable;
use crate::session::{PreparedCode, StuckLimit, Worker};

/// The streams of a batch, its counters and its [`Stop`].
#[non_exhaustive]
pub struct Streams<'a> {
    /// The records.
    pub input: &'a mut (dyn Read + Send),
    /// The results. They are written and flushed as soon as they are there.
    pub output: &'a mut dyn Write,
    /// The errors of records, one JSON object in each line.
    pub errors: Option<&'a mut dyn Write>,
    /// Counters, which other threads can read.
    pub counters: &'a BatchCounters,
    /// Stops the batch.
    pub stop: &'a Stop,
    /// Called if a call is still running long after its time limit (at twice the limit and a second), because a host function
    /// blocks. The results of all earlier records are written, and no call that can end is running. [`run`] returns when the
    /// call does, so this usually ends the process. It can be called from another thread.
    pub on_stuck_call: Option<&'a mut OnStuckCall<'a>>,
}

impl<'a> Streams<'a> {
    /// Streams without one for errors, and without [`Streams::on_stuck_call`].
    pub fn new(
        input: &'a mut (dyn Read + Send),
        output: &'a mut dyn Write,
        counters: &'a BatchCounters,
        stop: &'a Stop,
    ) -> Self {
        Self { input, output, errors: None, counters, stop, on_stuck_call: None }
    }
}

/// Calls a function with each record of a stream, and writes the results to another.
///
/// A thread reads, [`BatchOptions::jobs`] threads call, and the calling thread writes. Memory is bounded: a slow writer or a slow
/// record slows down reading. If the reader of the output is gone ([`io::ErrorKind::BrokenPipe`]), the batch ends with
/// [`BatchOutcome::OutputClosed`]. A record that fails is no error.
///
/// # Errors
/// [`ErrorKind::Io`] if reading or writing fails, with the [`io::Error`] as its source; [`ErrorKind::Timeout`] if a call did not stop
/// at its time limit, see [`Streams::on_stuck_call`]; [`ErrorKind::Internal`] if wrun has a bug.
/// The results of all earlier records are written. [`BatchCounters::report`] counts them.
pub fn run(
    code: &PreparedCode,
    callable: &Callable,
    options: &BatchOptions,
    streams: Streams<'_>,
) -> Result<BatchReport> {
    counted(streams, |mut streams| {
        let formats = Formats::new(callable, options)?;
        let worker_options = options.worker;
        // A batch that cannot start fails before it reads.
        let mut first = Worker::new(code, callable, worker_options);
        let stuck = stuck::limit(code, worker_options.limits);
        start(stuck, &mut streams, || first.start())?;
        let first = Mutex::new(Some(first));
        let caller = || {
            let worker = first.lock().unwrap_or_else(PoisonError::into_inner).take();
            let worker = worker.unwrap_or_else(|| Worker::new(code, callable, worker_options));
            Some(Caller::function(worker, &formats))
        };
        process(&formats, streams, stuck, caller)
    })
}

/// Keeps one instance, applies the operation in each record of a stream to it, as a [`Driver`] does, and writes the answers to
/// another stream.
///
/// # Errors
/// Those of [`run`], [`BatchOptions::check_driven`] and [`Driver::new`].
pub fn run_driven(code: &PreparedCode, options: &BatchOptions, streams: Streams<'_>) -> Result<BatchReport> {
    counted(streams, |mut streams| {
        options.check_driven()?;
        let callable = Callable::none();
        let formats = Formats { callable: &callable, options, layout: OnceLock::new() };
        let stuck = stuck::limit(code, options.worker.limits);
        let driver = start(stuck, &mut streams, || Driver::new(code, DriverOptions::of_batch(options)))?;
        let driver = Mutex::new(Some(driver));
        let caller = || driver.lock().unwrap_or_else(PoisonError::into_inner).take().map(Caller::driver);
        process(&formats, streams, stuck, caller)
    })
}

/// Runs a batch with its counters.
fn counted(
    streams: Streams<'_>,
    run: impl FnOnce(Streams<'_>) -> Result<(BatchOutcome, Option<BatchFailure>)>,
) -> Result<BatchReport> {
    let counters = streams.counters;
    counters.start();
    let ended = run(streams);
    counters.end(ended.as_ref().map_or(BatchOutcome::Failed, |(outcome, _)| *outcome));
    let (_, failure) = ended?;
    Ok(BatchReport { failure, ..counters.report() })
}

/// Creates the first instance.
fn start<T>(stuck: Option<StuckLimit>, streams: &mut Streams<'_>, start: impl FnOnce() -> Result<T>) -> Result<T> {
    let Some(limit) = stuck else { return start() };
    stuck::watch(limit, streams.on_stuck_call.as_deref_mut().map(|call| call as &mut OnStuckCall<'_>), start)
}

/// Processes records with a caller for each worker.
fn process<'a>(
    formats: &'a Formats<'a>,
    streams: Streams<'_>,
    stuck: Option<StuckLimit>,
    caller: impl Fn() -> Option<Caller<'a>> + Sync,
) -> Result<(BatchOutcome, Option<BatchFailure>)> {
    let Streams { input, output, errors, counters, stop, on_stuck_call } = streams;
    let options = formats.options;
    let buffers = Buffers::default();
    let mut source = input::source(formats, input, &buffers);
    let read_error = Mutex::new(None);
    let has_errors = errors.is_some();
    let read = || match source.next_chunk() {
        Ok(chunk) => chunk.map(Part::from),
        Err(error) => {
            *read_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            None
        }
    };
    let worker = || {
        let recorder = options.worker.measure_time.then(|| Recorder::new(counters));
        let mut processor =
            caller().map(|caller| Processor::new(formats, caller, recorder, has_errors, buffers.clone()));
        move |parts: &mut VecDeque<Part>, pause: Pause<'_>| match &mut processor {
            Some(processor) => piece::process(processor, parts, pause),
            None => unreachable!("a driven instance has one worker"),
        }
    };
    let max_time = stuck.map(StuckLimit::max_time);
    let pipeline = PipelineOptions { jobs: options.jobs, ordered: options.ordered, max_time };
    let mut writer = Writer { output, errors, counters, formats, has_begun: false };
    let (outcome, failure) = thread::scope(|scope| {
        let outputs = threads::start(scope, pipeline, read, worker, &stop)?;
        let ended = writer.write_all(&outputs);
        let Some((stuck, position)) = stuck.zip(outputs.end()) else { return ended };
        counters.end(BatchOutcome::Failed);
        if let Some(call) = on_stuck_call {
            call(Some(position + 1), stuck.error());
        }
        Err(stuck.error())
    })?;
    if outcome == BatchOutcome::Completed {
        if let Some(error) = read_error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        if !writer.write(&output::tail(formats))? {
            return Ok((BatchOutcome::OutputClosed, None));
        }
    }
    Ok((outcome, failure))
}

/// Where results and errors go.
struct Writer<'a, 'f> {
    output: &'a mut dyn Write,
    errors: Option<&'a mut dyn Write>,
    counters: &'a BatchCounters,
    formats: &'f Formats<'f>,
    /// Whether the bytes before the first result were written.
    has_begun: bool,
}

impl Writer<'_, '_> {
    /// Writes the output of the workers, to the end.
    fn write_all(&mut self, outputs: &Outputs<'_, Part, Processed>) -> Result<(BatchOutcome, Option<BatchFailure>)> {
        let mut failure: Option<BatchFailure> = None;
        while let Some(batch) = outputs.next() {
            let mut batch = batch.into_iter();
            let Some(mut joined) = batch.next() else { continue };
            for processed in batch {
                joined.append(processed);
            }
            if !self.write(&joined.output)? {
                return Ok((BatchOutcome::OutputClosed, None));
            }
            if let Some(errors) = &mut self.errors {
                errors
                    .write_all(&joined.errors)
                    .and_then(|()| errors.flush())
                    .map_err(|error| unwritable("errors", error))?;
            }
            self.counters.add(&joined.tally);
            failure = BatchFailure::first(failure, joined.failure);
        }
        if failure.is_some() {
            return Ok((BatchOutcome::Failed, failure));
        }
        if let Some(panic) = outputs.take_panic() {
            return Err(Error::of_panic("the batch panicked", panic.as_ref()));
        }
        let outcome = if outputs.has_dropped() { BatchOutcome::Stopped } else { BatchOutcome::Completed };
        Ok((outcome, None))
    }

    /// Writes bytes, after those before the first result. Returns whether the output is still read.
    fn write(&mut self, bytes: &[u8]) -> Result<bool> {
        let head = if std::mem::replace(&mut self.has_begun, true) { Vec::new() } else { output::head(self.formats) };
        if head.is_empty() && bytes.is_empty() {
            return Ok(true);
        }
        let written = self.output.write_all(&head).and_then(|()| self.output.write_all(bytes));
        match written.and_then(|()| self.output.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            written => written.map(|()| true).map_err(|error| unwritable("results", error)),
        }
    }
}

fn unwritable(what: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot write {what}: {error}")).with_source(error)
}
