//! The options, outputs and exit codes of `wrun batch`.

use serde_json::{Value, json};

use crate::vocabulary::{CALC, LIMITED, Printed, file, in_shell, on_each_engine, printed, run, run_with, wrun};

/// Runs `wrun batch` on an engine with these arguments and records.
fn batch(engine: &str, args: &[&str], records: &str) -> Printed {
    run_with(&[&["batch", "-r", engine], args].concat(), records)
}

/// Runs a batch that writes its metrics to a file, and returns them.
fn metrics(engine: &str, args: &[&str], records: &str) -> (Printed, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.json");
    let printed = batch(engine, &[&["--metrics", path.to_str().unwrap()], args].concat(), records);
    (printed, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

#[test]
fn each_record_has_a_result() {
    on_each_engine(|engine| {
        let add = ["fixtures/add.wasm", "add"];
        batch(engine, &add, "[1,2]\n\n{\"id\":7,\"args\":[5,6]}\n[3,4]").prints("3\n{\"id\":7,\"result\":11}\n7\n");
        batch(engine, &add, "").prints("");
        batch(engine, &[&add[..], &["--jobs", "3", "--instance", "per-call"]].concat(), "[1,2]\n[3,4]\n")
            .prints("3\n7\n");
        batch(engine, &["fixtures/add.wasm", "--function=add"], "[1,2]\n").prints("3\n");
        let unordered = batch(engine, &[&add[..], &["--unordered"]].concat(), "[1,2]\n[1,2]\n");
        unordered.prints("3\n3\n");
    });
}

#[test]
fn a_failed_record_makes_the_exit_code_123() {
    let module = file(CALC);
    let records = "[8,2]\n[1,0]\n[9,3]\n";
    let trap =
        r#"{"error":{"kind":"trap","trap":"integer_divide_by_zero","message":"integer divide by zero","record":2}}"#;
    on_each_engine(|engine| {
        for (action, stdout) in
            [("emit", format!("4\n{trap}\n3\n")), ("skip", "4\n3\n".into()), ("pass", "4\n[1,0]\n3\n".into())]
        {
            let printed = batch(engine, &[&module.path, "div", "--on-error", action], records);
            let note = "note: 1 of 3 records failed (trap 1)\n";
            assert_eq!((printed.code, printed.stdout, printed.stderr.as_str()), (123, stdout, note), "{action}");
        }
        let (printed, metrics) = metrics(engine, &[&module.path, "div", "--on-error", "fail"], records);
        assert_eq!((printed.code, printed.stdout.as_str()), (123, "4\n"));
        assert!(printed.stderr.starts_with("error: record 2: integer divide by zero\n"), "{}", printed.stderr);
        let error = &metrics["error"];
        assert_eq!((&error["kind"], &error["trap"]), (&json!("trap"), &json!("integer_divide_by_zero")));
        assert_eq!((&error["function"], &metrics["record"]), (&json!("div"), &json!(2)), "{metrics}");
        assert_eq!((&metrics["exit_code"], &metrics["batch"]["outcome"]), (&json!(123), &json!("failed")));
    });
}

#[test]
fn errors_go_to_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("errors");
    let module = file(CALC);
    on_each_engine(|engine| {
        let args = [&module.path, "div", "--on-error", "skip", "--errors", path.to_str().unwrap()];
        let printed = batch(engine, &args, "[8,2]\nx\n[9,3]\n");
        assert_eq!((printed.code, printed.stdout.as_str()), (123, "4\n3\n"));
        let errors: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!((&errors["error"]["kind"], &errors["error"]["record"]), (&json!("invalid_argument"), &json!(2)));
    });
    let module = ["batch", "fixtures/add.wasm", "add"];
    run(&[&module[..], &["--errors", "/dev/null/x"]].concat()).fails(125, &["cannot create /dev/null/x"]);
    run(&[&module[..], &["--metrics", "/no/such/x"]].concat()).fails(125, &["cannot create /no/such/x"]);
    let path = path.to_str().unwrap();
    run(&[&module[..], &["--metrics", path, "--errors", path]].concat()).fails(2, &["the same file"]);
    let full = run_with(&[&module[..], &["--on-error", "skip", "--errors", "/dev/full"]].concat(), "x\n");
    full.fails(125, &["cannot write errors"]);
}

#[test]
fn metrics_count_records_and_measure_calls() {
    let module = file(CALC);
    on_each_engine(|engine| {
        let args = [&module.path, "div", "--fuel", "1000", "--jobs", "2"];
        let (printed, metrics) = metrics(engine, &args, "[8,2]\n[1,0]\nx\n[9,3]\n");
        assert_eq!(printed.code, 123);
        assert_eq!((&metrics["ok"], &metrics["exit_code"]), (&json!(false), &json!(123)));
        assert_eq!((&metrics["runtime"], &metrics["function"]), (&json!(engine), &json!("div")));
        assert!(metrics.get("error").is_none() && metrics["metrics"]["load_ns"].is_u64(), "{metrics}");
        let batch = &metrics["batch"];
        assert_eq!(
            (&batch["records"], &batch["failed"], &batch["outcome"]),
            (&json!(4), &json!(2), &json!("completed"))
        );
        assert_eq!(batch["errors"], json!({"invalid_argument": 1, "trap": 1}));
        // Two calls of four operators and a function entry each.
        assert_eq!((&batch["fuel_used"], &batch["fuel_max"]), (&json!(8), &json!(4)), "{batch}");
        for field in ["p50", "p95", "p99", "max"] {
            assert!(batch["call_ns"][field].is_u64(), "{batch}");
        }
    });
}

#[test]
fn metrics_can_be_messagepack() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.msgpack");
    run_with(&["batch", "fixtures/add.wasm", "add", "--metrics", path.to_str().unwrap()], "[1,2]\n").prints("3\n");
    let metrics: Value = rmp_serde::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!((&metrics["ok"], &metrics["batch"]["records"]), (&json!(true), &json!(1)));
}

