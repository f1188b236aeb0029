//! Streams of records, against the loop that one would write without WebAssembly, and against each other.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::num::{NonZeroU32, NonZeroUsize};
use std::thread;

use wrun::batch::{self, BatchCounters, BatchInput, BatchOptions, BatchOutput, Stop, Streams};
use wrun::session::InstanceMode;
use wrun::{RuntimeConfig, RuntimeKind};

use super::turns::{Batches, Case};
use super::{ADD, prepared};

/// A function that takes some time.
const LOOP: &[u8] = br#"(module
  (func (export "count") (param i32 i32) (result i32)
    (loop $again
      (local.set 1 (i32.xor (i32.mul (local.get 1) (i32.const 1664525)) (local.get 0)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1)))"#;

/// Records of a stream.
const RECORDS: u32 = 1_000_000;

/// The records of a stream whose calls take longer.
const SLOW_RECORDS: u32 = 4_000;

fn pairs(count: u32) -> Vec<u8> {
    let mut lines = String::new();
    for number in 0..count {
        writeln!(lines, "[{number},{}]", number.wrapping_mul(7919) % 100_003).expect("a string takes all");
    }
    lines.into_bytes()
}

fn slow_pairs() -> Vec<u8> {
    let mut lines = String::new();
    for number in 0..SLOW_RECORDS {
        writeln!(lines, "[10000,{number}]").expect("a string takes all");
    }
    lines.into_bytes()
}

/// The same sums without WebAssembly: a loop that parses and writes each line with `serde_json`.
fn sum_lines(lines: &[u8], results: &mut Vec<u8>) {
    results.clear();
    let mut line = Vec::new();
    let (mut input, mut output) = (BufReader::new(lines), BufWriter::new(&mut *results));
    while input.read_until(b'\n', &mut line).expect("it is in memory") > 0 {
        let (left, right): (i32, i32) = serde_json::from_slice(&line).expect("it is a pair");
        serde_json::to_writer(&mut output, &left.wrapping_add(right)).expect("it is JSON");
        output.write_all(b"\n").expect("it is in memory");
        line.clear();
    }
    output.flush().expect("it is in memory");
    drop(output);
    black_box(results);
}

fn serde_json_alone(lines: Vec<u8>) -> Box<dyn FnMut()> {
    let mut results = Vec::new();
    Box::new(move || sum_lines(&lines, &mut results))
}

/// The loop on two threads, which share nothing: what two cores can give.
fn serde_json_twice(lines: Vec<u8>) -> Box<dyn FnMut()> {
    let middle = lines.len() / 2;
    let middle = lines[..middle].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut results = (Vec::new(), Vec::new());
    Box::new(move || {
        let (first, second) = lines.split_at(middle);
        thread::scope(|scope| {
            scope.spawn(|| sum_lines(first, &mut results.0));
            sum_lines(second, &mut results.1);
        });
    })
}

/// The same pairs as an Arrow stream.
#[cfg(feature = "arrow")]
fn arrow_pairs(count: u32) -> Vec<u8> {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int32Array, RecordBatch};
    use arrow_ipc::writer::StreamWriter;
    const ROWS: u32 = 10_000;
    let batch = |start: u32| {
        let rows = start..count.min(start + ROWS);
        let left: Int32Array = rows.clone().map(u32::cast_signed).collect();
        let right: Int32Array = rows.map(|number| (number.wrapping_mul(7919) % 100_003).cast_signed()).collect();
        let columns: [(_, ArrayRef); 2] = [("left", Arc::new(left)), ("right", Arc::new(right))];
        RecordBatch::try_from_iter(columns).expect("the columns have the same length")
    };
    let first = batch(0);
    let mut writer = StreamWriter::try_new(Vec::new(), &first.schema()).expect("it is in memory");
    for start in (0..count).step_by(ROWS as usize) {
        writer.write(&batch(start)).expect("it is in memory");
    }
    writer.into_inner().expect("it is in memory")
}

