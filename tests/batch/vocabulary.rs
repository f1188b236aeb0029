//! Helpers for the cases.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender};

use wrun::batch::{self, BatchCounters, BatchOptions, BatchReport, Stop, Streams};
use wrun::engine::features;
use wrun::session::{InstanceOptions, PreparedCode, Session};
use wrun::{
    Callable, Compiler, FuncType, HostError, HostImports, Limits, Result, RuntimeConfig, RuntimeKind, ValType, Value,
};

/// Calls the host with its argument.
const GUEST: &str = r#"
(module
  (import "host" "work" (func $work (param i32) (result i32)))
  (global $calls (mut i32) (i32.const 0))
  (func (export "work") (param i32) (result i32) (call $work (local.get 0)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  ;; Counts the calls of the instance.
  (func (export "count") (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (drop (call $work (local.get 0)))
    (global.get $calls)))"#;

/// A function that is ready to be called.
pub(crate) struct Guest {
    pub(crate) code: PreparedCode,
    pub(crate) callable: Callable,
}

/// The host function that a guest calls with a number.
pub(crate) type Work = Box<dyn Fn(i32) -> Result<i32, HostError> + Send + Sync>;

impl Guest {
    pub(crate) fn new(config: &RuntimeConfig, function: &str, work: Work) -> Self {
        let ty = FuncType::new(vec![ValType::I32], vec![ValType::I32]);
        let mut options = InstanceOptions::default();
        options.imports = HostImports::none().with_function("host", "work", ty, move |_, args| match args {
            [Value::I32(number)] => Ok(vec![Value::I32(work(*number)?)]),
            other => panic!("{other:?}"),
        });
        let session = Session::open(config, GUEST.as_bytes(), None).unwrap();
        let callable = session.function(function).unwrap();
        let code = session.prepare(options, &|_| {}).unwrap();
        Self { code, callable }
    }

    /// Runs a batch without a stream of errors and without a stop.
    pub(crate) fn run(
        &self,
        options: &BatchOptions,
        input: &mut (dyn Read + Send),
        output: &mut dyn Write,
    ) -> Result<BatchReport> {
        self.run_until(options, input, output, &Stop::default())
    }

    pub(crate) fn run_until(
        &self,
        options: &BatchOptions,
        input: &mut (dyn Read + Send),
        output: &mut dyn Write,
        stop: &Stop,
    ) -> Result<BatchReport> {
        let counters = BatchCounters::default();
        batch::run(&self.code, &self.callable, options, Streams::new(input, output, &counters, stop))
    }

    /// Returns the lines of the output of a batch.
    #[track_caller]
    pub(crate) fn lines(&self, options: &BatchOptions, input: &str) -> (BatchReport, Vec<String>) {
        let mut output = Vec::new();
        let report = self.run(options, &mut input.as_bytes(), &mut output).unwrap();
        (report, lines(&output))
    }
}

pub(crate) fn lines(output: &[u8]) -> Vec<String> {
    str::from_utf8(output).unwrap().lines().map(str::to_owned).collect()
}

/// Returns twice the number.
pub(crate) fn twice() -> Work {
    Box::new(|number| Ok(2 * number))
}

pub(crate) fn jobs(jobs: usize) -> BatchOptions {
    let mut options = BatchOptions::default();
    options.jobs = NonZeroUsize::new(jobs).unwrap();
    options
}

/// Runs a case on every engine and compiler.
pub(crate) fn on_each(case: impl Fn(&RuntimeConfig)) {
    for (kind, compiler) in features::combinations().filter(|(kind, _)| kind.is_available()) {
        case(&config(kind, compiler));
    }
}

/// Runs a case on one engine, for code that does not depend on the engine.
pub(crate) fn on_one(case: impl Fn(&RuntimeConfig)) {
    let (kind, compiler) = features::combinations().find(|(kind, _)| kind.is_available()).unwrap();
    case(&config(kind, compiler));
}

fn config(kind: RuntimeKind, compiler: Compiler) -> RuntimeConfig {
    RuntimeConfig::new(kind).with_compiler(compiler)
}

pub(crate) fn limits_of(fuel: u64) -> Limits {
    Limits::none().with_fuel(fuel)
}

/// Gives each block of bytes to one read.
pub(crate) struct Blocks(pub(crate) VecDeque<Vec<u8>>);

impl Blocks {
    pub(crate) fn new<T: Into<Vec<u8>>>(blocks: impl IntoIterator<Item = T>) -> Self {
        Self(blocks.into_iter().map(Into::into).collect())
    }
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(block) = self.0.front_mut() else { return Ok(0) };
        let read = block.as_slice().read(buffer)?;
        block.drain(..read);
        if block.is_empty() {
            self.0.pop_front();
        }
        Ok(read)
    }
}

/// Gives the blocks that a channel sends, and waits for them.
pub(crate) struct Feed {
    blocks: Receiver<Vec<u8>>,
    rest: Blocks,
}

impl Feed {
    pub(crate) fn new(blocks: Receiver<Vec<u8>>) -> Self {
        Self { blocks, rest: Blocks(VecDeque::new()) }
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.0.is_empty() {
            self.rest.0.extend(self.blocks.recv());
        }
        self.rest.read(buffer)
    }
}

/// Sends each line of the output.
pub(crate) struct Lines {
    pub(crate) lines: Sender<String>,
    rest: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(lines: Sender<String>) -> Self {
        Self { lines, rest: Vec::new() }
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8(self.rest.drain(..=end).collect()).unwrap();
            // A receiver that is gone has seen enough.
            let _ = self.lines.send(line.trim_end().to_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An output that breaks after some lines.
pub(crate) struct Breaking {
    pub(crate) written: Vec<u8>,
    pub(crate) room: usize,
    pub(crate) kind: io::ErrorKind,
}

impl Breaking {
    pub(crate) fn after(room: usize, kind: io::ErrorKind) -> Self {
        Self { written: Vec::new(), room, kind }
    }
}

impl Write for Breaking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        if taken == 0 {
            return Err(self.kind.into());
        }
        self.room -= taken;
        self.written.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
