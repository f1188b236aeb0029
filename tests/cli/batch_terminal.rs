//! The progress of a batch at a terminal.

use std::path::Path;

use crate::terminal::{CLEAR, Terminal, at_a_terminal_of_each_engine};
use crate::vocabulary::{WRUN, file};

/// Starts a batch at a terminal, with this text after its arguments.
fn start(kind: &str, engine: &str, options: &str, rest: &str) -> Terminal {
    let line = format!("exec '{WRUN}' batch -q -r {engine} {options} fixtures/add.wasm add {rest}");
    Terminal::start_line(kind, &line)
}

/// Runs a body for each engine with a file for results.
fn with_results(body: impl Fn(&str, &Path)) {
    at_a_terminal_of_each_engine(|engine| {
        let folder = tempfile::tempdir().unwrap();
        body(engine, &folder.path().join("results"));
    });
}

fn results(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn progress_counts_records_and_errors_and_is_cleared() {
    with_results(|engine, file| {
        let rest = format!(">'{}'", file.display());
        let mut terminal = start("xterm", engine, "--progress always --on-error skip", &rest);
        terminal.types("[5,3]\n");
        terminal.shows(" 1 record, ");
        terminal.types("[1,1]\n[1]\n");
        terminal.shows(" 3 records, ");
        terminal.shows(" 1 failed, ");
        terminal.types("\x04");
        let (shown, code) = terminal.end();
        assert_eq!((results(file).as_str(), code), ("8\n2\n", Some(123)), "{shown:?}");
        assert!(shown.ends_with(CLEAR) && !shown.contains('\n'), "one line, which is cleared: {shown:?}");
        let last = shown.rsplit("\x1b[?7l").next().unwrap();
        let parts: Vec<_> = last.split(' ').collect();
        assert!(
            matches!(parts[..], [_, "3", "records,", rate, "1", "failed,", _] if rate.ends_with("/s,")),
            "{last:?}"
        );
        let elapsed = parts[6].trim_end_matches(CLEAR).trim_end_matches("\x1b[?7h");
        assert!(elapsed.ends_with('s') && elapsed.starts_with(|first: char| first.is_ascii_digit()), "{last:?}");
    });
}

#[test]
fn a_narrow_terminal_cuts_progress() {
    with_results(|engine, file| {
        let options = "--progress always";
        let line = format!(
            "stty cols 12; '{WRUN}' batch -q -r {engine} {options} fixtures/add.wasm add >'{}'",
            file.display()
        );
        let mut terminal = Terminal::start_line("xterm", &line);
        terminal.types("[5,3]\n");
        terminal.shows(" 1 record");
        terminal.types("\x04");
        let (shown, code) = terminal.end();
        assert_eq!(code, Some(0), "{shown:?}");
        // The terminal does not wrap text between these.
        let drawn: Vec<_> = shown.split("\x1b[?7l").skip(1).map(|text| text.split_once("\x1b[?7h")).collect();
        assert!(!drawn.is_empty(), "{shown:?}");
        for parts in drawn {
            let (text, after) = parts.unwrap();
            assert!(text.chars().count() <= 10, "a typed `^C` fits behind it: {text:?}");
            assert!(
                text.starts_with(|first: char| !first.is_ascii()) && after.trim_end_matches(CLEAR).is_empty(),
                "{shown:?}"
            );
        }
    });
}

#[test]
fn a_dumb_terminal_gets_lines_only_if_asked() {
    with_results(|engine, file| {
        for (progress, is_shown) in [("auto", false), ("always", true)] {
            let rest = format!(">'{}'", file.display());
            let mut terminal = start("dumb", engine, &format!("--progress {progress}"), &rest);
            terminal.types("[5,3]\n[1,1]\n\x04");
            let (shown, code) = terminal.end();
            assert_eq!((results(file).as_str(), code), ("8\n2\n", Some(0)), "{shown:?}");
            let last = shown.lines().last().unwrap_or_default();
            assert_eq!(last.starts_with("2 records, ") && last.ends_with('s'), is_shown, "{shown:?}");
            assert!(!shown.contains('\x1b') && shown.is_empty() != is_shown, "{shown:?}");
        }
    });
}

#[test]
fn an_interrupted_batch_writes_its_results_and_clears_progress() {
    with_results(|engine, file| {
        let rest = format!(">'{}'", file.display());
        let mut terminal = start("xterm", engine, "--progress always", &rest);
        terminal.types("[5,3]\n");
        terminal.shows(" 1 record, ");
        terminal.types("\x03");
        let (shown, code) = terminal.end();
        assert_eq!((results(file).as_str(), code), ("8\n", Some(130)), "{shown:?}");
        assert!(shown.ends_with(CLEAR) && !shown.contains('\n'), "{shown:?}");
    });
}

#[test]
fn an_interrupted_batch_that_waits_for_a_call_says_how_to_end_at_once() {
    let module = file(r#"(module (func (export "spin") (param i32) (loop $l (br_if $l (local.get 0)))))"#);
    at_a_terminal_of_each_engine(|engine| {
        let line = format!("{{ echo 0; echo 1; cat; }} | exec '{WRUN}' batch -r {engine} '{}' spin", module.path);
        let mut terminal = Terminal::start_line("xterm", &line);
        terminal.shows("null");
        terminal.types("\x03");
        terminal.shows(" waiting for running calls; a second Ctrl-C ends wrun at once");
        terminal.types("\x03");
        let (shown, code) = terminal.end();
        assert_eq!(code, Some(130), "{shown:?}");
    });
}

#[test]
fn results_at_the_same_terminal_are_lines_above_progress() {
    at_a_terminal_of_each_engine(|engine| {
        let mut terminal = start("xterm", engine, "--progress always", "");
        terminal.shows(" 0 records, ");
        terminal.types("[5,3]\n");
        terminal.shows(&format!("{CLEAR}8\r\n"));
        terminal.shows(" 1 record, ");
        terminal.types("[1,1]\n");
        terminal.shows(&format!("{CLEAR}2\r\n"));
        terminal.types("\x04");
        let (shown, code) = terminal.end();
        assert_eq!(code, Some(0), "{shown:?}");
        assert_eq!(shown.matches('\n').count(), 2, "{shown:?}");
    });
}

#[test]
fn results_without_newlines_at_a_terminal_have_no_progress() {
    at_a_terminal_of_each_engine(|engine| {
        let mut terminal = start("xterm", engine, "--progress always -o msgpack", "");
        terminal.types("[60,5]\n[60,6]\n");
        terminal.shows("AB");
        terminal.types("\x04");
        let (shown, code) = terminal.end();
        assert_eq!(code, Some(0));
        assert!(shown.ends_with(&format!("{CLEAR}AB")) && !shown.contains("record"), "{shown:?}");
    });
}

#[test]
fn log_lines_are_above_progress() {
    with_results(|engine, file| {
        let options = "batch -v --color never --progress always --input lines";
        let line = format!("'{WRUN}' {options} -r {engine} fixtures/extism/plugin.wasm log >'{}'", file.display());
        let mut terminal = Terminal::start_line("xterm", &line);
        terminal.shows(" 0 records, ");
        terminal.types("hello\n");
        terminal.shows(" 1 record, ");
        terminal.types("\x04");
        let (shown, code) = terminal.end();
        assert_eq!(code, Some(0), "{shown:?}");
        let logged = shown.lines().find(|line| line.contains("extism: hello")).unwrap();
        let before = logged.split("extism: hello").next().unwrap();
        let (progress, entry) = before.rsplit_once(CLEAR).unwrap();
        assert!(progress.contains(" 0 records, ") && !entry.contains("record"), "{logged:?}");
    });
}

/// A program that writes `note\n` to standard error, or `half` if its input is not empty.
const WARNS: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\20\00\00\00\05\00\00\00" "\28\00\00\00\04\00\00\00" "\40\00\00\00\09\00\00\00")
  (data (i32.const 32) "note\n\00\00\00half")
  (func (export "_start") (local $text i32)
    (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 24)))
    (if (i32.load (i32.const 24)) (then (local.set $text (i32.const 8))))
    (drop (call $write (i32.const 2) (local.get $text) (i32.const 1) (i32.const 28)))))"#;

#[test]
fn standard_error_of_the_guest_is_above_progress() {
    let module = file(WARNS);
    with_results(|engine, results| {
        let options = "batch -q --abi stdio --input lines --jobs 1 --progress always";
        let line = format!("'{WRUN}' {options} -r {engine} '{}' >'{}'", module.path, results.display());
        let mut terminal = Terminal::start_line("xterm", &line);
        terminal.shows(" 0 records, ");
        terminal.types("\n");
        terminal.shows(&format!("{CLEAR}note\r\n"));
        terminal.shows(" 1 record, ");
        // Progress does not overwrite a line without an end.
        terminal.types("x\n");
        terminal.shows(&format!("{CLEAR}half"));
        terminal.types("x\n\n");
        terminal.shows("halfhalfnote\r\n");
        terminal.shows(" 4 records, ");
        terminal.types("\x04");
        let (shown, code) = terminal.end();
        assert_eq!(code, Some(0), "{shown:?}");
        assert!(shown.contains(&format!("{CLEAR}halfhalfnote\r\n")), "{shown:?}");
        assert_eq!(shown.matches('\n').count(), 2, "{shown:?}");
        assert!(shown.ends_with(CLEAR), "{shown:?}");
    });
}
