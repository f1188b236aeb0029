//! The workers of a batch: their instances, and the order of their results.

use std::fs::{self, File};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use wrun::RuntimeKind;

use crate::batch_stuck::WRITES;
use crate::process::{Running, TIMEOUT, full_pipe, wrun};
use crate::vocabulary::{self, file, on_each_engine, run_with};

/// Returns how many instances of a batch of five additions are pooled, and how many are not.
fn pooled(module: &str, options: &[&str]) -> (usize, usize) {
    pooled_of(&[options, &[module, "add"]].concat(), "[1,2]\n", "3\n")
}

/// The same for five equal records that have this result.
fn pooled_of(args: &[&str], record: &str, result: &str) -> (usize, usize) {
    let mut command = vocabulary::wrun();
    command.env("WRUN_LOG", "wrun=trace").args(["batch", "-r", "wasmtime"]).args(args);
    let output = command.write_stdin(record.repeat(5)).output().unwrap();
    assert_eq!(str::from_utf8(&output.stdout).unwrap(), result.repeat(5));
    let log = str::from_utf8(&output.stderr).unwrap();
    (log.matches("is_pooled=true").count(), log.matches("is_pooled=false").count())
}

#[test]
fn wasmtime_pools_the_instances_of_calls() {
    const ADD: &str = "fixtures/add.wasm";
    if !RuntimeKind::Wasmtime.is_available() {
        return;
    }
    for jobs in ["1", "2"] {
        assert_eq!(pooled(ADD, &["--jobs", jobs, "--instance", "per-call"]), (5, 0), "{jobs} jobs");
        let limits = ["--fuel", "1M", "--timeout", "1m", "--memory", "1MiB"];
        let limited = [&["--jobs", jobs, "--instance", "per-call"], &limits[..]].concat();
        assert_eq!(pooled(ADD, &limited), (5, 0), "{jobs} jobs with limits");
    }
    assert_eq!(pooled(ADD, &["--jobs", "1", "--instance", "shared"]), (0, 1));
    let program = ["--jobs", "1", "--abi", "stdio", "fixtures/text/filter.wasm"];
    assert_eq!(pooled_of(&program, "\"a\"\n", "\"A\"\n"), (5, 0), "a program has an instance for each call");
    let large = r#"(module (table 100000 funcref)
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#;
    assert_eq!(pooled(&file(large).path, &["--jobs", "1", "--instance", "per-call"]), (0, 5), "too large for the pool");
}

#[test]
fn unordered_results_do_not_wait_for_a_call_that_blocks() {
    let module = file(WRITES.replace("START", "0"));
    on_each_engine(|engine| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results");
        // The call with 5 blocks until the pipe breaks.
        let (reader, full) = full_pipe();
        let mut command = wrun(&["batch", "-r", engine, "--jobs", "2", "--unordered", &module.path, "write"]);
        let results = Stdio::from(File::create(&path).unwrap());
        let mut running = Running::start(command.stdout(results).stderr(full.try_clone().unwrap()));
        running.write(b"1\n2\n3\n4\n5\n6\n7\n8\n");
        let lines = || {
            let mut lines: Vec<_> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
            lines.sort_unstable();
            lines
        };
        let since = Instant::now();
        while lines() != ["1", "2", "3", "4", "6", "7", "8"] {
            assert!(since.elapsed() < TIMEOUT, "{:?}", lines());
            thread::sleep(Duration::from_millis(5));
        }
        drop(reader);
        running.close();
        assert_eq!(running.end().code, Some(0));
        assert_eq!(lines(), ["1", "2", "3", "4", "5", "6", "7", "8"]);
    });
}

#[test]
fn each_unordered_result_comes_once() {
    on_each_engine(|engine| {
        let records = (0..20_000).map(|number| format!("[{number},0]\n")).collect::<String>();
        let options = ["batch", "-r", engine, "--jobs", "4", "--unordered", "fixtures/add.wasm", "add"];
        let printed = run_with(&options, records);
        let mut numbers: Vec<u32> = printed.stdout.lines().map(|line| line.parse().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(printed.code, 0);
        assert!(numbers.into_iter().eq(0..20_000), "a result is missing or comes twice");
    });
}
