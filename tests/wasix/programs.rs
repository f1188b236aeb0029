//! Single-threaded programs.

use wrun::{Capabilities, Captured, Input, Limits, Output, Value};

use crate::guest::{End, Program, Ran, args, fixture, on_each};

#[test]
fn a_program_says_hello() {
    on_each(|config| {
        let hello = Program::new(&config, &fixture("hello.wasm"));
        let expected = Ran { end: End::Code(0), stdout: "hello from WASIX\n".to_owned() };
        assert_eq!(hello.run(Capabilities::none()), expected);
        assert_eq!(hello.run(args(&["nothing"])), expected, "another instance");
    });
}

#[test]
fn exit_codes_have_32_bits() {
    on_each(|config| {
        let hello = Program::new(&config, &fixture("hello.wasm"));
        for (how, code) in [("exit", 12), ("exit-far", 300), ("exit-below", -1)] {
            assert_eq!(hello.run(args(&[how])).end, End::Code(code), "{how}");
        }
    });
}

#[test]
fn other_exports_can_be_called() {
    on_each(|config| {
        let hello = Program::new(&config, &fixture("hello.wasm"));
        let mut guest = hello.start(Limits::none(), Capabilities::none()).unwrap();
        assert_eq!(guest.call("add", &[Value::I32(5), Value::I32(3)]).unwrap(), [Value::I32(8)]);
        guest.call("_start", &[]).unwrap();
        assert_eq!(guest.call_simple_function("add", &[1, 2]).unwrap(), 3);
    });
}

#[test]
fn a_program_sees_its_grants() {
    on_each(|config| {
        let world = Program::new(&config, &fixture("world.wasm"));
        let granted = args(&["--flag", "two words"]).with_env("LANG", "C").with_env("EMPTY", "");
        let ran = world.run(granted.with_stdin(Input::Bytes(b"from the host".to_vec())));
        let expected = [
            "arg program",
            "arg --flag",
            "arg two words",
            "env LANG=C",
            "env EMPTY=",
            "folder /",
            "folder .",
            "folder /",
            "slept=1",
            "today=1",
            "random=1",
            "read from the host",
            "",
        ];
        assert_eq!(ran, Ran { end: End::Code(0), stdout: expected.join("\n") });
    });
}

#[test]
fn without_grants_a_program_sees_nothing_of_the_host() {
    on_each(|config| {
        let world = Program::new(&config, &fixture("world.wasm"));
        let expected = ["folder /", "folder .", "folder /", "slept=1", "today=1", "random=1", ""];
        assert_eq!(world.run(Capabilities::none()), Ran { end: End::Code(0), stdout: expected.join("\n") });
    });
}

#[test]
fn standard_error_is_captured_separately() {
    let wat = r#"(module
        (import "wasix_32v1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\08\00\00\00\03\00\00\00err")
        (func (export "_start") (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;
    on_each(move |config| {
        let (stdout, stderr) = (Captured::new(), Captured::new());
        let granted = Capabilities::none().with_stdout(Output::Capture(stdout.clone()));
        let granted = granted.with_stderr(Output::Capture(stderr.clone()));
        let program = Program::new(&config, wat.as_bytes());
        program.start(Limits::none(), granted).unwrap().call("_start", &[]).unwrap();
        assert_eq!((stdout.contents(), stderr.contents()), (Vec::new(), b"err".to_vec()));
    });
}

#[test]
fn preview_1_and_wasix_share_file_descriptors() {
    let wat = r#"(module
        (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
        (import "wasix_32v1" "fd_dup" (func $dup (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "close_and_dup") (result i32 i32)
            (call $close (i32.const 1))
            (call $dup (i32.const 1) (i32.const 0))))"#;
    on_each(move |config| {
        let program = Program::new(&config, wat.as_bytes());
        let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
        let errno = guest.call("close_and_dup", &[]).unwrap();
        assert_eq!(errno, [Value::I32(0), Value::I32(8)], "a descriptor closed through one is closed for the other");
    });
}

#[test]
fn every_function_exists_with_its_type() {
    on_each(|config| {
        let all = fixture("all.wat");
        assert!(std::str::from_utf8(&all).unwrap().lines().count() > 200);
        Program::new(&config, &all).start(Limits::none(), Capabilities::none()).unwrap();
    });
}

#[test]
fn initialize_runs_and_traps_have_their_kind() {
    let wat = r#"(module
        (import "wasix_32v1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func (export "_initialize") (i32.store (i32.const 0) (call $yield)) (i32.store (i32.const 4) (i32.const 6)))
        (func (export "get") (result i32) (i32.load (i32.const 4)))
        (func (export "_start") (drop (i32.div_s (i32.const 1) (i32.load (i32.const 0))))))"#;
    on_each(move |config| {
        let program = Program::new(&config, wat.as_bytes());
        let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
        guest.call("_initialize", &[]).unwrap();
        assert_eq!(guest.call_simple_function("get", &[]).unwrap(), 6);
        assert_eq!(program.run(Capabilities::none()).end, End::Trap(wrun::Trap::IntegerDivideByZero));
        // As with preview 1, a guest can be recovered after a trap.
        guest.call("_start", &[]).unwrap_err();
        guest.recover();
        assert_eq!(guest.call_simple_function("get", &[]).unwrap(), 6);
    });
}

#[test]
fn a_guest_without_memory_gets_errnos() {
    let wat = r#"(module
        (import "wasix_32v1" "random_get" (func $random (param i32 i32) (result i32)))
        (func (export "random") (result i32) (call $random (i32.const 0) (i32.const 4))))"#;
    on_each(move |config| {
        let program = Program::new(&config, wat.as_bytes());
        let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
        assert_ne!(guest.call_simple_function("random", &[]).unwrap(), 0);
    });
}
