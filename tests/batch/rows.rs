//! Calls for many records with one entry into guest code, against the same calls one by one.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use wrun::batch::{self, BatchCounters, BatchInput, BatchOptions, BatchOutput, BatchReport, OnError, Stop, Streams};
use wrun::engine::features::Feature;
use wrun::session::{InstanceOptions, Session};
use wrun::{ErrorKind, FuncType, HostError, HostImports, Limits, RuntimeConfig, ValType, Value};

use crate::formats::{formats, function};
use crate::vocabulary::{Guest, jobs, lines, on_each};

/// More records than are called one by one before a worker calls for many at a time.
const RECORDS: usize = 60_000;

const GUEST: &str = r#"(module
  (global $calls (mut i32) (i32.const 0))
  (func (export "divide") (param i32 i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.add (global.get $calls) (i32.div_s (local.get 0) (local.get 1))))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (i32.eq (i32.rem_u (local.get 0) (i32.const 9973)) (i32.const 7))
      (then (i32.add (call $deep (local.get 0)) (i32.const 1)))
      (else (local.get 0))))
  (memory 1)
  (func (export "grow") (param i32) (result i32)
    (if (i32.eqz (i32.rem_u (local.get 0) (i32.const 1000))) (then
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))))
    (memory.size))
  (func (export "two") (param i64 f32) (result f32) (f32.add (local.get 1) (f32.convert_i64_s (local.get 0)))))"#;

/// The results and errors that a batch has written, and its report.
type Written = (String, String, BatchReport);

fn written(guest: &Guest, options: &BatchOptions, input: &[u8]) -> Written {
    let (mut input, mut output, mut errors) = (input, Vec::new(), Vec::new());
    let (counters, stop) = (BatchCounters::default(), Stop::default());
    let mut streams = Streams::new(&mut input, &mut output, &counters, &stop);
    streams.errors = Some(&mut errors);
    let report = batch::run(&guest.code, &guest.callable, options, streams).unwrap();
    (output.escape_ascii().to_string(), String::from_utf8(errors).unwrap(), report)
}

/// Checks that a batch writes the same if its calls are measured, and so made one by one.
#[track_caller]
fn assert_same_both_ways(config: &RuntimeConfig, name: &str, options: &BatchOptions, input: &str) -> BatchReport {
    let run = |measure: bool| {
        let guest = function(config, GUEST.as_bytes(), name);
        let mut options = options.clone();
        options.worker.measure_time = measure;
        let written = written(&guest, &options, input.as_bytes());
        (written, guest.code.runtime().metrics())
    };
    let ((output, errors, report), metrics) = run(false);
    let ((expected, expected_errors, expected_report), expected_metrics) = run(true);
    assert_eq!((metrics.modules_compiled, expected_metrics.modules_compiled), (2, 1), "the loop is compiled");
    assert_eq!((metrics.calls, metrics.traps), (expected_metrics.calls, expected_metrics.traps));
    assert!(output == expected, "the results differ");
    assert!(errors == expected_errors, "the errors differ");
    assert_eq!((report.records, report.failed), (expected_report.records, expected_report.failed));
    report
}

/// Records of which some are invalid, trap or have ids.
fn mixed_json() -> String {
    let mut input = String::new();
    for number in 0..RECORDS {
        match number % 1009 {
            0 | 1 => writeln!(input, "[{number}"),
            2 => writeln!(input, "[{number},0]"),
            3 | 4 => writeln!(input, "{{\"id\":{number},\"args\":[{number},7]}}"),
            5 => writeln!(input, "{{\"id\":{number},\"args\":[{number}]}}"),
            6 => writeln!(input, "[\"x\",1]"),
            7 => writeln!(input, "{{\"id\":\"trap\",\"args\":[{number},0]}}"),
            _ => writeln!(input, "[{number},3]"),
        }
        .unwrap();
    }
    input
}

#[test]
fn records_that_fail_do_so_in_order_for_every_action() {
    on_each(|config| {
        for on_error in [OnError::Emit, OnError::Skip, OnError::Pass] {
            let mut options = jobs(1);
            options.on_error = on_error;
            let report = assert_same_both_ways(config, "divide", &options, &mixed_json());
            assert_eq!(report.records, RECORDS as u64);
            assert!(report.failed > 300);
        }
    });
}

