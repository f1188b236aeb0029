//! Hints for common mistakes.

use std::fs;

use crate::vocabulary::{CALC, file, on_each_engine, run, run_with};

const ADD: &str = "fixtures/add.wasm";

#[test]
fn a_batch_whose_records_are_no_operations_names_the_functions() {
    let printed = run_with(&["batch", ADD], "1\n[2]\n");
    assert_eq!(printed.code, 123, "{printed:?}");
    let note = "note: without FUNCTION, each record is an operation on one instance; `wrun batch MODULE FUNCTION` calls a \
                function\nexported functions:\n  add(i32, i32) -> i32\n";
    assert_eq!(printed.stderr.matches(note).count(), 1, "{printed:?}");
    let operations = run_with(&["batch", ADD], "1\n{\"call\":\"add\",\"args\":[1,2]}\n");
    assert!(operations.code == 123 && !operations.stderr.contains("without FUNCTION"), "{operations:?}");
    let quiet = run_with(&["batch", "-q", ADD], "1\n");
    assert_eq!(quiet.stderr, "");
}

#[test]
fn arguments_without_their_function_name_the_only_one() {
    run(&[ADD, "5", "3"])
        .fails(127, &["hint: the function comes before its arguments: `wrun fixtures/add.wasm add 5 3`"]);
    let printed = run(&[&file(CALC).path, "5", "3"]);
    assert!(!printed.stderr.contains("comes before its arguments"), "{printed:?}");
}

#[test]
fn a_seed_follows_an_equal_sign() {
    let hint = "hint: the seed for `--deterministic` follows `=`: `--deterministic=SEED`\n";
    let printed = run(&["--deterministic", "5", ADD]);
    printed.fails(127, &[hint]);
    assert_eq!(printed.stderr.matches("hint:").count(), 1, "{printed:?}");
    assert!(!run(&["--deterministic=7", "5", ADD]).stderr.contains("follows `=`"));
}

#[test]
fn help_of_a_subcommand_is_an_option() {
    run(&["help", "batch"]).fails(127, &["use `wrun batch --help`"]);
    run(&["help", "x"]).fails(127, &["`wrun --help` prints the help"]);
}

#[test]
fn a_quiet_usage_error_has_no_tips() {
    assert!(run(&["--metrisc", ADD]).stderr.contains("tip: "));
    for args in [&["-q", "--metrisc", ADD][..], &["inspect", "-q", "--ouptut", "json", ADD]] {
        let printed = run(args);
        assert!(printed.code == 2 && !printed.stderr.contains("tip: "), "{printed:?}");
    }
}

#[test]
fn explain_has_no_envelope() {
    run(&["--explain", "--metrics", ADD]).fails(2, &["'--explain' cannot be used with '--metrics'"]);
}

#[test]
fn rows_of_explain_have_the_same_order_with_and_without_grants() {
    let rows = |args: &[&str]| {
        let printed = run(&[args, &["--explain", ADD]].concat());
        assert_eq!(printed.code, 0, "{printed:?}");
        let names = printed.stdout.lines().map(|line| line.split(' ').next().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(rows(&[]), rows(&["--env", "A=1"]));
    if cfg!(feature = "wasix") {
        assert_eq!(rows(&[]), rows(&["-r", "wasmer", "--net", "dns"]));
    }
    assert_eq!(rows(&[]), rows(&["--dir", "src"]));
}

#[test]
fn help_lists_the_format_of_reports_with_the_other_formats() {
    for subcommand in ["bench", "diff"] {
        let help = run(&[subcommand, "--help"]).stdout;
        let (_, section) = help.split_once("\nInput and output:\n").unwrap();
        let (section, _) = section.split_once("\n\n").unwrap_or((section, ""));
        let rest = help.replace(section, "");
        assert!(section.contains("--output <FORMAT>") && section.contains("--pretty"), "{help}");
        assert!(!rest.contains("--output <FORMAT>") && !rest.contains("--pretty"), "{help}");
    }
}

#[test]
fn a_policy_says_that_a_size_needs_a_unit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    for (line, part) in [("memory = 64", "such as 64MiB"), ("timeout = 1.5", "such as 500ms")] {
        fs::write(&path, format!("[limits]\n{line}\n")).unwrap();
        run(&["--policy", path.to_str().unwrap(), ADD, "add", "1", "2"])
            .fails(2, &["a unit is required", part, "line 2"]);
    }
}

#[test]
fn a_locked_policy_shows_values_as_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    fs::write(&path, "locked = true\nruntime = \"wasmer\"\n[limits]\nmemory = \"64MiB\"\ntimeout = \"1500ms\"\n")
        .unwrap();
    let refused = |args: &[&str], part: &str| {
        run(&[&["--policy", path.to_str().unwrap()], args, &[ADD]].concat()).fails(2, &[part]);
    };
    refused(&["--memory", "65MiB"], "--memory cannot change 67108864 (64 MiB) to 68157440 (65 MiB)");
    refused(&["-r", "wasmtime"], "--runtime cannot change wasmer to wasmtime");
    refused(&["--timeout", "2s"], "--timeout cannot change 1.5s to 2s");
}

/// A program that writes `hi` to standard error and traps.
const COMPLAINS: &str = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\03\00\00\00hi\n")
  (func (export "_start") (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 20))) unreachable))"#;

#[test]
fn a_bench_shows_what_a_failing_guest_wrote_to_standard_error() {
    let module = file(COMPLAINS);
    on_each_engine(|engine| {
        run(&["bench", "-r", engine, "--time=1ms", &module.path])
            .fails(134, &["hint: standard error of the guest:\nhi\n"]);
    });
}

#[test]
fn a_program_that_returns_has_exited_with_0() {
    let module = file("(module (func (export \"_start\")) (func (export \"f\")))");
    let printed = run(&["diff", &module.path]);
    assert!(printed.code == 0 && printed.stdout.contains("  exit 0 "), "{printed:?}");
    assert!(!run(&["diff", &module.path, "f"]).stdout.contains("exit 0"));
}
