//! A batch whose guest blocks in a host function ends at its time limit.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::process::{Running, full_pipe, wrun};
use crate::vocabulary::{file, on_each_engine};

/// A module that writes a million bytes to its standard error: in `write` for the argument 5, and in `_initialize` if `START`.
pub(crate) const WRITES: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 17)
  (data (i32.const 8) "\10\00\00\00\40\42\0f\00")
  (func $block (drop (call $fd_write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 0))))
  (func (export "_initialize") (if (i32.const START) (then (call $block))))
  (func (export "write") (param i32) (result i32)
    (if (i32.eq (local.get 0) (i32.const 5)) (then (call $block)))
    (local.get 0)))"#;

/// Runs a batch of the records 1 to 8 whose standard error is full. Returns its results and its metrics.
fn run(engine: &str, module: &str, options: &[&str]) -> (String, Value) {
    let module = file(module);
    let folder = tempfile::tempdir().unwrap();
    let metrics = folder.path().join("metrics");
    let args = ["batch", "-r", engine, "--timeout", "100ms", "--metrics", metrics.to_str().unwrap()];
    let (reader, full) = full_pipe();
    let mut command = wrun(&[&args, options, &[&module.path, "write"]].concat());
    let mut running = Running::start(command.stdout(Stdio::piped()).stderr(full.try_clone().unwrap()));
    running.write(b"1\n2\n3\n4\n5\n6\n7\n8\n");
    let ended = running.end();
    drop(reader);
    assert_eq!(ended.code, Some(124), "{options:?}");
    (String::from_utf8(ended.stdout).unwrap(), serde_json::from_slice(&std::fs::read(metrics).unwrap()).unwrap())
}

#[test]
fn earlier_results_are_written() {
    on_each_engine(|engine| {
        for options in [&["--jobs", "1"][..], &["--jobs", "3"], &["--jobs", "2", "--instance", "per-call"]] {
            let (results, metrics) = run(engine, &WRITES.replace("START", "0"), options);
            assert_eq!(results, "1\n2\n3\n4\n", "{options:?}");
            assert_eq!((&metrics["error"]["kind"], &metrics["record"]), (&json!("timeout"), &json!(5)), "{metrics}");
            assert_eq!(metrics["exit_code"], json!(124));
            let batch = &metrics["batch"];
            assert_eq!((&batch["records"], &batch["outcome"]), (&json!(4), &json!("failed")), "{metrics}");
        }
    });
}

#[test]
fn without_an_order_all_other_calls_that_run_finish() {
    on_each_engine(|engine| {
        let (results, _) = run(engine, &WRITES.replace("START", "0"), &["--jobs", "2", "--unordered"]);
        let mut lines: Vec<_> = results.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["1", "2", "3", "4", "6", "7", "8"]);
    });
}

#[test]
fn a_batch_that_does_not_start_ends() {
    on_each_engine(|engine| {
        let (results, metrics) = run(engine, &WRITES.replace("START", "1"), &[]);
        assert_eq!((results.as_str(), &metrics["error"]["kind"]), ("", &json!("timeout")), "{metrics}");
    });
}
