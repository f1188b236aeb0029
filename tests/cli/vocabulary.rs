//! The words the tests are made of.

use std::process::Output;

use assert_cmd::Command;
use wrun::RuntimeKind;

/// A module with a function of each common shape.
pub(crate) const CALC: &str = r#"(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "neg") (param f64) (result f64) (f64.neg (local.get 0)))
  (func (export "pair") (param i64) (result i64 i32) (local.get 0) (i32.const 1))
  (func (export "zero") (result i32) (i32.const 0))
  (func (export "nothing"))
  (memory (export "memory") 1))"#;

/// What a command printed, and its exit code.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

/// What `wrun` reads of its environment; without the last three it finds no folder for a cache.
pub(crate) const ENVIRONMENT: [&str; 6] =
    ["WRUN_RUNTIME", "WRUN_LOG", "WRUN_CACHE_SIZE", "WRUN_CACHE_DIR", "XDG_CACHE_HOME", "HOME"];

/// `wrun`, with no environment of the tester's that it reads.
pub(crate) fn wrun() -> Command {
    let mut command = Command::cargo_bin("wrun").unwrap();
    for name in ENVIRONMENT {
        command.env_remove(name);
    }
    command.env("NO_COLOR", "1").timeout(std::time::Duration::from_mins(2));
    command
}

/// `wrun` with a line of arguments, by a shell that does something first.
pub(crate) fn in_shell(first: &str, line: &str) -> Command {
    let mut shell = Command::new("sh");
    for name in ENVIRONMENT {
        shell.env_remove(name);
    }
    let binary = assert_cmd::cargo::cargo_bin("wrun");
    shell.env("NO_COLOR", "1").args(["-c", &format!("{first}; exec {} {line}", binary.display())]);
    shell
}

/// Runs `wrun` with these arguments and nothing on standard input.
pub(crate) fn run(args: &[&str]) -> Said {
    run_with(args, "")
}

/// Runs `wrun` with these arguments and this on standard input.
pub(crate) fn run_with(args: &[&str], stdin: impl Into<Vec<u8>>) -> Said {
    said(&wrun().args(args).write_stdin(stdin).output().unwrap())
}

pub(crate) fn said(output: &Output) -> Said {
    Said {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().expect("wrun ends by itself"),
    }
}

/// A program that writes lines for ever, by this module of WASI.
pub(crate) fn endless(wasi: &str) -> String {
    format!(
        r#"(module (import "{wasi}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\02\00\00\00y\n")
          (func (export "_start") (loop $again
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100))) (br $again))))"#
    )
}

/// What is printed of `wrun` with a line of arguments where only two lines of it are read; and what it says, with its exit code.
pub(crate) fn in_front_of_head(line: &str) -> (String, String) {
    let binary = assert_cmd::cargo::cargo_bin("wrun");
    let line = format!("{{ {} --no-cache {line}; echo code $? >&2; }} | head -2", binary.display());
    let output = std::process::Command::new("timeout").args(["60", "sh", "-c", &line]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Runs a body for each engine that is compiled in, by name.
pub(crate) fn on_each_engine(body: impl Fn(&str)) {
    for kind in RuntimeKind::available() {
        body(kind.as_str());
    }
}

/// A module written to a file of its own; the folder goes with the value.
pub(crate) struct File {
    _folder: tempfile::TempDir,
    pub(crate) path: String,
}

pub(crate) fn file(contents: impl AsRef<[u8]>) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("module.wasm");
    std::fs::write(&path, contents).unwrap();
    File { path: path.to_str().unwrap().to_owned(), _folder: folder }
}

impl Said {
    /// It succeeded, said nothing else, and printed just this.
    #[track_caller]
    pub(crate) fn prints(&self, stdout: &str) {
        assert_eq!((self.code, self.stdout.as_str(), self.stderr.as_str()), (0, stdout, ""));
    }

    /// It failed with this code, printed nothing, and its message has each of these parts.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in:\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// The envelope it printed.
    #[track_caller]
    pub(crate) fn envelope(&self) -> serde_json::Value {
        assert_eq!(self.stderr, "");
        serde_json::from_str(&self.stdout).unwrap()
    }
}