#[test]
fn a_record_that_ends_the_batch_is_the_last_one_called() {
    on_each(|config| {
        let mut options = jobs(1);
        options.on_error = OnError::Fail;
        for (last, error) in [("[1,0]", "trap"), ("[1]", "invalid_argument"), ("{\"id\":1,\"args\":[2,0]}", "trap")] {
            let input = "[7,2]\n".repeat(45_678) + last + "\n" + &"[7,2]\n".repeat(1000);
            let report = assert_same_both_ways(config, "divide", &options, &input);
            let failure = report.failure.expect("a record fails");
            assert_eq!((failure.record, failure.error.kind().as_str()), (45_679, error));
        }
    });
}

#[test]
fn every_format_has_the_same_results() {
    on_each(|config| {
        let rows: String = (0..RECORDS).map(|n| format!("{n},{}.5\n", n % 99)).collect();
        let csv = format!("id,b,a\n{}", (0..RECORDS).map(|n| format!("k{n},{}.25,{n}\n", n % 99)).collect::<String>());
        let json: String = (0..RECORDS).map(|n| format!("[{n},{}.5]\n", n % 99)).collect();
        for output in [BatchOutput::Json, BatchOutput::Text, BatchOutput::Csv, BatchOutput::Msgpack] {
            assert_same_both_ways(config, "two", &formats(BatchInput::Json, output), &json);
            let mut options = formats(BatchInput::Csv, output);
            options.header = false;
            assert_same_both_ways(config, "two", &options, &rows);
            options.header = true;
            options.columns = Some(vec!["a".to_owned(), "b".to_owned()]);
            assert_same_both_ways(config, "two", &options, &csv);
        }
    });
}

#[test]
fn several_workers_keep_the_order() {
    on_each(|config| {
        let input: String = (0..4 * RECORDS).map(|n| format!("[{n},{}.5]\n", n % 99)).collect();
        assert_same_both_ways(config, "two", &jobs(1), &input);
        let run = |measure: bool| {
            let mut options = jobs(3);
            options.worker.measure_time = measure;
            let guest = function(config, GUEST.as_bytes(), "two");
            let (output, ..) = written(&guest, &options, input.as_bytes());
            (output, guest.code.runtime().metrics().modules_compiled)
        };
        let ((output, modules), (expected, _)) = (run(false), run(true));
        assert!(output == expected);
        assert!(modules > 1, "the loop is compiled");
    });
}

#[test]
fn a_host_function_that_fails_exits_or_panics_ends_its_own_call() {
    on_each(|config| {
        let run = |measure: bool| {
            let work = Box::new(|number: i32| match number {
                30_000 => Err(HostError::from("the host fails")),
                40_000 => Err(wrun::Exit(7).into()),
                50_000 => panic!("the host panics"),
                _ => Ok(number),
            });
            let guest = Guest::new(config, "count", work);
            let mut options = jobs(1);
            options.worker.measure_time = measure;
            let input: String = (0..RECORDS).map(|n| format!("{n}\n")).collect();
            let mut output = Vec::new();
            let report = guest.run(&options, &mut input.as_bytes(), &mut output).unwrap();
            (lines(&output), report.failed)
        };
        let ((results, failed), (expected, _)) = (run(false), run(true));
        assert_eq!(failed, 3);
        assert_eq!(results[29_999..30_002], expected[29_999..30_002]);
        assert!(results == expected);
        assert_eq!(results[50_001], "1", "a new instance");
    });
}

#[test]
fn a_stack_overflow_ends_its_own_call() {
    on_each(|config| {
        let input: String = (0..RECORDS).map(|n| format!("{n}\n")).collect();
        let report = assert_same_both_ways(config, "deep", &jobs(1), &input);
        assert_eq!(report.failed, 7);
    });
}

#[test]
fn limits_on_memory_and_tables_hold_and_the_loop_does_not_count() {
    on_each(|config| {
        let mut options = jobs(1);
        options.worker.limits = Limits::none().with_memory(40 << 16).with_table_elements(0);
        let input: String = (0..RECORDS).map(|n| format!("{n}\n")).collect();
        let report = assert_same_both_ways(config, "grow", &options, &input);
        assert_eq!(report.failed, 1, "the page after the limit");
        options.worker.limits = Limits::none().with_memory(1 << 16);
        let report = assert_same_both_ways(config, "grow", &options, &input);
        assert_eq!(report.failed, RECORDS as u64 / 1000);
    });
}

