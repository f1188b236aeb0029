//! The command at a terminal, which `script` (util-linux) provides.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::vocabulary::{WRUN, file, on_each_engine, skipped};

/// Clears a line.
pub(crate) const CLEAR: &str = "\r\x1b[K";

/// A command at a terminal.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    shown: String,
}

impl Terminal {
    /// Starts `wrun` with these arguments, without quotes, at a terminal of this kind.
    fn start(kind: &str, args: &[&str]) -> Self {
        let words = args.iter().map(|arg| format!(" '{arg}'")).collect::<String>();
        Self::start_line(kind, &format!("exec '{WRUN}'{words}"))
    }

    /// Starts this line of a shell.
    pub(crate) fn start_line(kind: &str, line: &str) -> Self {
        let mut command = Command::new("timeout");
        command.args(["60", "script", "--quiet", "--return", "--flush", "--echo", "never", "--command", line]);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.arg("/dev/null").env_clear().env("PATH", path).env("SHELL", "/bin/sh").env("TERM", kind);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keys, screen, shown: String::new() }
    }

    /// Waits until the terminal shows this text.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) {
        let mut bytes = Vec::new();
        while !self.shown.contains(text) {
            let mut byte = [0];
            let read = self.screen.read(&mut byte).unwrap();
            assert!(read > 0, "`{text}` is not in: {:?}", self.shown);
            bytes.extend(byte);
            if let Ok(text) = std::str::from_utf8(&bytes) {
                self.shown += text;
                bytes.clear();
            }
        }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).unwrap();
    }

    /// Waits for the end. Returns all that was shown, and the exit code.
    pub(crate) fn end(mut self) -> (String, Option<i32>) {
        let mut rest = Vec::new();
        self.screen.read_to_end(&mut rest).unwrap();
        self.shown += &String::from_utf8_lossy(&rest);
        (self.shown, self.child.wait().unwrap().code())
    }
}

/// Runs a body for each engine, if `script` is installed.
pub(crate) fn at_a_terminal_of_each_engine(body: impl Fn(&str)) {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skipped("`script` (util-linux) is not installed");
    }
    on_each_engine(body);
}

/// Takes a while to compile, and prints its usage when called with [`WRONG`].
const SLOW: &str = "fixtures/cpp/words.wasm";
const WRONG: [&str; 3] = ["--", "-n", "few"];
const USAGE: &str = "usage: words.wasm [-n COUNT] [FILE]...\r\n";

#[test]
fn the_spinner_is_cleared_before_the_guest_writes() {
    at_a_terminal_of_each_engine(|engine| {
        let args = [&["-r", engine, "--progress", "always", SLOW], &WRONG[..]].concat();
        let (shown, code) = Terminal::start("xterm", &args).end();
        assert_eq!(code, Some(2), "{shown:?}");
        assert!(shown.contains("compiling 2"), "{shown:?}");
        assert!(shown.ends_with(&format!("{CLEAR}{USAGE}")), "{shown:?}");
        assert_eq!(shown.matches('\n').count(), 1, "progress stays on one line: {shown:?}");
    });
}

#[test]
fn a_dumb_terminal_gets_no_spinner() {
    at_a_terminal_of_each_engine(|engine| {
        let shown = |progress: &str| {
            let args = [&["-r", engine, "--progress", progress, SLOW], &WRONG[..]].concat();
            Terminal::start("dumb", &args).end().0
        };
        assert_eq!(shown("auto"), USAGE);
        let lines = shown("always");
        assert!(lines.starts_with("compiling 2") && lines.contains("\r\ncompiled in "), "{lines:?}");
        assert!(lines.ends_with(USAGE) && !lines.contains('\x1b'), "{lines:?}");
    });
}

#[test]
fn an_interrupted_compilation_leaves_nothing_on_the_terminal() {
    at_a_terminal_of_each_engine(|engine| {
        let mut terminal = Terminal::start("xterm", &["-r", engine, "--progress", "always", SLOW]);
        terminal.shows("compiling");
        terminal.types("\x03");
        let (shown, code) = terminal.end();
        assert_eq!(code, Some(130), "{shown:?}");
        assert!(shown.ends_with(CLEAR) && !shown.contains('\n'), "{shown:?}");
        assert!(!shown.contains("  "), "padding would move the `^C` to the next line: {shown:?}");
    });
}

#[test]
fn a_timeout_clears_the_spinner() {
    at_a_terminal_of_each_engine(|engine| {
        let args = ["-r", engine, "--progress", "always", "--timeout", "200ms", SLOW];
        let (shown, code) = Terminal::start("xterm", &args).end();
        assert_eq!(code, Some(124), "{shown:?}");
        assert!(shown.contains("compiling 2"), "{shown:?}");
        let rest = shown.rsplit(CLEAR).next().unwrap();
        assert!(rest.contains("200ms") && !rest.contains("compiling 2"), "{shown:?}");
    });
}

#[test]
fn output_of_an_interrupted_guest_stays() {
    let module = file(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\08\00\00\00prompt> ")
        (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
          (loop $forever (br $forever))))"#,
    );
    at_a_terminal_of_each_engine(|engine| {
        let mut terminal = Terminal::start("xterm", &["-r", engine, &module.path]);
        terminal.shows("prompt> ");
        terminal.types("\x03");
        let (shown, code) = terminal.end();
        assert_eq!((shown.trim_end_matches("^C"), code), ("prompt> ", Some(130)));
    });
}

/// Bash ends a loop only if the command died of the signal.
#[test]
fn an_interrupted_guest_ends_the_loop_of_a_shell() {
    if Command::new("bash").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skipped("bash is not installed");
    }
    let module = file(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\03\00\00\00go\n")
        (func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20)))
          (loop $forever (br $forever))))"#,
    );
    at_a_terminal_of_each_engine(|engine| {
        for options in ["", "--progress never", "--metrics", "--progress never --timeout 1h"] {
            let line = format!("for n in 1 2 3; do '{WRUN}' -r {engine} {options} '{}'; echo again; done", module.path);
            let mut terminal = Terminal::start_line("xterm", &format!("exec bash -c \"{line}\""));
            terminal.shows("go");
            terminal.types("\x03");
            let (shown, code) = terminal.end();
            assert!(!shown.contains("again"), "{options}: {shown:?}");
            assert_eq!(code, Some(130), "{options}: {shown:?}");
        }
    });
}

#[test]
fn end_of_file_at_the_terminal_ends_the_arguments() {
    let module = file(crate::programs::READS);
    at_a_terminal_of_each_engine(|engine| {
        let mut terminal = Terminal::start("xterm", &["-r", engine, &module.path, "plus_read", "-"]);
        terminal.types("[100]\n\x04");
        terminal.shows("100\r\n");
        assert_eq!(terminal.end().1, Some(0));
    });
}

#[test]
fn a_note_says_what_a_silent_standard_input_is_waited_for() {
    at_a_terminal_of_each_engine(|engine| {
        for (args, note, typed, shown) in [
            (
                &["fixtures/add.wasm", "add", "-"][..],
                "waiting for the arguments (JSON) on standard input\r\n",
                "[5,3]",
                "8\r\n",
            ),
            (&["-"], "waiting for the module on standard input\r\n", "(module (func (export \"_start\")))", ""),
        ] {
            let mut terminal = Terminal::start("xterm", &[&["--no-cache", "-r", engine], args].concat());
            terminal.shows(note);
            terminal.types(&format!("{typed}\n\u{4}"));
            let (all, code) = terminal.end();
            assert!(all.ends_with(shown) && code == Some(0), "{all:?}");
        }
    });
}
