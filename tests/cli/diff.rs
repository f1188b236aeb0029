//! `wrun diff`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::vocabulary::{CALC, Command, LIMITED, file, long_output, path_with_wrun, printed, run, run_with, wrun};

/// A module whose function `keep` stores its argument in a memory and a global, and traps if it is 0.
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

/// Asserts that a comparison is inconclusive, and that its report has each of these parts.
#[track_caller]
fn inconclusive(args: &[&str], parts: &[&str]) {
    let printed = run(&[&["diff"], args].concat());
    assert!(printed.code == 2 && printed.stdout.ends_with("inconclusive\n"), "{printed:?}");
    for part in parts {
        assert!(printed.stdout.contains(part), "`{part}` is not in:\n{}", printed.stdout);
    }
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
    let compiled = variants(&["--compiler", "cranelift"]);
    assert!(compiled.len() >= 3 && compiled.iter().all(|variant| variant["compiler"] == "cranelift"), "{compiled:?}");
    assert!(variants(&["--opt", "none"]).iter().all(|variant| variant["opt"] == "none" || variant["opt"].is_null()));
}

#[test]
fn limits_and_the_seed_apply_to_each_run() {
    let module = file(LIMITED);
    let ending = |args: &[&str]| {
        let (report, code) = report(&[&["diff", "-o", "json", &module.path], args].concat(), "");
        assert_eq!((report["verdict"].as_str(), code), (Some("same"), 0), "{report}");
        report["runs"][0]["ending"]["returned"].clone()
    };
    assert_eq!(ending(&["grow"]), 10);
    assert_eq!(ending(&["grow", "--table-elements=50"]), -1);
    assert_eq!(ending(&["deep", "20000", "--stack=64MiB"]), 20000);
    inconclusive(&[&module.path, "deep", "20000", "--stack=64KiB"], &["stack overflow"]);
    let single = run(&["--deterministic=7", &module.path, "random"]);
    assert_eq!(ending(&["random", "--deterministic=7"]).to_string(), single.stdout.trim_end(), "{single:?}");
    assert_ne!(ending(&["random", "--deterministic=7"]), ending(&["random"]));
}

#[test]
fn progress_is_that_of_each_compilation() {
    let module = file(KEEPER);
    let (report, _) = report(&["diff", "-o", "json", &module.path, "grow"], "");
    let printed = run(&["diff", "--progress=always", &module.path, "grow"]);
    let compilations = printed.stderr.lines().filter(|line| line.starts_with("compiling ")).count();
    assert_eq!(compilations, report["runs"].as_array().unwrap().len(), "{printed:?}");
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
    assert!(command.contains("--fuel=1000") && command.contains("--function=keep module.wasm < stdin"), "{command}");
    assert_eq!(fs::read(repro.join("stdin")).unwrap(), b"[9]");
    let again = run_with(&args, "[9]");
    again.fails(2, &["cannot write the directory"]);
}

#[test]
fn the_command_of_a_repro_runs() {
    let dir = tempfile::tempdir().unwrap();
    let repro = dir.path().join("repro");
    let args = ["diff", "--timeout=1.5s", "--memory=20MiB", "--env=OWN", "--env=GIVEN=it's", "--config=greeting=hi"];
    let mut command = wrun();
    command.args(args).arg("--repro").arg(&repro).args(["fixtures/extism/plugin.wasm", "config", "greeting"]);
    let first = printed(&command.env("OWN", "secret").output().unwrap());
    assert_eq!(first.code, 0, "{first:?}");
    let script = fs::read_to_string(repro.join("command.sh")).unwrap();
    assert!(script.contains("--env=OWN ") && !script.contains("secret"), "{script}");
    assert_eq!(fs::metadata(&repro).unwrap().permissions().mode() & 0o777, 0o700);
    let mut script = Command::new(repro.join("command.sh"));
    let again = printed(&script.env("PATH", path_with_wrun()).env("OWN", "secret").output().unwrap());
    assert!(again.code == 0 && again.stdout.ends_with("same\n"), "{again:?}");
}

#[test]
fn a_policy_limits_what_is_compared_and_its_lock_holds() {
    let (module, dir) = (file(KEEPER), tempfile::tempdir().unwrap());
    let path = dir.path().join("policy.toml");
    let own = wrun::RuntimeKind::default();
    let other = wrun::RuntimeKind::ALL.iter().find(|kind| **kind != own).unwrap();
    fs::write(&path, format!("locked = true\nruntime = \"{own}\"\n[limits]\nfuel = 1000\n")).unwrap();
    let policy = path.to_str().unwrap();
    let (found, code) = report(&["diff", "-o", "json", "--policy", policy, &module.path, "keep", "5"], "");
    assert_eq!(code, 0, "{found}");
    let runs = found["runs"].as_array().unwrap();
    assert!(runs.len() >= 3 && runs.iter().all(|run| run["variant"]["runtime"] == own.as_str()), "{found}");
    run(&["diff", "--policy", policy, "-r", other.as_str(), &module.path, "keep", "5"]).fails(2, &["locked"]);
    run(&["diff", "--policy", policy, "--fuel", "2000", &module.path, "keep", "5"]).fails(2, &["locked"]);
}

