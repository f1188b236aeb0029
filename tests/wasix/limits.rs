//! Limits apply to a program with all its threads, or are refused.

use wrun::{Capabilities, ErrorKind, ExternType, LimitKind, Limits, ModuleInfo, Trap};

use crate::guest::{End, Program, args, fixture, on_each, refused};

/// Returns the maximum size of the shared memory in bytes.
fn shared_bytes() -> u64 {
    let module = ModuleInfo::read(&fixture("threads.wasm")).unwrap();
    let memory = module.imports.iter().find_map(|import| match &import.ty {
        ExternType::Memory(ty) => Some(*ty),
        _ => None,
    });
    memory.unwrap().committed_bytes()
}

#[test]
fn a_shared_memory_counts_with_its_maximum() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let bytes = shared_bytes();
        let error = refused(
            program.start(Limits::none().with_memory(bytes - 1), Capabilities::none()),
            ErrorKind::Limit,
            "linear memory",
        );
        assert_eq!(error.limit_exceeded().unwrap().kind, LimitKind::Memory);
        let guest = program.start(Limits::none().with_memory(bytes), Capabilities::none()).unwrap();
        assert_eq!(guest.memory_bytes(), bytes);
        assert_eq!(program.run_within(Limits::none().with_memory(bytes), args(&["add"])).stdout, "counter=8000\n");
    });
}

/// A guest whose threads each have an unshared memory besides the shared one.
const OWN_MEMORY: &str = r#"(module
    (import "wasix_32v1" "thread_spawn_v2" (func $spawn (param i32 i32) (result i32)))
    (import "wasix_32v1" "thread_join" (func $join (param i32) (result i32)))
    (import "env" "memory" (memory $shared 1 1 shared))
    (memory $own 2)
    (global $grow (mut i32) (i32.const 0))
    (func (export "wasi_thread_start") (param i32 i32)
        (i32.atomic.store $shared (i32.const 512) (memory.grow $own (i32.load $shared (i32.const 516))))
        (drop (memory.atomic.wait32 $shared (i32.const 520) (i32.const 0) (i64.const -1))))
    (func (export "open")
        (i32.atomic.store $shared (i32.const 520) (i32.const 1))
        (drop (memory.atomic.notify $shared (i32.const 520) (i32.const 100))))
    (func (export "start") (param $at i32) (param $more i32) (result i32)
        (i32.store $shared (i32.const 512) (i32.const 77))
        (i32.store $shared (i32.const 516) (local.get $more))
        (call $spawn (i32.const 0) (local.get $at)))
    (func (export "join") (param $at i32) (result i32) (call $join (i32.load $shared (local.get $at))))
    (func (export "grown") (result i32)
        (loop $again (br_if $again (i32.eq (i32.const 77) (i32.atomic.load $shared (i32.const 512)))))
        (i32.atomic.load $shared (i32.const 512))))"#;

#[test]
fn memories_of_threads_count_until_the_threads_end() {
    const PAGE: u64 = 65536;
    on_each(|config| {
        let program = Program::new(&config, OWN_MEMORY.as_bytes());
        // One shared page, two of the caller, two of a thread that grow to three: six.
        let mut guest = program.start(Limits::none().with_memory(6 * PAGE), Capabilities::none()).unwrap();
        assert_eq!(guest.memory_bytes(), 3 * PAGE);
        assert_eq!(guest.call_simple_function("start", &[128, 1]).unwrap(), 0);
        assert_eq!(guest.call_simple_function("grown", &[]).unwrap(), 2, "the size before growing");
        assert_eq!(guest.memory_bytes(), 6 * PAGE);
        assert_ne!(guest.call_simple_function("start", &[132, 0]).unwrap(), 0, "another thread exceeds the limit");
        guest.call("open", &[]).unwrap();
        guest.call_simple_function("join", &[128]).unwrap();
        // The store of the thread is dropped soon after; then another thread fits.
        while guest.call_simple_function("start", &[132, 2]).unwrap() != 0 {}
        assert_eq!(guest.call_simple_function("grown", &[]).unwrap(), -1, "two more pages exceed the limit");
        assert_eq!(guest.memory_peak_bytes(), 6 * PAGE);
    });
}

#[test]
fn tables_of_threads_are_bounded() {
    let wat = r#"(module
        (import "wasix_32v1" "thread_spawn_v2" (func $spawn (param i32 i32) (result i32)))
        (import "env" "memory" (memory 1 1 shared))
        (table $own 2 funcref)
        (func (export "wasi_thread_start") (param i32 i32)
            (i32.atomic.store (i32.const 512) (table.grow $own (ref.null func) (i32.load (i32.const 516)))))
        (func (export "grow") (param $more i32) (result i32)
            (i32.store (i32.const 512) (i32.const 77))
            (i32.store (i32.const 516) (local.get $more))
            (drop (call $spawn (i32.const 0) (i32.const 128)))
            (loop $again (br_if $again (i32.eq (i32.const 77) (i32.atomic.load (i32.const 512)))))
            (i32.atomic.load (i32.const 512))))"#;
    on_each(move |config| {
        let program = Program::new(&config, wat.as_bytes());
        let limits = Limits::none().with_table_elements(10);
        let mut guest = program.start(limits, Capabilities::none()).unwrap();
        assert_eq!(guest.call_simple_function("grow", &[8]).unwrap(), 2);
        assert_eq!(guest.call_simple_function("grow", &[9]).unwrap(), -1);
    });
}

