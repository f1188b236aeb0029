//! Helpers that run `wrun` to its end and check its output.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use wrun::RuntimeKind;

use crate::process::{collect, wait};

/// A module with functions of common signatures.
pub(crate) const CALC: &str = r#"(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "neg") (param f64) (result f64) (f64.neg (local.get 0)))
  (func (export "pair") (param i64) (result i64 i32) (local.get 0) (i32.const 1))
  (func (export "zero") (result i32) (i32.const 0))
  (func (export "nothing"))
  (memory (export "memory") 1))"#;

/// A module whose results depend on the seed, on the limit of table elements and on the stack limit.
pub(crate) const LIMITED: &str = r#"(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (table 10 funcref)
  (func (export "random") (result i32)
    (drop (call $random (i32.const 0) (i32.const 4)))
    (i32.load (i32.const 0)))
  (func (export "grow") (result i32) (table.grow 0 (ref.null func) (i32.const 100)))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
      (else (i32.const 0)))))"#;

/// The output and the exit code of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

/// The variables that `wrun` reads. Without the last three, it has no folder for a cache.
pub(crate) const ENVIRONMENT: [&str; 6] =
    ["WRUN_RUNTIME", "WRUN_LOG", "WRUN_CACHE_SIZE", "WRUN_CACHE_DIR", "XDG_CACHE_HOME", "HOME"];

/// The binary under test.
pub(crate) const WRUN: &str = env!("CARGO_BIN_EXE_wrun");

/// The longest time that a [`Command`] may take.
const TIMEOUT: Duration = Duration::from_mins(2);

/// A command that is run to its end: it gets the given standard input, and is killed after [`TIMEOUT`].
pub(crate) struct Command {
    command: std::process::Command,
    stdin: Vec<u8>,
}

impl Command {
    /// A command without the variables that `wrun` reads.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = std::process::Command::new(program);
        for name in ENVIRONMENT {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1");
        Self { command, stdin: Vec::new() }
    }

    pub(crate) fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.args([arg])
    }

    pub(crate) fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.envs([(name, value)])
    }

    pub(crate) fn envs(
        &mut self,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> &mut Self {
        self.command.envs(variables);
        self
    }

    pub(crate) fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn env_clear(&mut self) -> &mut Self {
        self.command.env_clear();
        self
    }

    pub(crate) fn current_dir(&mut self, folder: impl AsRef<Path>) -> &mut Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn write_stdin(&mut self, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs the command to its end.
    #[track_caller]
    pub(crate) fn output(&mut self) -> io::Result<Output> {
        let pipes = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (since, mut child) = (Instant::now(), pipes.spawn()?);
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        if let Some(mut pipe) = child.stdin.take() {
            let stdin = std::mem::take(&mut self.stdin);
            // Fails if the command ends before it has read everything.
            thread::spawn(move || pipe.write_all(&stdin));
        }
        let status = wait(&mut child, since, TIMEOUT);
        Ok(Output { status, stdout: stdout.recv().unwrap(), stderr: stderr.recv().unwrap() })
    }
}

/// `wrun`, without the variables that it reads.
pub(crate) fn wrun() -> Command {
    Command::new(WRUN)
}

/// Runs `first` in a shell, and then `wrun` with a line of arguments.
pub(crate) fn in_shell(first: &str, line: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first}; exec {WRUN} {line}")]);
    shell
}

/// Runs `wrun` with these arguments and nothing on standard input.
pub(crate) fn run(args: &[&str]) -> Printed {
    run_with(args, "")
}

/// Runs `wrun` with these arguments and this standard input.
pub(crate) fn run_with(args: &[&str], stdin: impl Into<Vec<u8>>) -> Printed {
    printed(&wrun().args(args).write_stdin(stdin).output().unwrap())
}

pub(crate) fn printed(output: &Output) -> Printed {
    Printed {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().expect("no signal killed the command"),
    }
}

/// A program that writes lines endlessly through this WASI module.
pub(crate) fn endless(wasi: &str) -> String {
    format!(
        r#"(module (import "{wasi}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\02\00\00\00y\n")
          (func (export "_start") (loop $again
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100))) (br $again))))"#
    )
}

/// A program that writes this many mebibytes.
pub(crate) fn long_output(mebibytes: u32) -> String {
    format!(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 32)
          (data (i32.const 0) "\40\00\00\00\00\00\10\00")
          (func (export "_start") (local $count i32)
            (loop $again
              (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)) (then unreachable))
              (local.set $count (i32.add (local.get $count) (i32.const 1)))
              (br_if $again (i32.lt_u (local.get $count) (i32.const {mebibytes}))))))"#
    )
}

/// Returns the first Python example of a document, and the output that the text after it quotes.
pub(crate) fn python_example(document: &str) -> (String, String) {
    let document = std::fs::read_to_string(document).unwrap();
    let (_, example) = document.split_once("```python\n").unwrap();
    let (example, rest) = example.split_once("```").unwrap();
    (example.to_owned(), rest.split('`').nth(1).unwrap().to_owned())
}

/// The `PATH` of scripts that call `wrun`.
pub(crate) fn path_with_wrun() -> String {
    format!("{}:{}", Path::new(WRUN).parent().unwrap().display(), std::env::var("PATH").unwrap())
}

/// Pipes `wrun` with a line of arguments into `head -2`. Returns its standard output, and its standard error with the
/// exit code.
pub(crate) fn piped_to_head(line: &str) -> (String, String) {
    let line = format!("{{ {WRUN} --no-cache {line}; echo code $? >&2; }} | head -2");
    let output = std::process::Command::new("timeout").args(["60", "sh", "-c", &line]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Reports that a test skips a check, and why. The test harness hides what passing tests print, but not this.
pub(crate) fn skipped(why: &str) {
    let thread = thread::current();
    let _ = writeln!(io::stderr().lock(), "skipped: {}: {why}", thread.name().unwrap_or("a test"));
}

/// Runs a body with the name of each engine that is compiled in.
pub(crate) fn on_each_engine(body: impl Fn(&str)) {
    for kind in RuntimeKind::available() {
        body(kind.as_str());
    }
}

/// A module in a temporary file.
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

impl Printed {
    /// Asserts that the command succeeded and printed exactly this.
    #[track_caller]
    pub(crate) fn prints(&self, stdout: &str) {
        assert_eq!((self.code, self.stdout.as_str(), self.stderr.as_str()), (0, stdout, ""));
    }

    /// Asserts that the command failed with this code, printed nothing, and that its message has each of these parts.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in:\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// Returns the printed envelope.
    #[track_caller]
    pub(crate) fn envelope(&self) -> serde_json::Value {
        assert_eq!(self.stderr, "");
        serde_json::from_str(&self.stdout).unwrap()
    }
}
