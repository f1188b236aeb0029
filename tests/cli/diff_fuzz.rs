//! `wrun diff --fuzz`.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{self, Running};
use crate::vocabulary::{CALC, file, printed, run, wrun};

/// Runs in a new folder. Returns the report, the exit code and the folder.
fn fuzz(args: &[&str]) -> (Value, i32, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = wrun();
    command.current_dir(folder.path()).args(["diff", "-o", "json"]).args(args);
    let printed = printed(&command.output().unwrap());
    let report = serde_json::from_str(&printed.stdout);
    (report.unwrap_or_else(|error| panic!("{error}: {printed:?}")), printed.code, folder)
}

fn sum(reports: &[&Value], key: &str) -> u64 {
    reports.iter().map(|report| report[key].as_u64().unwrap()).sum()
}

/// What continuous integration compares: more modules are for a run by hand. Without Singlepass, whose known difference
/// (docs/engine-differences.md) appears in one module of a few hundred.
#[test]
fn cranelift_agrees_on_generated_modules() {
    let (report, code, folder) = fuzz(&["--fuzz=200", "--seed=1", "--compiler=cranelift"]);
    assert_eq!((code, &report["findings"]), (0, &Value::Array(Vec::new())), "{report}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(report["modules"], 200);
    assert!(report["same"].as_u64() > Some(150), "{report}");
}

#[test]
fn a_module_depends_only_on_the_seed_and_its_number() {
    let parts = [["--fuzz=80", "--skip=0"], ["--fuzz=30", "--skip=0"], ["--fuzz=50", "--skip=30"]];
    let [(all, ..), (first, ..), (second, ..)] = parts.map(|part| fuzz(&[&part[..], &["--seed=1"]].concat()));
    for key in ["modules", "calls", "same", "differ"] {
        assert_eq!(sum(&[&all], key), sum(&[&first, &second], key), "{key}: {first} {second}");
    }
    let (other, ..) = fuzz(&["--fuzz=80", "--seed=2"]);
    assert_ne!(other["calls"], all["calls"]);
}

/// Singlepass of Wasmer 7.3.0 uses a wrong address in some atomic operators (docs/engine-differences.md).
#[cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime", target_arch = "x86_64"))]
#[test]
fn a_difference_is_shrunk_and_can_be_repeated() {
    let (report, code, folder) = fuzz(&["--fuzz=1", "--skip=4058", "--seed=20"]);
    assert_eq!((code, &report["modules"]), (1, &Value::from(1)), "{report}");
    let found = &report["findings"][0];
    assert_eq!((&found["number"], &found["aspect"]), (&Value::from(4058), &Value::from("ending")), "{report}");
    assert_eq!(found["variant"]["compiler"], "singlepass");
    assert!(found["bytes"].as_u64() < found["bytes_before"].as_u64(), "{report}");

    let repro = folder.path().join(found["repro"].as_str().unwrap());
    let mut command = crate::vocabulary::Command::new(repro.join("command.sh"));
    let again = command.env("PATH", crate::vocabulary::path_with_wrun()).output().unwrap();
    let again = printed(&again);
    assert!(again.code == 1 && again.stdout.contains("wasmer singlepass: ending"), "{again:?}");

    let (report, code, folder) = fuzz(&["--fuzz=1", "--skip=4058", "--seed=20", "--without=threads"]);
    assert_eq!((code, &report["differ"]), (0, &Value::from(0)), "{report}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_signal_ends_the_run_with_the_summary() {
    let folder = tempfile::tempdir().unwrap();
    let repro = folder.path().join("found");
    let repro = repro.to_str().unwrap();
    let args = ["diff", "--fuzz=1000000000", "--seed=3", "--without=threads,exceptions", "--repro", repro];
    let running = Running::start_captured(&mut process::wrun(&args));
    running.wait_for_handler(libc::SIGINT);
    std::thread::sleep(Duration::from_millis(500));
    running.signal("INT");
    let ended = running.end();
    let stdout = String::from_utf8_lossy(&ended.stdout);
    assert!(stdout.contains(" modules, ") && stdout.contains(" inconclusive\n"), "{ended:?}");
    assert_eq!(ended.signal, Some(libc::SIGINT));
}

#[test]
fn what_contradicts_generated_modules_is_refused() {
    let module = file(CALC);
    run(&["diff", "--fuzz=1", &module.path]).fails(2, &["cannot be used with"]);
    run(&["diff", "--fuzz=1", "--dir=."]).fails(2, &["cannot be used with"]);
    run(&["diff", "--seed=1", &module.path, "zero"]).fails(2, &["`--seed`, `--skip` and `--without` need `--fuzz`"]);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    run(&["diff", "--fuzz=1", "--repro", dir]).fails(2, &["already exists"]);
}
