//! Helpers for a running command, which gets signals and must end within [`TIMEOUT`].

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Once, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use wrun::RuntimeKind;

use crate::vocabulary::{ENVIRONMENT, File, WRUN, file};

/// The longest time that a test waits for an event.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The output of a command that has ended, its exit code and its duration.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// The exit code, or `None` if a signal ended the command.
    pub(crate) code: Option<i32>,
    /// The signal that ended the command.
    pub(crate) signal: Option<i32>,
    pub(crate) after: Duration,
}

impl Ended {
    /// Asserts that the command failed with this code, printed nothing, and that its message has each of these parts.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_slice()), (Some(code), &b""[..]), "{}", self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in:\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// Asserts that the command ended by this signal and printed nothing.
    #[track_caller]
    pub(crate) fn ended_silently_by(&self, signal: i32) {
        assert_eq!((self.signal, self.stdout.as_slice(), self.stderr.as_str()), (Some(signal), &b""[..], ""));
    }

    /// Returns the printed envelope.
    #[track_caller]
    pub(crate) fn envelope(&self) -> serde_json::Value {
        assert_eq!(self.stderr, "");
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A running command, which is killed on drop.
pub(crate) struct Running {
    child: Child,
    since: Instant,
}

/// `wrun` with these arguments. [`Running`] removes the variables that it reads.
pub(crate) fn wrun(args: &[&str]) -> Command {
    let mut command = Command::new(WRUN);
    command.args(args);
    command
}

/// Resets SIGINT and SIGTERM to their default actions. If the tests run in the background of a shell, they ignore
/// Ctrl-C, and their children would too.
#[expect(unsafe_code, reason = "the standard library cannot set the action of a signal")]
fn reset_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [libc::SIGINT, libc::SIGTERM] {
            // SAFETY: both are valid signals, and the default action is not a function.
            unsafe { libc::signal(signal, libc::SIG_DFL) };
        }
    });
}

/// Returns whether a set of signals in the status of a process (`/proc/PID/status`) has this signal.
fn has_signal(process: &str, set: &str, signal: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let signals = status.lines().find_map(|line| line.strip_prefix(set));
    let signals = signals.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    signals >> (signal - 1) & 1 == 1
}

/// Returns whether this process ignores the signal, and so the commands that it starts.
pub(crate) fn ignores(signal: i32) -> bool {
    has_signal("self", "SigIgn:", signal)
}

/// A running process, by its id.
pub(crate) struct Process(u32);

impl Process {
    /// Waits until the process has a handler for this signal, and a moment longer.
    #[track_caller]
    pub(crate) fn wait_for_handler(&self, signal: i32) {
        let (process, since) = (self.0.to_string(), Instant::now());
        while !has_signal(&process, "SigCgt:", signal) {
            assert!(since.elapsed() < TIMEOUT, "signal {signal} has no handler");
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(Duration::from_millis(50));
    }

    /// Sends a signal by name.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -s {name} {}", self.0);
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    }
}

