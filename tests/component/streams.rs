//! The streams of the process, as programs use them.
#![cfg(feature = "cli")]

use std::fs::{self, File};
use std::process::{Command, Stdio};

/// The program with the actions, in WASI 0.2, and in WASI 0.3 if this build has it.
fn programs() -> impl Iterator<Item = &'static str> {
    ["actions.wasm", "actions3.wasm"].into_iter().take(if cfg!(feature = "wasi-p3") { 2 } else { 1 })
}

/// The command that runs a program with these arguments.
fn wrun(program: &str, options: &[&str], args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wrun"));
    command.args(["--no-cache"]).args(options);
    command.arg(format!("{}/fixtures/component/programs/{program}", env!("CARGO_MANIFEST_DIR")));
    command.arg("--").args(args);
    command
}

#[test]
fn a_closed_standard_output_ends_a_program_with_0() {
    for program in programs() {
        // The program warns after the output; a C library may keep the output until the end.
        let args = if program == "actions.wasm" { &["say", "x"][..] } else { &["say", "x", "warn", "y"] };
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = wrun(program, &[], args).stdout(writer).stdin(Stdio::null()).output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert_eq!((ran.status.code(), stderr.as_str()), (Some(0), ""), "{program}");
    }
}

#[test]
fn input_that_a_program_does_not_read_stays_for_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("input");
    fs::write(&path, "for the next").unwrap();
    for program in programs() {
        let mut input = File::open(&path).unwrap();
        let ran = wrun(program, &[], &["say", "x"]).stdin(input.try_clone().unwrap()).output().unwrap();
        assert_eq!(ran.stdout, b"x\n", "{program}");
        // Both share the position in the file.
        let rest = std::io::read_to_string(&mut input).unwrap();
        assert_eq!(rest, "for the next", "{program}");
    }
}

#[test]
fn a_time_limit_ends_a_program_that_waits_for_input() {
    for program in programs() {
        let (reader, _writer) = std::io::pipe().unwrap();
        let ran = wrun(program, &["--timeout", "300ms"], &["echo", "-"]).stdin(reader).output().unwrap();
        assert_eq!(ran.status.code(), Some(124), "{program}");
    }
}

#[test]
fn an_exit_code_above_123_is_125() {
    if cfg!(feature = "wasi-p3") {
        for (code, expected) in [("7", 7), ("123", 123), ("124", 125), ("255", 125)] {
            let ran = wrun("actions3.wasm", &[], &["exit", code]).stdin(Stdio::null()).output().unwrap();
            assert_eq!(ran.status.code(), Some(expected), "{code}");
        }
    }
}

#[cfg(all(feature = "http", feature = "wasi-p3"))]
#[test]
fn the_time_limit_ends_a_request_whose_body_is_an_endless_input() {
    let server = crate::server::Server::start(|_, client| std::io::copy(client, &mut std::io::sink()).map(drop));
    let mut command = wrun(
        "http3.wasm",
        &["--timeout", "500ms", "--net", &server.rule()],
        &["send", "POST", "http", &server.rule(), "/", "stdin"],
    );
    let ran = command.stdin(File::open("/dev/zero").unwrap()).output().unwrap();
    assert_eq!(ran.status.code(), Some(124), "{ran:?}");
}
