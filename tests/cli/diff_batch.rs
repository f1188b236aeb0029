//! `wrun diff --batch`.

#[cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
use serde_json::Value;

#[cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
use crate::vocabulary::wrun;
use crate::vocabulary::{CALC, file, run, run_with};

/// Wasmer waits on a memory that is not shared, where the specification demands a trap (docs/engine-differences.md).
#[cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
const WAITS_AT_7: &str = r#"(module
  (memory 1)
  (func (export "f") (param i32) (result i32)
    (if (i32.eq (local.get 0) (i32.const 7))
      (then (return (memory.atomic.wait32 (i32.const 0) (i32.const 1) (i64.const 0)))))
    (local.get 0)))"#;

const ECHO: &str = r#"(module (func (export "f") (param i32) (result i32) (local.get 0)) (func $down (export "down") (param i32)
  (if (local.get 0) (then (call $down (i32.const 1))))))"#;

#[cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#[test]
fn records_that_differ_are_reported() {
    let module = file(WAITS_AT_7);
    let records = "1\n[2]\n\n{\"id\":\"x\",\"args\":[7]}\n7\n";
    let printed = run_with(&["diff", "--batch", "-o", "json", &module.path, "f"], records);
    assert_eq!(printed.code, 1, "{printed:?}");
    let lines: Vec<Value> = printed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0]["record"] == 3 && lines[0]["id"] == "x" && lines[0]["verdict"] == "differ", "{lines:?}");
    assert!(lines[1]["record"] == 4 && lines[1].get("id").is_none(), "{lines:?}");
    assert!(lines[2]["records"] == 4 && lines[2]["same"] == 2 && lines[2]["differ"] == 2, "{lines:?}");

    let text = run_with(&["diff", "--batch", &module.path, "f"], records);
    assert!(text.stdout.starts_with("record 3, id \"x\"\nvariant "), "{text:?}");
    assert!(text.stdout.ends_with("4 records: 2 same, 2 differ, 0 inconclusive\n"), "{text:?}");
}

#[cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#[test]
fn records_and_reports_can_be_messagepack() {
    let module = file(WAITS_AT_7);
    // 1, then {"id": 5, "args": [7]}.
    let mut records = vec![1, 0x82];
    records.extend(b"\xa2id\x05\xa4args\x91\x07");
    let args = ["diff", "--batch", "--input=msgpack", "-o", "json", &module.path, "f"];
    let printed = run_with(&args, records.clone());
    assert_eq!(printed.code, 1, "{printed:?}");
    let lines: Vec<Value> = printed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[0]["record"] == 2 && lines[0]["id"] == 5 && lines[1]["same"] == 1, "{lines:?}");

    let args = ["diff", "--batch", "--input=msgpack", "-o", "msgpack", &module.path, "f"];
    let output = wrun().args(args).write_stdin(records).output().unwrap();
    let mut reports = output.stdout.as_slice();
    let mut next = || rmp_serde::decode::from_read::<_, Value>(&mut reports).unwrap();
    let [record, summary] = [next(), next()];
    assert!(record["id"] == 5 && record["verdict"] == "differ" && summary["records"] == 2, "{record} {summary}");
}

#[test]
fn the_exit_code_is_that_of_the_worst_record() {
    let module = file(ECHO);
    let same = run_with(&["diff", "--batch", &module.path, "f"], "1\n2");
    assert_eq!((same.code, same.stdout.as_str()), (0, "2 records: 2 same, 0 differ, 0 inconclusive\n"));
    let empty = run_with(&["diff", "--batch", &module.path, "f"], "");
    assert_eq!((empty.code, empty.stdout.as_str()), (0, "0 records: 0 same, 0 differ, 0 inconclusive\n"));
    let invalid = run_with(&["diff", "--batch", &module.path, "f"], "1\n[1,2]\n3");
    assert_eq!(invalid.code, 2, "{invalid:?}");
    assert!(invalid.stderr.contains("record 2: ") && invalid.stdout.contains("2 same"), "{invalid:?}");
    let deep = run_with(&["diff", "--batch", &module.path, "down"], "0\n1");
    assert_eq!(deep.code, 2, "{deep:?}");
    assert!(
        deep.stdout.contains("1 inconclusive\n1 stack overflow: engines use the stack differently (record 2)\n"),
        "{deep:?}"
    );
}

#[test]
fn what_contradicts_records_is_refused() {
    let module = file(CALC);
    run(&["diff", "--batch", &module.path, "add", "1", "2"]).fails(2, &["cannot be used with"]);
    run(&["diff", "--batch", &module.path, "add", "--repro=x"]).fails(2, &["cannot be used with"]);
    run(&["diff", "--batch", "-", "add"]).fails(2, &["standard input"]);
}

#[test]
fn a_grant_that_no_run_can_have_is_an_error() {
    run_with(&["diff", "--batch", "--dir", "no such directory", "fixtures/add.wasm", "add"], "[1,2]\n")
        .fails(2, &["cannot grant the directory no such directory"]);
}

#[test]
fn the_first_invalid_record_has_the_signature() {
    let calc = file(CALC);
    let printed = run_with(&["diff", "--batch", &calc.path, "add"], "[1]\n[1,2]\n[2]\n");
    assert_eq!(
        (printed.code, printed.stderr.matches("hint: signature: add(i32, i32) -> i32").count()),
        (2, 1),
        "{printed:?}"
    );
    assert!(printed.stderr.contains("record 1: ") && printed.stderr.contains("record 3: "), "{printed:?}");
    let one = run_with(&["diff", "--batch", &calc.path, "add"], "[1,2]\n");
    assert_eq!(one.stdout, "1 record: 1 same, 0 differ, 0 inconclusive\n");
}
