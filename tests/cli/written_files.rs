//! Files that options name for output do not replace those that the command reads.

use std::fs;
use std::path::Path;

use crate::process::{Running, wrun};
use crate::vocabulary::{CALC, printed, run, run_with};

const ADD: &str = "fixtures/add.wasm";

/// Runs a command in a folder with files that it must not change. `c.wasm` and `c.wat` are modules.
#[track_caller]
fn assert_kept(line: &str, code: i32, parts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let contents = |name: &str| fs::read(folder.path().join(name)).ok();
    fs::copy(ADD, folder.path().join("c.wasm")).unwrap();
    fs::hard_link(folder.path().join("c.wasm"), folder.path().join("link")).unwrap();
    for (name, text) in [("c.wat", CALC), ("records", "[1,2]\n"), ("policy.toml", "deterministic = 1\n")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let names = ["c.wasm", "c.wat", "records", "policy.toml", "page.html"];
    let before = names.map(contents);
    let mut shell = crate::vocabulary::Command::new("sh");
    shell.args(["-c", &format!("{} {line}", crate::vocabulary::WRUN)]).current_dir(folder.path());
    printed(&shell.output().unwrap()).fails(code, parts);
    assert!(before == names.map(contents), "{line} changed a file");
}

#[test]
fn a_module_is_not_replaced() {
    let hint = "hint: `--metrics` takes the file to write: `--metrics FILE`";
    for line in ["batch --metrics c.wasm add", "batch --metrics c.wasm c.wat add", "batch --metrics c.wat add"] {
        assert_kept(line, 2, &["would replace a module", hint]);
    }
    for option in ["batch --metrics", "batch --errors", "bench --html"] {
        assert_kept(&format!("{option} c.wasm c.wasm add"), 2, &["c.wasm` would replace the module"]);
        assert_kept(&format!("{option} link c.wasm add"), 2, &["link` would replace the module"]);
        assert_kept(&format!("{option} c.wat c.wasm add"), 2, &["c.wat` would replace a module"]);
    }
}

#[test]
fn other_files_of_the_command_are_not_replaced() {
    for option in ["batch --metrics", "batch --errors", "bench --html"] {
        let line = format!("{option} policy.toml --policy policy.toml c.wasm add");
        assert_kept(&line, 2, &["policy.toml` would replace the policy"]);
    }
    for option in ["--metrics", "--errors"] {
        let line = format!("batch {option} records c.wasm add < records");
        assert_kept(&line, 2, &["would replace the file on standard input"]);
        let line = format!("batch {option} policy.toml c.wasm add < records >> policy.toml");
        assert_kept(&line, 2, &["would replace the file on standard output"]);
    }
    assert_kept("bench --baseline records --html records c.wasm add 1 2", 2, &["not a report of `wrun bench`"]);
}

#[test]
fn the_baseline_is_not_replaced_by_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("baseline.json");
    let report = run(&["bench", "--time=1ms", "-o", "json", ADD, "add", "1", "2"]).stdout;
    fs::write(&baseline, &report).unwrap();
    let path = baseline.to_str().unwrap();
    run(&["bench", "--baseline", path, "--html", path, ADD, "add", "1", "2"]).fails(2, &["would replace the baseline"]);
    assert_eq!(fs::read_to_string(&baseline).unwrap(), report);
}

#[test]
fn other_files_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.json");
    fs::write(&path, "x".repeat(10_000)).unwrap();
    run_with(&["batch", "--metrics", path.to_str().unwrap(), ADD, "add"], "[1,2]\n").prints("3\n");
    assert!(serde_json::from_slice::<serde_json::Value>(&fs::read(&path).unwrap()).is_ok());
}

#[test]
fn an_interrupted_bench_leaves_no_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let args = ["bench", "--time=1h", "--progress=always", "--html", page.to_str().unwrap(), ADD, "add", "1", "2"];
    let running = Running::start_captured(&mut wrun(&args));
    running.wait_for_start();
    running.signal("INT");
    assert_eq!(running.end().signal, Some(2));
    assert!(!Path::new(&page).exists());
}
