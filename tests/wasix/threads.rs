//! Threads run and share memory.

use wrun::limits::MAX_THREADS;
use wrun::{Capabilities, Limits};

use crate::guest::{End, Program, Ran, args, fixture, on_each};

fn check(what: &str, end: &End, stdout: &str) {
    let (what, end, stdout) = (what.to_owned(), format!("{end:?}"), stdout.to_owned());
    on_each(move |config| {
        let Ran { end: got, stdout: output } = Program::new(&config, &fixture("threads.wasm")).run(args(&[&what]));
        assert_eq!((format!("{got:?}"), output.as_str()), (end.clone(), stdout.as_str()), "{what}");
    });
}

#[test]
fn threads_share_a_counter_and_are_joined() {
    check("add", &End::Code(0), "counter=8000\n");
}

#[test]
fn threads_wait_for_a_futex() {
    check("futex", &End::Code(0), "counter=8\n");
}

#[test]
fn threads_wait_with_an_instruction() {
    check("wait", &End::Code(0), "counter=8\n");
}

#[test]
fn a_thread_exits() {
    check("thread-exit", &End::Code(0), "counter=1\n");
}

#[test]
fn the_number_of_running_threads_is_limited() {
    let stdout = format!("started={MAX_THREADS}\nerrno=2\ncounter={MAX_THREADS}\nagain={}\n", MAX_THREADS + 1000);
    check("many", &End::Code(0), &stdout);
}

#[test]
fn a_thread_grows_the_shared_memory() {
    check("grow", &End::Code(0), &format!("grown={}\n", pages()));
}

/// Returns the initial size of the shared memory in pages.
fn pages() -> u64 {
    let module = wrun::ModuleInfo::read(&fixture("threads.wasm")).unwrap();
    let memory = module.imports.iter().find_map(|import| match &import.ty {
        wrun::ExternType::Memory(ty) => Some(*ty),
        _ => None,
    });
    memory.unwrap().minimum
}

#[test]
fn threads_of_the_wasi_threads_proposal_run() {
    let wat = r#"(module
        (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
        (import "env" "memory" (memory 1 4 shared))
        (export "memory" (memory 0))
        (func (export "wasi_thread_start") (param i32 i32)
            (i32.atomic.store (i32.const 64) (local.get 1))
            (drop (memory.atomic.notify (i32.const 64) (i32.const 1))))
        (func (export "start") (result i32) (call $spawn (i32.const 128)))
        (func (export "await") (result i32)
            (drop (memory.atomic.wait32 (i32.const 64) (i32.const 0) (i64.const -1)))
            (i32.atomic.load (i32.const 64))))"#;
    on_each(move |config| {
        let program = Program::new(&config, wat.as_bytes());
        let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
        assert!(guest.call_simple_function("start", &[]).unwrap() > 0);
        assert_eq!(guest.call_simple_function("await", &[]).unwrap(), 128);
    });
}

#[test]
fn threads_need_a_start_export_and_a_shared_memory() {
    let no_entry = r#"(module
        (import "wasix_32v1" "thread_spawn_v2" (func $spawn (param i32 i32) (result i32)))
        (import "env" "memory" (memory 1 4 shared))
        (func (export "start") (result i32) (call $spawn (i32.const 0) (i32.const 128))))"#;
    let not_shared = r#"(module
        (import "wasix_32v1" "thread_spawn_v2" (func $spawn (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "wasi_thread_start") (param i32 i32))
        (func (export "start") (result i32) (call $spawn (i32.const 0) (i32.const 128))))"#;
    on_each(move |config| {
        for wat in [no_entry, not_shared] {
            let program = Program::new(&config, wat.as_bytes());
            let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
            assert_ne!(guest.call_simple_function("start", &[]).unwrap(), 0);
        }
    });
}