impl Running {
    /// Starts a command. Its standard input is empty and stays open.
    pub(crate) fn start(command: &mut Command) -> Self {
        reset_signals();
        for name in ENVIRONMENT {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1").stdin(Stdio::piped());
        let since = Instant::now();
        Self { child: command.spawn().unwrap(), since }
    }

    /// Starts a command and captures its output.
    pub(crate) fn start_captured(command: &mut Command) -> Self {
        Self::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Waits until the command has begun, and a moment longer: its first act is to handle SIGXFSZ.
    #[track_caller]
    pub(crate) fn wait_for_start(&self) {
        self.wait_for_handler(libc::SIGXFSZ);
    }

    /// As [`Process::wait_for_handler`].
    #[track_caller]
    pub(crate) fn wait_for_handler(&self, signal: i32) {
        Process(self.child.id()).wait_for_handler(signal);
    }

    /// Waits until the command has started a process.
    pub(crate) fn wait_for_child(&self) -> Process {
        let pid = self.child.id();
        loop {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            if let Some(Ok(child)) = children.split_whitespace().next().map(str::parse) {
                return Process(child);
            }
            assert!(self.since.elapsed() < TIMEOUT, "no child");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until the command has printed these bytes, and takes them from its standard output.
    #[track_caller]
    pub(crate) fn wait_for_output(&mut self, bytes: &[u8]) {
        let mut read = vec![0; bytes.len()];
        self.child.stdout.as_mut().unwrap().read_exact(&mut read).unwrap();
        assert_eq!(read, bytes);
    }

    /// Takes a line from its standard output.
    #[track_caller]
    pub(crate) fn read_line(&mut self) -> String {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            let mut byte = [0];
            self.child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
            line.extend(byte);
        }
        String::from_utf8(line).unwrap()
    }

    /// Waits until the command has printed a line to its standard error that contains this text, and takes all up to it.
    #[track_caller]
    pub(crate) fn wait_for_message(&mut self, text: &str) {
        let mut line = Vec::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        while !String::from_utf8_lossy(&line).contains(text) {
            if line.last() == Some(&b'\n') {
                line.clear();
            }
            let mut byte = [0];
            stderr.read_exact(&mut byte).unwrap();
            line.extend(byte);
        }
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// As [`Process::signal`].
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        Process(self.child.id()).signal(name);
    }

    /// Returns whether the command is still running.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Writes to its standard input, which stays open.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(bytes).and_then(|()| stdin.flush()).unwrap();
    }

    /// Closes its standard input.
    pub(crate) fn close(&mut self) {
        self.child.stdin = None;
    }

    /// Waits for the end of the command.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let stdin = self.child.stdin.take();
        let stdout = collect(self.child.stdout.take());
        let stderr = collect(self.child.stderr.take());
        let status = wait(&mut self.child, self.since, TIMEOUT);
        let after = self.since.elapsed();
        drop(stdin);
        let stderr = String::from_utf8_lossy(&stderr.recv().unwrap()).into_owned();
        Ended { stdout: stdout.recv().unwrap(), stderr, code: status.code(), signal: status.signal(), after }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a child. Kills it and panics if it takes longer than `most`.
#[track_caller]
pub(crate) fn wait(child: &mut Child, since: Instant, most: Duration) -> ExitStatus {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if since.elapsed() > most {
            child.kill().and_then(|()| child.wait()).unwrap();
            panic!("the process did not end within {most:?}");
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Reads to the end on another thread, so that no pipe fills up.
pub(crate) fn collect<R: Read + Send + 'static>(reader: Option<R>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut reader) = reader {
            let _ = reader.read_to_end(&mut bytes);
        }
        sender.send(bytes)
    });
    receiver
}

/// Creates a full pipe for the standard output of a command. It stays full until the reader is dropped.
pub(crate) fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut filler = writer.try_clone().unwrap();
    // Blocks when the pipe is full, and fails when the reader is dropped.
    thread::spawn(move || while filler.write_all(&[b' '; 4096]).is_ok() {});
    thread::sleep(Duration::from_millis(50));
    (reader, writer)
}

/// Runs a body with the options for each engine and compiler.
pub(crate) fn on_each_compiler(body: impl Fn(&[&str])) {
    for kind in RuntimeKind::available() {
        for compiler in kind.compilers() {
            body(&["-r", kind.as_str(), "--compiler", compiler.as_str()]);
        }
    }
}

/// A module with functions that never return.
pub(crate) const ENDLESS: &str = r#"(module
  (func (export "spin") (loop $again (br $again)))
  (func (export "spin_on") (param i32) (result i32) (loop $again (br $again)) (local.get 0))
  (func (export "seven") (result i32) (i32.const 7)))"#;

/// A module that takes seconds to compile with an optimizing compiler, but is quick to read.
pub(crate) fn slow_to_compile() -> File {
    fn number(mut n: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while n > 0x7f {
            bytes.push(u8::try_from(n & 0x7f).unwrap() | 0x80);
            n >>= 7;
        }
        bytes.push(u8::try_from(n).unwrap());
        bytes
    }
    let sized = |contents: &[u8]| [&number(contents.len()), contents].concat();
    let section = |id: u8, contents: &[u8]| [&[id], sized(contents).as_slice()].concat();
    // No locals; `local.get 0`, then 300 times `local.get 0, i32.const, i32.add, i32.xor`.
    let mut body = vec![0, 0x20, 0];
    (0..300_usize).for_each(|n| body.extend([0x20, 0, 0x41, u8::try_from(n % 60).unwrap(), 0x6a, 0x73]));
    body.push(0x0b);
    let functions = 600;
    let code = sized(&body).repeat(functions);
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 1, 0x7f, 1, 0x7f]),
        section(3, &[number(functions), vec![0; functions]].concat()),
        section(7, &[1, 1, b'f', 0, 0]),
        section(10, &[number(functions), code].concat()),
    ];
    file(module.concat())
}

/// Asserts that this envelope of a failure is complete.
#[track_caller]
pub(crate) fn has_all_fields(envelope: &serde_json::Value) {
    for field in ["ok", "runtime", "module", "function", "error", "exit_code", "metrics"] {
        assert!(envelope.get(field).is_some(), "no {field} in {envelope}");
    }
    for field in ["kind", "trap", "message", "function", "backtrace", "limit", "hints"] {
        assert!(envelope["error"].get(field).is_some(), "no error.{field} in {envelope}");
    }
    assert_eq!(envelope["ok"], json!(false));
    assert!(envelope["metrics"]["total_ns"].is_u64(), "{envelope}");
}
