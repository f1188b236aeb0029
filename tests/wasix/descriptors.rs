//! Calls on descriptors, and timeouts, answer as on Linux, or as `docs/wasi.md` says.

use std::fs;

use wrun::{Captured, DirGrant, Input, Limits, Output, Value};

use crate::guest::{End, Program, args, fixture, on_each};

const PROGRAM: &str = "../wasi/linux/descriptors.wasm";

#[test]
fn descriptors_and_timeouts_are_as_on_linux() {
    on_each(|config| {
        let program = Program::new(&config, &fixture(PROGRAM));
        let dir = tempfile::tempdir().unwrap();
        let ran = program.run(args(&["all"]).with_dir(DirGrant::new(dir.path(), ".")));
        assert_eq!((ran.end, ran.stdout.as_str()), (End::Code(0), ""));
    });
}

#[test]
fn a_read_only_directory_keeps_its_times_and_is_only_read() {
    on_each(|config| {
        let program = Program::new(&config, &fixture(PROGRAM));
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let times = |path| fs::metadata(path).unwrap().modified().unwrap();
        let before = (times(dir.path().to_owned()), times(dir.path().join("file")));
        let ran = program.run(args(&["read-only"]).with_dir(DirGrant::new(dir.path(), ".").read_only()));
        assert_eq!((ran.end, ran.stdout.as_str()), (End::Code(0), ""));
        assert_eq!((times(dir.path().to_owned()), times(dir.path().join("file"))), before);
    });
}

#[test]
fn pipes_are_refused_if_memory_is_limited() {
    const NOTSUP: &str = "58";
    on_each(|config| {
        let program = Program::new(&config, &fixture(PROGRAM));
        let errno = |limits| program.run_within(limits, args(&["pipe"])).stdout;
        assert_eq!(errno(Limits::none()), "0");
        assert_eq!(errno(Limits::none().with_memory(64 << 20)), NOTSUP);
    });
}

/// Writes or reads five bytes at 0, and then as many outside the memory.
const VECTORS: &str = r#"(module
    (import "wasix_32v1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasix_32v1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "hello")
    (data (i32.const 16) "\00\00\00\00\05\00\00\00\fd\ff\00\00\05\00\00\00")
    (func (export "write") (param i32 i32) (result i32)
        (call $write (local.get 0) (i32.const 16) (local.get 1) (i32.const 32)))
    (func (export "read") (param i32 i32) (result i32)
        (call $read (local.get 0) (i32.const 16) (local.get 1) (i32.const 32))))"#;

#[test]
fn a_bad_vector_fails_before_any_byte_is_read_or_written() {
    const BADF: i32 = 8;
    const MEMVIOLATION: i32 = 78;
    on_each(|config| {
        let program = Program::new(&config, VECTORS.as_bytes());
        let stdout = Captured::new();
        let granted = args(&[]).with_stdin(Input::Bytes(b"world".to_vec()));
        let mut guest = program.start(Limits::none(), granted.with_stdout(Output::Capture(stdout.clone()))).unwrap();
        let mut call = |name, descriptor, count| {
            let results = guest.call(name, &[Value::I32(descriptor), Value::I32(count)]);
            results.unwrap()[0]
        };
        assert_eq!(call("write", 77, 2), Value::I32(BADF));
        assert_eq!(call("write", 1, 2), Value::I32(MEMVIOLATION));
        assert_eq!(call("write", 1, i32::MAX), Value::I32(MEMVIOLATION));
        assert_eq!(call("read", 0, 2), Value::I32(MEMVIOLATION));
        assert_eq!(stdout.contents(), b"");
        assert_eq!(call("read", 0, 1), Value::I32(0));
        assert_eq!(call("write", 1, 1), Value::I32(0));
        assert_eq!(stdout.contents(), b"world");
    });
}

/// Polls for timeouts of a nanosecond.
const POLLS: &str = r#"(module
    (import "wasix_32v1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (func (export "poll") (param $count i32) (result i32) (local $at i32)
        (loop $next
            (i32.store offset=16 (local.get $at) (i32.const 1))
            (i64.store offset=24 (local.get $at) (i64.const 1))
            (local.set $at (i32.add (local.get $at) (i32.const 48)))
            (br_if $next (i32.lt_u (local.get $at) (i32.mul (local.get $count) (i32.const 48)))))
        (call $poll (i32.const 0) (i32.const 65536) (local.get $count) (i32.const 131064))))"#;

#[test]
fn a_poll_has_at_most_1024_subscriptions() {
    const TOO_BIG: i32 = 1;
    on_each(|config| {
        let program = Program::new(&config, POLLS.as_bytes());
        let mut guest = program.start(Limits::none(), args(&[])).unwrap();
        let mut poll = |count| guest.call("poll", &[Value::I32(count)]).unwrap();
        assert_eq!(poll(1024), [Value::I32(0)]);
        assert_eq!(poll(1025), [Value::I32(TOO_BIG)]);
    });
}
