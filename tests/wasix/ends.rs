//! A program ends with the first of its threads that traps or exits, or with the main one.

use std::time::Instant;

use wrun::{Capabilities, DirGrant, ErrorKind, InstanceState, Limits, Trap, Value};

use crate::guest::{End, Program, args, fixture, on_each, refused};

fn check_end(what: &'static str, end: &'static End) {
    on_each(move |config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let start = Instant::now();
        assert_eq!(program.run(args(&[what])).end, *end, "{what}");
        assert!(start.elapsed().as_secs() < 5, "{what} took {:?}", start.elapsed());
    });
}

#[test]
fn a_trap_in_a_thread_ends_the_program() {
    check_end("trap", &End::Trap(Trap::Unreachable));
    check_end("trap-while-running", &End::Trap(Trap::Unreachable));
    check_end("trap-while-waiting", &End::Trap(Trap::Unreachable));
    check_end("trap-while-reading", &End::Trap(Trap::Unreachable));
}

#[test]
fn an_exit_in_a_thread_ends_the_program() {
    check_end("exit", &End::Code(40));
}

#[test]
fn the_end_of_the_main_thread_ends_the_others() {
    check_end("leave-running", &End::Code(0));
    check_end("exit-while-running", &End::Code(7));
    check_end("trap-with-threads", &End::Trap(Trap::Unreachable));
}

#[test]
fn a_trap_names_its_thread() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let mut guest = program.start(Limits::none(), args(&["trap"])).unwrap();
        let error = guest.call("_start", &[]).unwrap_err();
        assert_eq!(error.message(), "unreachable executed: in thread 2");
        assert!(!error.backtrace().is_empty());
        assert_eq!(guest.state(), InstanceState::Crashed);
    });
}

#[test]
fn no_calls_run_after_the_end() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let mut guest = program.start(Limits::none(), args(&["trap"])).unwrap();
        guest.call("_start", &[]).unwrap_err();
        guest.recover();
        refused(guest.call("counted", &[]), ErrorKind::Crashed, "has ended with its threads");
        let mut guest = program.start(Limits::none(), args(&["leave-running"])).unwrap();
        guest.call("_start", &[]).unwrap();
        refused(guest.call("counted", &[]), ErrorKind::Crashed, "has ended with its threads");
    });
}

#[test]
fn an_exit_ends_threads_of_an_export() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
        guest.call("start_one", &[]).unwrap();
        assert_eq!(guest.call("stop_all", &[]).unwrap_err().exit_code(), Some(5));
        assert_eq!(guest.state(), InstanceState::Exited(5));
    });
}

/// A guest with a shared memory, as if it had threads. WASIX panics when it renames a folder in its own parent.
const RENAMES: &str = r#"(module
    (import "wasix_32v1" "path_create_directory" (func $create (param i32 i32 i32) (result i32)))
    (import "wasix_32v1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "env" "memory" (memory 1 1 shared))
    (data (i32.const 0) "/dir/../dir/../moved")
    (func (export "create") (result i32) (call $create (i32.const 3) (i32.const 0) (i32.const 4)))
    (func (export "rename") (result i32)
        (call $rename (i32.const 3) (i32.const 0) (i32.const 11) (i32.const 3) (i32.const 0) (i32.const 20))))"#;

#[test]
fn a_panic_of_wasix_fails_only_the_call() {
    const IO: i32 = 29;
    on_each(|config| {
        let program = Program::new(&config, RENAMES.as_bytes());
        let dir = tempfile::tempdir().unwrap();
        let granted = Capabilities::none().with_dir(DirGrant::new(dir.path(), "/"));
        let mut guest = program.start(Limits::none(), granted).unwrap();
        let mut errno = |call| guest.call(call, &[]).unwrap();
        assert_eq!(errno("create"), [Value::I32(0)]);
        assert_eq!(errno("rename"), [Value::I32(IO)]);
        assert!(dir.path().join("moved").is_dir());
        assert_eq!(errno("create"), [Value::I32(0)]);
    });
}