#[test]
fn a_trap_is_not_explained_by_the_growth_that_an_earlier_record_was_denied() {
    const GUEST: &[u8] = br#"(module (memory 1)
      (func (export "grow") (param i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const 30001)) (then unreachable))
        (if (result i32) (i32.eq (local.get 0) (i32.const 30000))
          (then (memory.grow (i32.const 1)))
          (else (i32.const 0)))))"#;
    on_each(|config| {
        let mut options = jobs(1);
        options.on_error = OnError::Fail;
        options.worker.limits = Limits::none().with_memory(1 << 16);
        let input: String = (0..RECORDS).map(|n| format!("{n}\n")).collect();
        let guest = function(config, GUEST, "grow");
        let (report, results) = guest.lines(&options, &input);
        assert_eq!(results[30_000], "-1", "the growth is denied");
        let failure = report.failure.expect("a record traps");
        assert_eq!((failure.record, failure.error.kind()), (30_002, ErrorKind::Trap));
        assert_eq!(failure.error.limit_exceeded(), None);
        assert_eq!(guest.code.runtime().metrics().modules_compiled, 2);
    });
}

#[test]
fn an_exception_ends_its_own_call() {
    const GUEST: &[u8] = br#"(module
      (tag $odd (param i32))
      (func (export "throw") (param i32) (result i32)
        (if (i32.eq (i32.rem_u (local.get 0) (i32.const 9973)) (i32.const 7)) (then (throw $odd (local.get 0))))
        (local.get 0)))"#;
    on_each(|config| {
        if !Feature::Exceptions.is_supported(config.kind, config.effective_compiler()) {
            return;
        }
        let input: String = (0..RECORDS).map(|n| format!("{n}\n")).collect();
        let run = |measure: bool| {
            let mut options = jobs(1);
            options.worker.measure_time = measure;
            let (output, _, report) = written(&function(config, GUEST, "throw"), &options, input.as_bytes());
            assert_eq!(report.failed, 7);
            output
        };
        assert!(run(false) == run(true));
    });
}

#[test]
fn an_imported_function_that_is_exported_is_called() {
    on_each(|config| {
        // The engines pass the arguments of few parameters in another way than those of many.
        for params in [1, 6] {
            let ty = FuncType::new(vec![ValType::I32; params], vec![ValType::I32]);
            let mut options = InstanceOptions::default();
            options.imports = HostImports::none().with_function("host", "last", ty, |_, args| match args.last() {
                Some(Value::I32(30_000)) => Err(HostError::from("the host fails")),
                Some(last) => Ok(vec![*last]),
                None => panic!("no arguments"),
            });
            let module = format!(
                r#"(module (import "host" "last" (func $last (param {}) (result i32))) (export "last" (func $last)))"#,
                "i32 ".repeat(params)
            );
            let session = Session::open(config, module.as_bytes(), None).unwrap();
            let callable = session.function("last").unwrap();
            let guest = Guest { code: session.prepare(options, &|_| {}).unwrap(), callable };
            let input: String = (0..RECORDS).map(|n| format!("[{}{n}]\n", "1,".repeat(params - 1))).collect();
            let (report, results) = guest.lines(&jobs(1), &input);
            assert_eq!((report.failed, guest.code.runtime().metrics().modules_compiled), (1, 2));
            for (number, result) in results.iter().enumerate().filter(|(number, _)| *number != 30_000) {
                assert_eq!(*result, number.to_string());
            }
        }
    });
}

/// Counts the lines of each write.
#[derive(Default)]
struct LinesOfWrites(Vec<usize>);

impl Write for LinesOfWrites {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(lines(bytes).len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_loop_is_compiled_once() {
    on_each(|config| {
        let guest = Guest::new(config, "work", Box::new(Ok));
        let input: String = (0..40_000).map(|n| format!("{n}\n")).collect();
        for _ in 0..2 {
            let mut output = Vec::new();
            guest.run(&jobs(2), &mut input.as_bytes(), &mut output).unwrap();
            assert_eq!(output, input.as_bytes());
        }
        assert_eq!(guest.code.runtime().metrics().modules_compiled, 2);
    });
}

#[test]
fn results_of_slow_calls_come_a_few_at_a_time_after_those_of_fast_ones() {
    on_each(|config| {
        // The first calls are fast, so hundreds are made at a time. Then each takes a millisecond.
        let work = Box::new(|number: i32| {
            if number >= 40_000 {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(number)
        });
        let guest = Guest::new(config, "work", work);
        let input: String = (0..41_200).map(|n| format!("{n}\n")).collect();
        let mut writes = LinesOfWrites::default();
        guest.run(&jobs(1), &mut input.as_bytes(), &mut writes).unwrap();
        assert_eq!(writes.0.iter().sum::<usize>(), 41_200);
        let largest = writes.0.iter().rev().take(10).max();
        assert!(largest < Some(&50), "the last writes have these numbers of results: {:?}", writes.0);
        assert_eq!(guest.code.runtime().metrics().modules_compiled, 2);
    });
}
