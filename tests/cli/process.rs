//! Helpers for a running command, which gets signals and must end within [`TIMEOUT`].

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Once, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use wrun::RuntimeKind;

use crate::vocabulary::{ENVIRONMENT, WRUN};

/// The longest time that a test waits for an event.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The output of a command that has ended, its exit code and its duration.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// The exit code, or `None` if a signal killed the command.
    pub(crate) code: Option<i32>,
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

    /// Waits until the command has a handler for this signal, and a moment longer.
    #[track_caller]
    pub(crate) fn wait_for_handler(&self, signal: u32) {
        let status = format!("/proc/{}/status", self.child.id());
        loop {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
            if caught >> (signal - 1) & 1 == 1 {
                return thread::sleep(Duration::from_millis(50));
            }
            assert!(self.since.elapsed() < TIMEOUT, "signal {signal} has no handler:\n{text}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    #[track_caller]
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -s {name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
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
        Ended { stdout: stdout.recv().unwrap(), stderr, code: status.code(), after }
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