#[test]
fn a_batch_that_cannot_start_fails_like_a_run() {
    let needs = file(r#"(module (import "env" "f" (func)) (func (export "g")))"#);
    let traps = file(r#"(module (func $s unreachable) (start $s) (func (export "g")))"#);
    on_each_engine(|engine| {
        for (args, code, part) in [
            (&["no.wasm", "f"][..], 127, "no such module file"),
            (&["fixtures/add.wasm", "ad"], 127, "did you mean `add`?"),
            (&[&needs.path, "g"], 126, "`env`"),
            (&[&traps.path, "g"], 134, "unreachable"),
            (&["fixtures/add.wasm", "add", "--dir", "/no/such"], 126, "/no/such"),
            (&["fixtures/add.wasm", "add", "-o", "raw", "--on-error", "skip"], 2, "raw"),
            (&["fixtures/add.wasm", "add", "--columns", "a,b"], 2, "columns"),
            (&["fixtures/add.wasm", "add", "--payload", "json"], 2, "`--payload` needs `--abi`"),
            (&["fixtures/add.wasm", "add", "--", "x"], 2, "takes no arguments"),
        ] {
            let (printed, metrics) = metrics(engine, args, "[]\n");
            printed.fails(code, &[part]);
            assert_eq!((&metrics["ok"], &metrics["exit_code"]), (&json!(false), &json!(code)), "{metrics}");
            assert!(metrics["error"]["message"].is_string(), "{metrics}");
        }
    });
    run(&["batch", "fixtures/add.wasm", "add", "--jobs", "0"]).fails(2, &["from 1 to 1024"]);
}

#[test]
fn only_records_come_from_standard_input() {
    for args in [&["-", "add"][..], &["/dev/stdin", "add"]] {
        run_with(&[&["batch"], args].concat(), "[1,2]\n").fails(2, &["the module and the records cannot both"]);
    }
    for policy in ["-", "/dev/stdin"] {
        let printed = run_with(&["batch", "fixtures/add.wasm", "add", "--policy", policy], "[1,2]\n");
        printed.fails(2, &["the policy and the records cannot both"]);
    }
}

#[test]
fn a_policy_and_the_environment_apply() {
    let policy = file("locked = true\n[limits]\nfuel = 5\n");
    let spin = file(r#"(module (func (export "spin") (loop (br 0))))"#);
    on_each_engine(|engine| {
        let args = ["batch", "--policy", &policy.path, &spin.path, "spin"];
        let printed = printed(&wrun().args(args).env("WRUN_RUNTIME", engine).write_stdin("[]\n").output().unwrap());
        assert_eq!(printed.code, 123);
        assert!(printed.stdout.contains(r#""kind":"out_of_fuel""#), "{printed:?}");
        batch(engine, &["--fuel", "6", "--policy", &policy.path, &spin.path, "spin"], "").fails(2, &["locked"]);
    });
}

#[test]
fn fuel_and_time_are_limits_of_each_call() {
    let module = file(
        r#"(module (func (export "count") (param i32) (result i32)
            (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)))"#,
    );
    on_each_engine(|engine| {
        let printed = batch(engine, &[&module.path, "count", "--fuel", "100"], "10\n1000\n10\n10\n10\n");
        let lines: Vec<_> = printed.stdout.lines().collect();
        assert_eq!((printed.code, lines.len()), (123, 5), "{printed:?}");
        assert!(lines[1].contains("out_of_fuel") && [0, 2, 3, 4].iter().all(|line| lines[*line] == "0"), "{printed:?}");
        let printed = batch(engine, &[&module.path, "count", "--timeout", "100ms"], "10\n0\n10\n");
        let lines: Vec<_> = printed.stdout.lines().collect();
        assert!(lines[0] == "0" && lines[1].contains(r#""kind":"timeout""#) && lines[2] == "0", "{printed:?}");
    });
}

#[test]
fn engine_options_and_other_limits_apply_to_each_call() {
    let module = file(LIMITED);
    on_each_engine(|engine| {
        let per_call = |args: &[&str], records: &str| {
            batch(engine, &[&["--instance", "per-call", &module.path], args].concat(), records)
        };
        per_call(&["grow"], "[]\n[]\n").prints("10\n10\n");
        per_call(&["grow", "--table-elements", "50"], "[]\n[]\n").prints("-1\n-1\n");
        per_call(&["deep", "--stack", "64MiB"], "[20000]\n").prints("20000\n");
        let overflow = per_call(&["deep", "--stack", "64KiB"], "[20000]\n");
        assert!(overflow.code == 123 && overflow.stdout.contains("stack_overflow"), "{overflow:?}");
        let single = run(&["-r", engine, "--deterministic=7", &module.path, "random"]);
        per_call(&["random", "--deterministic=7"], "[]\n[]\n").prints(&single.stdout.repeat(2));
    });
}

/// Prints `hi`, and returns the number of bytes that it reads from standard input.
fn talks(wasi: &str) -> String {
    format!(
        r#"(module
        (import "{wasi}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "{wasi}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\03\00\00\00hi\n") (data (i32.const 16) "\40\00\00\00\10\00\00\00")
        (func (export "talk") (param i32) (result i32)
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
            (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 36)))
            (i32.load (i32.const 36))))"#
    )
}

#[test]
fn the_guest_writes_to_standard_error_and_reads_nothing() {
    let module = file(talks("wasi_snapshot_preview1"));
    let check = |engine: &str, path: &str| {
        let printed = batch(engine, &[path, "talk"], "1\n2\n");
        assert_eq!((printed.code, printed.stdout.as_str(), printed.stderr.as_str()), (0, "0\n0\n", "hi\nhi\n"));
    };
    on_each_engine(|engine| check(engine, &module.path));
    if cfg!(feature = "wasix") {
        check("wasmer", &file(talks("wasix_32v1")).path);
    }
}

#[test]
fn explain_shows_the_options_and_runs_nothing() {
    let text = run(&["batch", "no.wasm", "f", "--explain", "--jobs", "3", "--on-error", "skip"]);
    assert_eq!((text.code, text.stderr.as_str()), (0, ""));
    for line in [
        "jobs            3 ",
        "on-error        skip ",
        "instance        shared ",
        "order           that of the records",
    ] {
        assert!(text.stdout.contains(line), "{}", text.stdout);
    }
    let json = run(&["batch", "no.wasm", "f", "--explain", "-o", "json", "--unordered", "--max-record", "1MiB"]);
    let batch = &serde_json::from_str::<Value>(&json.stdout).unwrap()["batch"];
    assert_eq!(batch["ordered"], json!({"value": false, "from": "flag"}));
    assert_eq!(batch["max_record"], json!({"value": 1 << 20, "from": "flag"}));
    assert_eq!(batch["input"], json!({"value": "json", "from": "default"}));
}

#[test]
fn a_summary_is_logged() {
    let printed = run_with(&["batch", "-v", "fixtures/add.wasm", "add"], "[1,2]\nx\n");
    assert!(
        printed.stderr.contains("2 records in ") && printed.stderr.contains("1 failed (invalid_argument 1)"),
        "{printed:?}"
    );
}

#[test]
fn a_note_counts_the_records_that_failed() {
    let args = ["batch", "fixtures/add.wasm", "add", "--on-error", "skip"];
    let note = "2 of 3 records failed (invalid_argument 2)";
    for (options, count) in [(&[][..], 1), (&["-q"], 0), (&["-v"], 0)] {
        let printed = run_with(&[&args, options].concat(), "[1,2]\nx\n[1]\n");
        assert_eq!((printed.code, printed.stdout.as_str()), (123, "3\n"));
        assert_eq!(printed.stderr.matches(note).count(), count, "{options:?}: {printed:?}");
    }
    let fails = run_with(&["batch", "fixtures/add.wasm", "add", "--on-error", "fail"], "x\n");
    assert!(fails.stderr.starts_with("error: record 1: ") && !fails.stderr.contains("note:"), "{fails:?}");
}

#[test]
fn streams_can_be_closed() {
    let line = "batch --no-cache fixtures/add.wasm add";
    printed(&in_shell("exec <&-", line).output().unwrap()).prints("");
    printed(&in_shell("exec >&-", line).write_stdin("[1,2]\n").output().unwrap()).prints("");
    printed(&in_shell("exec 2>&-", line).write_stdin("[1,2]\n").output().unwrap()).prints("3\n");
    let full = printed(&in_shell("exec >/dev/full", line).write_stdin("[1,2]\n").output().unwrap());
    full.fails(125, &["cannot write results"]);
    let folder = printed(&in_shell("exec </", line).output().unwrap());
    folder.fails(125, &["cannot read records"]);
}

#[cfg(not(feature = "arrow"))]
#[test]
fn a_build_without_arrow_says_so() {
    on_each_engine(|engine| {
        for format in ["--input", "--output"] {
            let refused = batch(engine, &[format, "arrow", "fixtures/add.wasm", "add"], "");
            refused.fails(126, &["no Arrow streams (feature `arrow`)"]);
        }
    });
}
