//! The tools that docs/scale-out.md uses, and the checks that are more than an example in it.
#![cfg(all(feature = "wasmtime-runtime", feature = "wasmer-runtime", feature = "wasix"))]

use std::path::Path;
use std::process::Output;
use std::sync::OnceLock;
use std::{env, fs};

use crate::vocabulary::{Command, WRUN, skipped};

/// The exit code of `fixtures/scale_out.sh` if it cannot install its packages, or was not to.
const UNAVAILABLE: i32 = 75;

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap().trim_end()
}

/// Returns the folder of the Python packages, or why there is none. Continuous integration installs them; elsewhere, they are used if
/// they have been installed before.
fn packages() -> Result<&'static str, &'static str> {
    static PACKAGES: OnceLock<Result<String, String>> = OnceLock::new();
    let packages = PACKAGES.get_or_init(|| {
        let mut script = std::process::Command::new("fixtures/scale_out.sh");
        if env::var_os("CI").is_none() {
            script.arg("--cached");
        }
        let Output { status, stdout, stderr } = script.output().map_err(|error| error.to_string())?;
        match status.code() {
            Some(0) => Ok(text(&stdout).to_owned()),
            Some(UNAVAILABLE) => Err(text(&stderr).to_owned()),
            _ => panic!("fixtures/scale_out.sh: {status}: {}", text(&stderr)),
        }
    });
    packages.as_deref().map_err(String::as_str)
}

/// The `PATH` of examples: the folders of `wrun` and of the packages, if they are installed, before those of the test.
pub(crate) fn search_path() -> String {
    let wrun = Path::new(WRUN).parent().unwrap().display();
    let elsewhere = env::var("PATH").unwrap();
    packages().map_or(format!("{wrun}:{elsewhere}"), |packages| format!("{wrun}:{packages}:{elsewhere}"))
}

/// Returns the first of these tools that is missing. They are programs or, with `python:`, modules, and are separated by commas.
pub(crate) fn missing(tools: &str) -> Option<&str> {
    tools.split(',').filter(|tool| !tool.is_empty()).find(|tool| {
        let test = match tool.strip_prefix("python:") {
            Some(module) => format!("python3 -c 'import {module}'"),
            None => format!("command -v {tool}"),
        };
        !Command::new("sh").args(["-c", &test]).env("PATH", search_path()).output().unwrap().status.success()
    })
}

/// Runs a Python program of `tests/cli/scale_out` and returns its output. Skips it if a module or program that it needs is missing.
#[track_caller]
fn python(program: &str, needs: &str, args: &[&str]) -> Option<String> {
    if let Some(tool) = missing(needs) {
        skipped(&format!("{program} needs {tool}"));
        return None;
    }
    let mut command = Command::new("python3");
    command.arg(format!("tests/cli/scale_out/{program}")).args(args).env("PATH", search_path());
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {}: {}{stderr}", output.status, text(&output.stdout));
    Some(text(&output.stdout).to_owned())
}

#[test]
fn missing_tools_are_named() {
    assert_eq!(missing(""), None);
    assert_eq!(missing("sh,no-such-program,cat"), Some("no-such-program"));
    assert_eq!(missing("sh,python:no_such_module"), Some("python:no_such_module"));
}

#[test]
fn no_message_is_lost_when_consumers_are_killed() {
    let args = ["docs/scale-out/nats_consumer.py", "wrun", "batch", "fixtures/add.wasm", "add"];
    if let Some(printed) = python("kill_consumers.py", "nats-server,python:nats", &args) {
        assert!(printed.starts_with("20000 results, 0 lost, "), "{printed}");
    }
}

#[test]
fn the_kubernetes_job_is_valid_and_its_script_handles_each_exit_code() {
    if let Some(printed) = python("job.py", "python:kubernetes_validate", &["docs/scale-out/job.yaml"]) {
        assert!(printed == "the job is valid", "{printed}");
    }
}

#[test]
fn the_packages_are_pinned() {
    let script = fs::read_to_string("fixtures/scale_out.sh").unwrap();
    let packages = script.split_once("PACKAGES=(").unwrap().1.split_once(')').unwrap().0;
    let unpinned: Vec<_> = packages.split_whitespace().filter(|package| !package.contains("==")).collect();
    assert!(unpinned.is_empty(), "{unpinned:?}");
}
