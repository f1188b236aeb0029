//! `wrun diff`.

use std::fs;

use serde_json::Value;

use crate::vocabulary::{CALC, file, printed, run, run_with, wrun};

/// A module that keeps what it is given in a memory and a global, and traps on 0.
const KEEPER: &str = r#"(module
  (memory (export "memory") 1 4)
  (global (export "last") (mut i32) (i32.const 0))
  (func (export "keep") (param i32) (result i32)
    (i32.store (i32.const 100) (local.get 0))
    (global.set 0 (local.get 0))
    (i32.div_s (i32.const 100) (local.get 0)))
  (func (export "grow") (result i32) (memory.grow (i32.const 2)))
  (func $down (export "down") (call $down))
  (func (export "forever") (loop (br 0))))"#;

fn report(args: &[&str], stdin: &str) -> (Value, i32) {
    let printed = run_with(args, stdin);
    let report = serde_json::from_str(&printed.stdout);
    (report.unwrap_or_else(|error| panic!("{error}: {printed:?}")), printed.code)
}

#[test]
fn all_variants_agree_on_a_result_a_trap_and_denied_growth() {
    let module = file(KEEPER);
    for (args, key, ending) in [
        (["keep", "7"].as_slice(), "returned", "14"),
        (&["keep", "0"], "failed", "integer_divide_by_zero"),
        (&["grow", "--memory=64KiB"], "returned", "-1"),
        (&["forever", "--fuel=1000"], "failed", "out_of_fuel"),
    ] {
        let (report, code) = report(&[&["diff", "-o", "json", &module.path], args].concat(), "");
        assert_eq!((report["verdict"].as_str(), code), (Some("same"), 0), "{report}");
        for run in report["runs"].as_array().unwrap() {
            assert!(run["ending"][key].to_string().contains(ending), "{run}");
        }
    }
}

#[test]
fn globals_memories_and_fuel_are_observed_on_each_variant() {
    let module = file(KEEPER);
    let (report, _) = report(&["diff", "-o", "json", &module.path, "keep", "5"], "");
    let runs = report["runs"].as_array().unwrap();
    let first = &runs[0];
    assert!(runs.len() >= 3, "{report}");
    for run in runs {
        assert_eq!(run["globals"]["last"], 5);
        assert_eq!(run["memories"]["memory"]["bytes"], 65536);
        assert_eq!(run["memories"]["memory"]["hash"], first["memories"]["memory"]["hash"]);
        assert_eq!(run["fuel_used"], first["fuel_used"]);
        assert!(run["fuel_used"].as_u64() > Some(0));
    }
}

#[test]
fn a_stack_overflow_and_a_timeout_are_inconclusive() {
    let module = file(KEEPER);
    for (args, reason) in [(["down"].as_slice(), "stack overflow"), (&["forever", "--timeout=50ms"], "time limit")] {
        let printed = run(&[&["diff", &module.path], args].concat());
        assert_eq!(printed.code, 2, "{printed:?}");
        assert!(printed.stdout.contains(reason) && printed.stdout.ends_with("inconclusive\n"), "{printed:?}");
    }
}

#[test]
fn the_engine_the_compiler_and_the_level_choose_the_variants() {
    let module = file(CALC);
    let variants = |args: &[&str]| {
        let (report, _) = report(&[&["diff", "-o", "json", &module.path, "zero"], args].concat(), "");
        report["runs"].as_array().unwrap().iter().map(|run| run["variant"].clone()).collect::<Vec<_>>()
    };
    for engine in wrun::RuntimeKind::available() {
        let of_engine = variants(&["-r", engine.as_str()]);
        assert!(of_engine.len() >= 3 && of_engine.iter().all(|variant| variant["runtime"] == engine.as_str()));
    }
    assert!(variants(&["--opt", "none"]).iter().all(|variant| variant["opt"] == "none" || variant["opt"].is_null()));
}

#[test]
fn a_program_gets_the_same_input_each_time_and_changes_only_copies_of_its_directories() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("input.txt"), "hello").unwrap();
    let program = file(WRITER);
    let grant = format!("--dir={}::/data", dir.path().display());
    let (report, code) = report(&["diff", "-o", "json", &grant, &program.path], "abc");
    assert_eq!((report["verdict"].as_str(), code), (Some("same"), 0), "{report}");
    for run in report["runs"].as_array().unwrap() {
        assert_eq!(run["stdout"], "abc");
    }
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["input.txt"]);
}

/// A program that copies 3 bytes of standard input to standard output and to the new file `/data/new`.
const WRITER: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\03\00\00\00")
  (data (i32.const 32) "new")
  (func (export "_start")
    (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 48)) (then unreachable))
    (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 48)) (then unreachable))
    (if (call $open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 3) (i32.const 1) (i64.const 64) (i64.const 0)
        (i32.const 0) (i32.const 52)) (then unreachable))
    (if (call $write (i32.load (i32.const 52)) (i32.const 0) (i32.const 1) (i32.const 48)) (then unreachable))))"#;

#[test]
fn a_repro_repeats_the_comparison() {
    let (module, dir) = (file(KEEPER), tempfile::tempdir().unwrap());
    let repro = dir.path().join("repro");
    let args = ["diff", "--fuel=1_000", "--repro", repro.to_str().unwrap(), &module.path, "keep"];
    let first = run_with(&args, "[9]");
    assert_eq!(first.code, 0, "{first:?}");
    let kept: Value = serde_json::from_slice(&fs::read(repro.join("report.json")).unwrap()).unwrap();
    assert_eq!(kept["verdict"], "same");
    let command = fs::read_to_string(repro.join("command.sh")).unwrap();
    assert!(command.contains("--fuel=1000") && command.contains("module.wasm keep < stdin"), "{command}");
    assert_eq!(fs::read(repro.join("stdin")).unwrap(), b"[9]");
    let again = run_with(&args, "[9]");
    again.fails(2, &["cannot write the directory"]);
}

#[test]
fn mistakes_are_trouble() {
    let module = file(KEEPER);
    run(&["diff", &module.path, "kepe", "1"]).fails(2, &["no function `kepe`", "keep(i32) -> i32"]);
    run(&["diff", &module.path, "keep", "x"]).fails(2, &["argument 1 (i32)"]);
    run(&["diff", "no-such-file.wasm"]).fails(2, &["no such module file"]);
    run(&["diff", &file("(module (func (result i32)))").path]).fails(2, &["type mismatch"]);
    let output = wrun().args(["diff", &module.path, "keep"]).output().unwrap();
    printed(&output).fails(2, &["standard input is empty"]);
}
