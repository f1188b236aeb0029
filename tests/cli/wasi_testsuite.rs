//! The official programs of WASI 0.3, from a folder that `WRUN_WASI_TESTSUITE` names: `tests/rust/testsuite/wasm32-wasip3` in the branch
//! `prod/testsuite-base` of <https://github.com/WebAssembly/wasi-testsuite>. They are not part of this repository.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Running, TIMEOUT, wrun};
use crate::vocabulary::skipped;

/// The variable with the folder.
const FOLDER: &str = "WRUN_WASI_TESTSUITE";

/// The texts in an array, or none.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A program, and what to do with it.
struct Program {
    path: PathBuf,
    config: Value,
}

impl Program {
    fn read(path: &Path) -> Self {
        let config = fs::read(path.with_extension("json"));
        let config = config.map_or(Value::Null, |config| serde_json::from_slice(&config).unwrap());
        Self { path: path.to_owned(), config }
    }

    fn name(&self) -> &str {
        self.path.file_stem().and_then(|name| name.to_str()).unwrap()
    }

    fn needs_http(&self) -> bool {
        texts(&self.config["proposals"]).any(|proposal| proposal.starts_with("http")) || self.name().starts_with("http")
    }

    /// Starts the program. It gets a copy of its folder, without the files `*.cleanup` that other programs leave behind: one lists it.
    fn start(&self, operation: &Value, folder: &TempDir) -> Running {
        let mut args = vec!["--quiet".to_owned()];
        if let Some(root) = operation["root"].as_str().or(self.config["root"].as_str()) {
            let copy = folder.path().join("root");
            let mut shell = Command::new("sh");
            shell.args(["-ec", "cp -a \"$1\" \"$2\"; rm -rf \"$2\"/*.cleanup", "sh"]);
            let copied = shell.arg(self.path.with_file_name(root)).arg(&copy).status();
            assert!(copied.unwrap().success(), "cannot copy {root}");
            args.extend(["--dir".to_owned(), format!("{}::/", copy.display())]);
        }
        for (name, value) in operation["env"].as_object().into_iter().flatten() {
            args.extend(["--env".to_owned(), format!("{name}={}", value.as_str().unwrap())]);
        }
        if texts(&self.config["proposals"]).any(|proposal| proposal == "sockets") {
            args.extend(["--net", "*:*", "--net", "in:*:*"].map(str::to_owned));
        }
        args.extend([self.path.to_str().unwrap().to_owned(), "--".to_owned()]);
        args.extend(texts(&operation["args"]).map(str::to_owned));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Running::start_captured(&mut wrun(&args))
    }

    /// Performs the operations.
    #[track_caller]
    fn run(&self) {
        let default = json!([{ "type": "run" }, { "type": "wait" }]);
        let operations = self.config["operations"].as_array().or(default.as_array()).unwrap();
        let (mut running, mut connection) = (None::<Running>, None::<TcpStream>);
        let folder = tempfile::tempdir().unwrap();
        for operation in operations {
            let (kind, payload) = (operation["type"].as_str().unwrap(), operation["payload"].as_str().unwrap_or(""));
            if kind == "run" {
                running = Some(self.start(operation, &folder));
                continue;
            }
            let started = running.as_mut().expect("an operation before `run`");
            match kind {
                "write" => started.write(payload.as_bytes()),
                "read" if operation["id"] == "stderr" => started.wait_for_message(payload),
                "read" => started.wait_for_output(payload.as_bytes()),
                "connect" => {
                    let stream = TcpStream::connect(started.read_line().trim_end()).unwrap();
                    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
                    connection = Some(stream);
                }
                "send" => connection.as_mut().unwrap().write_all(payload.as_bytes()).unwrap(),
                "recv" => {
                    let mut received = vec![0; payload.len()];
                    connection.as_mut().unwrap().read_exact(&mut received).unwrap();
                    assert_eq!(received, payload.as_bytes());
                }
                "wait" => {
                    let ended = running.take().unwrap().end();
                    let expected = operation["exit_code"].as_i64().unwrap_or(0);
                    assert_eq!(ended.code.map(i64::from), Some(expected), "{}", ended.stderr);
                }
                other => panic!("unknown operation `{other}`"),
            }
        }
    }
}

#[test]
fn the_official_programs_of_wasi_0_3_pass() {
    if !cfg!(feature = "wasi-p3") {
        return skipped("WASI 0.3 is not compiled in");
    }
    let Some(folder) = std::env::var_os(FOLDER) else {
        return skipped(&format!("{FOLDER} does not name the folder of the official programs"));
    };
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    paths.sort();
    let programs = paths.iter().map(|path| Program::read(path));
    let (http, programs): (Vec<_>, Vec<_>) = programs.partition(Program::needs_http);
    if !http.is_empty() {
        skipped(&format!("{} programs need HTTP", http.len()));
    }
    assert!(!programs.is_empty(), "{} has no programs", folder.display());
    let failed = programs.iter().filter(|program| catch_unwind(AssertUnwindSafe(|| program.run())).is_err());
    let failed: Vec<_> = failed.map(Program::name).collect();
    assert!(failed.is_empty(), "{} of {} programs failed: {}", failed.len(), programs.len(), failed.join(", "));
}
