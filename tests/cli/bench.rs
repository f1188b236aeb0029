//! `wrun bench`. Nothing here depends on how fast the machine is.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::vocabulary::{CALC, Printed, file, run, run_with};

/// A module that uses memory and fuel, traps, and never ends.
const WORKER: &str = r#"(module
  (memory (export "memory") 1 4)
  (func (export "work") (param i32) (result i32)
    (drop (memory.grow (i32.const 1)))
    (i32.div_s (i32.const 100) (local.get 0)))
  (func (export "forever") (loop (br 0))))"#;

/// A program that copies standard input to standard output, and exits with 3 if there is none.
const COPIER: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 64))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (if (i32.eqz (i32.load (i32.const 8))) (then (call $exit (i32.const 3))))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

/// Measures briefly.
fn bench(args: &[&str]) -> Printed {
    run(&[&["bench", "--time=20ms"], args].concat())
}

#[track_caller]
fn report(printed: &Printed) -> Value {
    serde_json::from_str(&printed.stdout).unwrap_or_else(|error| panic!("{error}: {printed:?}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn names(phases: &Value) -> Vec<&str> {
    list(phases).iter().map(|phase| phase["phase"].as_str().unwrap()).collect()
}

#[test]
fn every_variant_is_measured_in_every_phase() {
    let module = file(WORKER);
    let printed = bench(&["-o", "json", &module.path, "work", "7"]);
    let report = report(&printed);
    assert_eq!((printed.code, report["schema"].as_u64(), report["function"].as_str()), (0, Some(1), Some("work")));
    assert_eq!(names(&report["phases"]), ["load", "compile", "cache_load", "instantiate", "first_call", "call"]);
    let variants = list(&report["variants"]);
    assert!(variants.len() >= 3, "{report}");
    for phase in list(&report["phases"]) {
        assert_eq!(list(&phase["measurements"]).len(), variants.len());
        for measured in list(&phase["measurements"]) {
            assert_eq!(measured["failed"], Value::Null, "{measured}");
            let quantiles: Vec<_> = list(&measured["quantiles_ns"]).iter().map(|ns| ns.as_f64().unwrap()).collect();
            assert!(quantiles.len() == 21 && quantiles.is_sorted() && quantiles[0] > 0.0, "{measured}");
            assert!(measured["samples"].as_u64() > Some(0));
            if let [low, high] = measured["interval_ns"].as_array().map(Vec::as_slice).unwrap_or_default() {
                assert!(low.as_f64() <= high.as_f64());
            }
        }
        let pairs = variants.len() * (variants.len() - 1) / 2;
        assert_eq!(list(&phase["differences"]).len(), pairs);
    }
}

#[test]
fn fuel_code_and_memory_are_those_of_one_call() {
    let module = file(WORKER);
    let report = report(&bench(&["-o", "json", &module.path, "work", "7"]));
    for variant in list(&report["variants"]) {
        assert_eq!(variant["memory_peak_bytes"], 131_072, "{variant}");
        assert_eq!(variant["fuel_used"], report["variants"][0]["fuel_used"]);
        assert!(variant["fuel_used"].as_u64() > Some(0) && variant["serialized_bytes"].as_u64() > Some(0));
    }
    assert_eq!(report["agreement"], "same");
}

#[test]
fn short_calls_are_measured_in_loops() {
    let module = file(CALC);
    let report = report(&bench(&["-o", "json", &module.path, "add", "5", "3"]));
    let calls = list(&report["phases"]).last().unwrap();
    for measured in list(&calls["measurements"]) {
        assert!(measured["iterations"].as_u64() > Some(10), "{measured}");
    }
}

#[test]
fn the_table_names_phases_variants_and_verdicts() {
    let module = file(CALC);
    let printed = bench(&[&module.path, "add", "5", "3"]);
    for part in ["\nLoad: ", "\nFirst call: ", "reference", "fuel", " out\n", "wrun ", "±"] {
        assert!(printed.stdout.contains(part), "{part}: {printed:?}");
    }
}

#[test]
fn a_program_reads_the_same_input_in_every_run_and_its_output_is_captured() {
    let module = file(COPIER);
    let printed = run_with(&["bench", "--time=20ms", "-o", "json", &module.path], "a line\n");
    let report = report(&printed);
    assert_eq!(names(&report["phases"]), ["load", "compile", "cache_load", "instantiate", "first_call"]);
    for phase in list(&report["phases"]) {
        assert!(list(&phase["measurements"]).iter().all(|measured| measured["failed"].is_null()), "{phase}");
    }
    assert!(!printed.stdout.contains("a line"), "{printed:?}");
}

#[test]
fn what_fails_everywhere_fails_as_in_a_single_run() {
    let (worker, copier) = (file(WORKER), file(COPIER));
    for (args, code) in [
        (["work", "0"].as_slice(), 134),
        (&["forever", "--fuel=10000"], 152),
        (&["forever", "--timeout=30ms"], 124),
        (&["work", "7", "--memory=1KiB"], 137),
        (&["nothing"], 127),
        (&["work", "seven"], 2),
    ] {
        let printed = bench(&[&[worker.path.as_str()], args].concat());
        assert_eq!((printed.code, printed.stdout.as_str()), (code, ""), "{args:?}: {printed:?}");
    }
    let printed = bench(&[&copier.path]);
    assert_eq!(printed.code, 3, "{printed:?}");
}

#[test]
fn a_call_within_its_limits_is_measured() {
    let module = file(WORKER);
    let printed = bench(&["-o", "json", "--fuel=10000", "--timeout=1m", "--memory=1MiB", &module.path, "work", "7"]);
    let report = report(&printed);
    for measured in list(&report["phases"]).iter().flat_map(|phase| list(&phase["measurements"])) {
        assert_eq!(measured["failed"], Value::Null, "{measured}");
    }
}

#[test]
fn the_engine_and_the_level_choose_the_variants() {
    let module = file(CALC);
    let engine = wrun::RuntimeKind::default().as_str();
    let report = report(&bench(&["-o", "json", "-r", engine, "--opt=size", &module.path, "zero"]));
    assert!(list(&report["variants"]).iter().all(|variant| variant["runtime"] == engine));
    assert!(list(&report["variants"]).iter().any(|variant| variant["opt"] == "size"));
    assert!(list(&report["variants"]).iter().all(|variant| variant["opt"] != "speed"));
}

/// Writes the report of a bench to a file, with all times changed by `factor`.
fn baseline(module: &str, folder: &Path, factor: f64) -> String {
    let mut report = report(&bench(&["-o", "json", "--time=100ms", module, "add", "5", "3"]));
    let scaled = |value: &Value| Value::from(value.as_f64().unwrap() * factor);
    for phase in report["phases"].as_array_mut().unwrap() {
        for measured in phase["measurements"].as_array_mut().unwrap() {
            measured["median_ns"] = scaled(&measured["median_ns"]);
            for times in ["blocks_ns", "quantiles_ns"] {
                measured[times] = list(&measured[times]).iter().map(scaled).collect();
            }
        }
    }
    let path = folder.join("baseline.json");
    fs::write(&path, report.to_string()).unwrap();
    path.into_os_string().into_string().unwrap()
}

#[test]
fn what_is_slower_than_the_baseline_fails() {
    let (module, folder) = (file(CALC), tempfile::tempdir().unwrap());
    // Far more than a busy machine.
    for (factor, code, verdict) in [(1e-4, 1, "slower"), (1e4, 0, "faster")] {
        let path = baseline(&module.path, folder.path(), factor);
        let args = ["--time=100ms", "--baseline", &path, &module.path, "add", "5", "3"];
        let printed = bench(&args);
        assert_eq!(printed.code, code, "{printed:?}");
        assert!(printed.stdout.contains(&format!(": {verdict}\n")), "{printed:?}");
        let with_note = bench(&["--baseline", &path, "-o", "json", "--max-regression=5000000%", &module.path, "zero"]);
        assert_eq!(with_note.code, 0, "{with_note:?}");
        let notes = report(&with_note)["baseline"]["notes"].to_string();
        assert!(notes.contains("another function") && !notes.contains("another module"), "{notes}");
    }
}

#[test]
fn other_arguments_and_limits_than_those_of_the_baseline_are_noted() {
    let (module, folder) = (file(WORKER), tempfile::tempdir().unwrap());
    let path = folder.path().join("baseline.json");
    let measured = bench(&["-o", "json", "--fuel=10000", "--deterministic=3", &module.path, "work", "7"]);
    let inputs = &report(&measured)["inputs"];
    assert_eq!((&inputs["arguments"], &inputs["fuel"], &inputs["seed"]), (&json!(["7"]), &json!(10000), &json!(3)));
    fs::write(&path, &measured.stdout).unwrap();
    let same =
        bench(&["--fuel=10000", "--deterministic=3", "--baseline", path.to_str().unwrap(), &module.path, "work", "7"]);
    assert!(!same.stdout.contains("note:"), "{same:?}");
    let options = ["--max-regression=5000000%", "--baseline", path.to_str().unwrap(), "--timeout=1m", "--memory=1MiB"];
    let other = bench(&[&options[..], &[&module.path, "work", "8"]].concat()).stdout;
    assert!(other.starts_with(&format!("{} work 8\n", module.path)), "{other}");
    for what in ["other arguments", "another fuel limit", "another time limit", "another memory limit", "another seed"]
    {
        assert!(other.contains(&format!("note: the baseline was measured with {what}\n")), "{what}: {other}");
    }
    assert!(!other.contains("another stack limit"), "{other}");
}

#[test]
fn a_baseline_without_inputs_is_compared() {
    let (module, folder) = (file(CALC), tempfile::tempdir().unwrap());
    let mut old = report(&bench(&["-o", "json", &module.path, "zero"]));
    old.as_object_mut().unwrap().remove("inputs").unwrap();
    let path = folder.path().join("baseline.json");
    fs::write(&path, old.to_string()).unwrap();
    let args = ["--max-regression=5000000%", "--baseline", path.to_str().unwrap(), &module.path, "zero"];
    let printed = bench(&args);
    assert!(printed.code == 0 && !printed.stdout.contains("note:"), "{printed:?}");
}

#[test]
fn a_baseline_that_is_none_is_refused_before_anything_is_measured() {
    let (module, other) = (file(CALC), file("{}"));
    for (args, code) in [
        (["--baseline", &other.path].as_slice(), 2),
        (&["--baseline", "no/such/file"], 2),
        (&["--max-regression=5%"], 2),
        (&["--baseline", &other.path, "--max-regression=5"], 2),
    ] {
        let printed = bench(&[args, &[&module.path, "zero"]].concat());
        assert_eq!((printed.code, printed.stdout.as_str()), (code, ""), "{printed:?}");
    }
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_anything_is_measured() {
    let module = file(CALC);
    let printed = run(&["bench", "--time=1h", "--html", "no/such/folder/page.html", &module.path, "zero"]);
    assert_eq!((printed.code, printed.stdout.as_str()), (125, ""), "{printed:?}");
    assert!(printed.stderr.contains("cannot write no/such/folder/page.html"), "{printed:?}");
}

#[cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#[test]
fn a_variant_that_refuses_the_module_is_reported_and_the_others_are_measured() {
    let printed = bench(&["-o", "json", "fixtures/wat/gc.wat", "run"]);
    let report = report(&printed);
    assert_eq!(printed.code, 0, "{printed:?}");
    for variant in list(&report["variants"]) {
        let refuses = variant["runtime"] == "wasmer";
        assert_eq!(variant["failed"]["kind"] == "unsupported_feature", refuses, "{variant}");
    }
    for phase in list(&report["phases"]) {
        assert_eq!(list(&phase["measurements"]).len(), 3, "{phase}");
    }
    assert!(bench(&["fixtures/wat/gc.wat", "run"]).stdout.contains("wasmer singlepass         "));
}

#[cfg(feature = "components")]
#[test]
fn a_component_is_measured_at_the_levels_of_wasmtime() {
    let module = file(include_str!("shop.wat"));
    let report = report(&bench(&["-o", "json", &module.path, "greet", "\"you\""]));
    let names: Vec<_> = list(&report["variants"]).iter().map(|variant| variant["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["wasmtime cranelift speed", "wasmtime cranelift size", "wasmtime cranelift none"]);
    for measured in list(&report["phases"]).iter().flat_map(|phase| list(&phase["measurements"])) {
        assert_eq!(measured["failed"], Value::Null, "{measured}");
    }
}

#[test]
fn a_call_that_the_host_blocks_ends_the_bench() {
    let folder = tempfile::tempdir().unwrap();
    assert!(std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    let dir = format!("{}::/d::ro", folder.path().display());
    run(&["bench", "--timeout", "50ms", "--dir", &dir, &file(include_str!("opens_a_pipe.wat")).path])
        .fails(124, &["time limit of 50ms", "host function blocks"]);
}

#[test]
fn what_is_wrong_is_found_before_anything_is_compiled() {
    let module = file("(module (func (export \"f\") (param i32)))");
    let printed = run(&["bench", "-vv", &module.path, "f", "x"]);
    assert!(!printed.stderr.contains("compil"), "{printed:?}");
    printed.fails(2, &["invalid i32"]);
}