#[cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime", feature = "wasix"))]
#[test]
fn what_only_some_engines_run_is_inconclusive() {
    let simd = file(r#"(module (func (export "f") (result i32) (i32x4.extract_lane 0 (v128.const i32x4 1 2 3 4))))"#);
    inconclusive(&[&simd.path, "f"], &["the module needs simd"]);
    let gc = file(r#"(module (type (struct)) (func (export "f") (result i32) (ref.is_null (struct.new 0))))"#);
    inconclusive(&[&gc.path, "f"], &["the module needs", "gc"]);
    inconclusive(&["fixtures/wasix/hello.wasm"], &["WASIX"]);
    let only = ["-r", "wasmtime", "--opt", "none", "fixtures/add.wasm", "add", "1", "2"];
    inconclusive(&only, &["there is no other run to compare with"]);
}

#[test]
fn a_reason_of_all_runs_is_said_once() {
    let deep = file(r#"(module (func $f (export "f") (call $f)))"#);
    let printed = run(&["diff", &deep.path, "f"]);
    assert_eq!((printed.code, printed.stdout.matches("stack overflow").count()), (2, 1), "{printed:?}");
    assert!(printed.stdout.contains("\nall: ") && printed.stdout.ends_with("inconclusive\n"), "{printed:?}");
}

#[test]
fn a_grant_that_no_run_can_have_is_an_error() {
    run(&["diff", "fixtures/add.wasm", "add", "1", "2", "--dir", "no such directory"])
        .fails(2, &["cannot grant the directory no such directory"]);
}

#[test]
fn a_call_that_the_host_blocks_ends_the_comparison() {
    let opens = file(include_str!("opens_a_pipe.wat"));
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let dir = format!("{}::/d::ro", folder.path().display());
    run(&["diff", "--timeout", "50ms", "--dir", &dir, &opens.path])
        .fails(2, &["time limit of 50ms", "host function blocks"]);
}

#[test]
fn long_output_is_inconclusive() {
    let program = file(long_output(17));
    inconclusive(&[&program.path], &["wrote more than is compared"]);
}

#[test]
fn text_plug_ins_and_shared_memories_are_compared() {
    let shared = file(
        r#"(module (memory (export "m") 1 1 shared) (func (export "f") (i32.store (i32.const 0) (i32.const 5))))"#,
    );
    for args in [
        ["--abi=packed", "fixtures/text/strings.wasm", "upper", "hello"],
        ["--abi=cstr", "fixtures/text/strings.wasm", "greet", "bob"],
        ["--abi=stdio", "fixtures/text/filter.wasm", "_start", "hello"],
        ["--abi=extism", "fixtures/extism/plugin.wasm", "count_vowels", "hello"],
        ["--abi=extism", "fixtures/extism/plugin.wasm", "fail", "no"],
        ["--fuel=1000", "fixtures/add.wasm", "add", "[1,2]"],
    ] {
        let mut args: Vec<_> = ["diff"].into_iter().chain(args).collect();
        let input = if args.ends_with(&["[1,2]"]) { args.pop().unwrap() } else { "" };
        let printed = run_with(&args, input);
        assert!(printed.code == 0 && printed.stdout.ends_with("same\n"), "{printed:?}");
    }
    let printed = run(&["diff", &shared.path, "f"]);
    assert!(printed.code == 0 && printed.stdout.ends_with("same\n"), "{printed:?}");
}

#[test]
fn mistakes_are_trouble() {
    let module = file(KEEPER);
    run(&["diff", &module.path, "kepe", "1"]).fails(2, &["no function `kepe`", "keep(i32) -> i32"]);
    run(&["diff", &module.path, "keep", "x"]).fails(2, &["argument 1 (i32)"]);
    run(&["diff", "--payload=json", &module.path, "keep", "1"]).fails(2, &["`--payload` needs `--abi`"]);
    run(&["diff", "--config=a=b", &module.path, "keep", "1"]).fails(2, &["--config needs an Extism plug-in"]);
    run(&["diff", "-r", "wasmtime", "--compiler", "singlepass", &module.path, "keep", "1"])
        .fails(2, &["the engine wasmtime"]);
    run(&["diff", "no-such-file.wasm"]).fails(2, &["no such module file"]);
    run(&["diff", &file("(module (func (result i32)))").path]).fails(2, &["type mismatch"]);
    let output = wrun().args(["diff", &module.path, "keep"]).output().unwrap();
    printed(&output).fails(2, &["standard input is empty"]);
}

#[cfg(not(feature = "fuzz"))]
#[test]
fn a_build_that_cannot_generate_modules_says_so() {
    run(&["diff", "--fuzz=1"]).fails(2, &["cannot generate modules", "the cargo feature `fuzz`"]);
}

#[test]
fn what_is_wrong_is_found_before_anything_is_compiled() {
    let module = file("(module (func (export \"f\") (param i32)))");
    let printed = run(&["diff", "-vv", &module.path, "f", "x"]);
    assert!(!printed.stderr.contains("compil"), "{printed:?}");
    printed.fails(2, &["invalid i32"]);
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("greet").display().to_string();
    run(&["diff", &missing, &module.path]).fails(2, &["the module comes first"]);
    let odd = format!("--dir={}:/data", folder.path().display());
    let program = file(
        r#"(module (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32))) (memory (export "memory") 1) (func (export "_start")))"#,
    );
    run(&["diff", &odd, &program.path]).fails(2, &["`::` separates the directory"]);
}