#[test]
fn the_trap_of_a_thread_reports_a_denied_growth() {
    let wat = r#"(module
        (import "wasix_32v1" "thread_spawn_v2" (func $spawn (param i32 i32) (result i32)))
        (import "wasix_32v1" "thread_sleep" (func $sleep (param i64) (result i32)))
        (import "env" "memory" (memory 1 1 shared))
        (memory $own 1)
        (func (export "wasi_thread_start") (param i32 i32)
            (if (i32.eq (i32.const -1) (memory.grow $own (i32.const 5))) (then (unreachable))))
        (func (export "_start")
            (drop (call $spawn (i32.const 0) (i32.const 128)))
            (drop (call $sleep (i64.const 1000000000000)))))"#;
    on_each(move |config| {
        let program = Program::new(&config, wat.as_bytes());
        let mut guest = program.start(Limits::none().with_memory(4 * 65536), Capabilities::none()).unwrap();
        let error = guest.call("_start", &[]).unwrap_err();
        assert_eq!((error.trap_code(), error.limit_exceeded().unwrap().limit), (Some(Trap::Unreachable), 4 * 65536));
    });
}

#[test]
fn fuel_is_limited_only_without_threads() {
    on_each(|config| {
        let config = config.with_metering();
        let program = Program::new(&config, &fixture("threads.wasm"));
        let limits = Limits::none().with_fuel(1000);
        refused(program.start(limits, Capabilities::none()), ErrorKind::UnsupportedFeature, "can start threads");
        let mut guest = program.start(Limits::none(), args(&["add"])).unwrap();
        assert_eq!(guest.fuel_used(), None, "the fuel of threads is not counted");
        refused(guest.reset_fuel(5), ErrorKind::UnsupportedConfig, "does not meter fuel");

        let hello = Program::new(&config, &fixture("hello.wasm"));
        let mut guest = hello.start(limits, Capabilities::none()).unwrap();
        guest.call("_start", &[]).unwrap();
        let used = guest.fuel_used().unwrap();
        assert!(used > 10, "{used}");
        let mut guest = hello.start(Limits::none().with_fuel(used - 1), Capabilities::none()).unwrap();
        assert_eq!(guest.call("_start", &[]).unwrap_err().kind(), ErrorKind::OutOfFuel);
    });
}

#[test]
fn a_guest_without_fuel_cannot_call_the_host() {
    let wat = r#"(module
        (import "wasix_32v1" "proc_exit2" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (i32.const 3))))"#;
    on_each(move |config| {
        let program = Program::new(&config.with_metering(), wat.as_bytes());
        let run =
            |fuel| program.start(Limits::none().with_fuel(fuel), Capabilities::none()).unwrap().call("_start", &[]);
        assert_eq!(run(3).unwrap_err().exit_code(), Some(3));
        assert_eq!(run(2).unwrap_err().kind(), ErrorKind::OutOfFuel);
    });
}

#[test]
fn the_stack_limit_applies_to_threads() {
    let wat = r#"(module
        (import "wasix_32v1" "thread_spawn_v2" (func $spawn (param i32 i32) (result i32)))
        (import "wasix_32v1" "thread_join" (func $join (param i32) (result i32)))
        (import "env" "memory" (memory 1 1 shared))
        (func $deep
            (drop (i32.atomic.rmw.add (i32.const 512) (i32.const 1)))
            (call $deep)
            (drop (i32.atomic.rmw.add (i32.const 516) (i32.const 1))))
        (func (export "wasi_thread_start") (param i32 i32) (call $deep))
        (func (export "deep") (call $deep))
        (func (export "depth") (result i32) (i32.load (i32.const 512)))
        (func (export "_start")
            (i32.store (i32.const 512) (i32.const 0))
            (drop (call $spawn (i32.const 0) (i32.const 128)))
            (drop (call $join (i32.load (i32.const 128))))))"#;
    on_each(move |config| {
        let program = Program::new(&config, wat.as_bytes());
        let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
        assert_eq!(guest.call("deep", &[]).unwrap_err().trap_code(), Some(Trap::StackOverflow));
        guest.recover();
        let depth = guest.call_simple_function("depth", &[]).unwrap();
        assert_eq!(program.run(Capabilities::none()).end, End::Trap(Trap::StackOverflow));
        assert!(depth > 1000, "{depth}");
    });
}
