//! Standard streams that wrun shares with other processes. wrun reads only as much input as the guest asks for, and waits if
//! another process has made a stream non-blocking.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};

use crate::vocabulary::{WRUN, file, in_shell, on_each_engine, printed, run};

/// The size of the buffer of a pipe, on Linux.
const PIPE: usize = 64 << 10;

/// Returns a program that can copy one byte and write 100,000 bytes, and exits with the errno of a call that fails.
fn program(body: &str, more: &str) -> String {
    format!(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          {more}
          (memory (export "memory") 4)
          (data (i32.const 0) "\00\01\00\00\01\00\00\00" "\00\01\00\00\a0\86\01\00")
          (func $check (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
          (func $copy (call $check (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
            (call $check (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 20))))
          (func $write_100000 (param i32)
            (call $check (call $write (local.get 0) (i32.const 8) (i32.const 1) (i32.const 16))))
          (func (export "_start") {body}))"#
    )
}

const WASIX: &str = r#"(import "wasix_32v1" "sched_yield" (func (result i32)))"#;

/// Runs a test with the path of a program and the name of an engine: for WASI on each engine, and for WASIX on Wasmer.
fn on_each(body: &str, test: impl Fn(&str, &str)) {
    let wasi = file(program(body, ""));
    on_each_engine(|engine| test(&wasi.path, engine));
    if cfg!(feature = "wasix") {
        test(&file(program(body, WASIX)).path, "wasmer");
    }
}

fn non_blocking(stream: impl AsFd) {
    fcntl_setfl(stream, OFlags::NONBLOCK).unwrap();
}

fn wrun(engine: &str, program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["60", WRUN, "-r", engine, "--no-cache", program]);
    command
}

#[test]
fn a_guest_takes_no_more_input_than_it_reads() {
    on_each("(call $copy) (call $copy)", |program, engine| {
        let line = format!("{WRUN} -r {engine} --no-cache {program}");
        let piped =
            printed(&in_shell(&format!("printf 'abcdef' | {{ {line}; echo; cat; }}"), "--version").output().unwrap());
        assert!(piped.stdout.starts_with("ab\ncdef"), "{engine}: {piped:?}");
        let input = file("abcdef");
        let from_file =
            printed(&in_shell(&format!("{{ {line}; echo; cat; }} <{}", input.path), "--version").output().unwrap());
        assert!(from_file.stdout.starts_with("ab\ncdef"), "{engine}: {from_file:?}");
    });
}

#[test]
fn a_guest_waits_for_non_blocking_input() {
    on_each("(call $copy) (call $copy)", |program, engine| {
        let (reader, mut writer) = pipe().unwrap();
        non_blocking(&reader);
        let child = wrun(engine, program).stdin(reader).stdout(Stdio::piped()).spawn().unwrap();
        for byte in [b"x", b"y"] {
            thread::sleep(Duration::from_millis(300));
            writer.write_all(byte).unwrap();
        }
        assert_eq!(child.wait_with_output().unwrap().stdout, b"xy", "{engine}");
    });
}

/// Lets a command write into a full non-blocking pipe. Returns what arrives, and whether the command succeeded.
fn through_full_pipe(command: &mut Command, connect: impl Fn(&mut Command, PipeWriter)) -> (Vec<u8>, bool) {
    let (mut reader, writer): (PipeReader, PipeWriter) = pipe().unwrap();
    non_blocking(&writer);
    connect(command, writer);
    let mut child = command.spawn().unwrap();
    // The command has the only writers.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    thread::sleep(Duration::from_millis(300));
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    (bytes, child.wait().unwrap().success())
}

#[test]
fn all_output_of_a_guest_reaches_a_non_blocking_pipe() {
    on_each("(call $write_100000 (i32.const 1)) (call $write_100000 (i32.const 1))", |program, engine| {
        let sent = through_full_pipe(&mut wrun(engine, program), |command, pipe| {
            command.stdout(pipe);
        });
        assert_eq!((sent.0.len(), sent.1), (200_000, true), "{engine}");
    });
    on_each("(call $write_100000 (i32.const 2)) (call $write_100000 (i32.const 2))", |program, engine| {
        let sent = through_full_pipe(&mut wrun(engine, program), |command, pipe| {
            command.stderr(pipe);
        });
        assert_eq!((sent.0.len(), sent.1), (200_000, true), "{engine}");
    });
}

#[test]
fn all_output_of_wrun_reaches_a_non_blocking_pipe() {
    let exports: String = (0..4000).map(|number| format!(r#"(func (export "a_function_{number}"))"#)).collect();
    let module = file(format!("(module {exports})"));
    let args = ["inspect", "-o", "json", &module.path];
    let expected = run(&args).stdout;
    assert!(expected.len() > PIPE);
    let mut command = Command::new("timeout");
    command.args(["60", WRUN]).args(args);
    let (sent, succeeded) = through_full_pipe(&mut command, |command, pipe| {
        command.stdout(pipe);
    });
    assert_eq!((sent.len(), succeeded), (expected.len(), true));
    assert!(sent == expected.as_bytes());
}

#[test]
fn waiting_for_input_ends_at_the_time_limit() {
    on_each("(call $copy)", |program, engine| {
        let (reader, writer) = pipe().unwrap();
        let mut child =
            wrun(engine, program).args(["--timeout", "300ms"]).stdin(reader).stderr(Stdio::null()).spawn().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(124), "{engine}");
        drop(writer);
    });
}

#[test]
fn a_directory_as_input_is_an_error_of_the_read() {
    const ISDIR: i32 = 31;
    let program = file(program("(call $copy)", ""));
    on_each_engine(|engine| {
        let status = wrun(engine, &program.path).stdin(File::open("/").unwrap()).status().unwrap();
        assert_eq!(status.code(), Some(ISDIR), "{engine}");
    });
}