/// A batch of one function.
#[derive(Clone, Copy)]
struct Stream<'a> {
    config: &'a RuntimeConfig,
    function: (&'static [u8], &'static str),
    format: (BatchInput, BatchOutput),
    mode: InstanceMode,
}

impl Stream<'_> {
    fn run(self, records: Vec<u8>, jobs: usize) -> Box<dyn FnMut()> {
        let (binary, function) = self.function;
        let (code, callable) = prepared(self.config, binary, Some(function));
        let mut options = BatchOptions::default();
        options.jobs = NonZeroUsize::new(jobs).expect("there are workers");
        options.worker.instance = self.mode;
        (options.input, options.output) = self.format;
        let mut output = Vec::new();
        Box::new(move || {
            output.clear();
            let (counters, stop) = (BatchCounters::default(), Stop::default());
            let mut input = records.as_slice();
            let streams = Streams::new(&mut input, &mut output, &counters, &stop);
            let report = batch::run(code, callable, &options, streams).expect("nothing fails");
            assert_eq!(report.failed, 0, "every record succeeds");
            black_box(&output);
        })
    }
}

/// Measures streams on each engine.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in RuntimeKind::available() {
        let engine = kind.as_str();
        let config = &RuntimeConfig::new(kind);
        let pooled = &config.clone().with_pooled_instances(NonZeroU32::MIN.saturating_add(1));
        let json = (BatchInput::Json, BatchOutput::Json);
        let add = Stream { config, function: (ADD, "add"), format: json, mode: InstanceMode::Shared };
        let per_call = Stream { config: pooled, mode: InstanceMode::PerCall, ..add };
        let count = Stream { function: (LOOP, "count"), ..add };
        let mut push = |work, variant, run| cases.push(Case { engine, work, variant, run });
        push("add", "serde_json", serde_json_alone(pairs(RECORDS)));
        push("add", "2 threads", serde_json_twice(pairs(RECORDS)));
        push("add", "1 worker", add.run(pairs(RECORDS), 1));
        push("add", "2 workers", add.run(pairs(RECORDS), 2));
        #[cfg(feature = "arrow")]
        {
            let arrow = Stream { format: (BatchInput::Arrow, BatchOutput::Arrow), ..add };
            push("add", "Arrow", arrow.run(arrow_pairs(RECORDS), 1));
        }
        push("add, per call", "1 worker", per_call.run(pairs(RECORDS / 10), 1));
        push("add, per call", "2 workers", per_call.run(pairs(RECORDS / 10), 2));
        push("10,000 rounds", "1 worker", count.run(slow_pairs(), 1));
        push("10,000 rounds", "2 workers", count.run(slow_pairs(), 2));
    }
    cases
}

pub(crate) fn print(cases: &mut [Case], rounds: usize) {
    let batches = Batches::measure(cases, rounds);
    println!("\nStreams, of JSON if not of Arrow: the speed of the first against the second\n");
    println!("| engine | function | | against | ms | ms | speed | of fastest | bound |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let rows = [
        ("add", "2 threads", "serde_json", ""),
        ("add", "1 worker", "serde_json", "0.5"),
        ("add", "2 workers", "1 worker", "1.7"),
        #[cfg(feature = "arrow")]
        ("add", "Arrow", "1 worker", "5"),
        ("add, per call", "2 workers", "1 worker", ""),
        ("10,000 rounds", "2 workers", "1 worker", "1.7"),
    ];
    for kind in RuntimeKind::available() {
        let engine = kind.as_str();
        for (work, variant, other, bound) in rows {
            let get = |variant| batches.get(engine, work, variant).expect("the case was measured");
            let (this, that) = (get(variant), get(other));
            println!(
                "| {engine} | {work} | {variant} | {other} | {:.1} | {:.1} | {:.2}x | {:.2}x | {bound} |",
                this.1 / 1e6,
                that.1 / 1e6,
                that.1 / this.1,
                that.0 / this.0
            );
        }
    }
}
