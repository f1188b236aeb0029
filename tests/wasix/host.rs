//! Host functions together with WASIX, also in threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use wrun::{Capabilities, ErrorKind, FuncType, HostImports, Limits, Trap, ValType, Value};

use crate::guest::{End, Program, end, on_each, refused};

const GUEST: &str = r#"(module
    (import "wasix_32v1" "thread_spawn_v2" (func $spawn (param i32 i32) (result i32)))
    (import "wasix_32v1" "thread_join" (func $join (param i32) (result i32)))
    (import "host" "take" (func $take (param i32)))
    (import "env" "memory" (memory 1 4 shared))
    (export "memory" (memory 0))
    (func (export "wasi_thread_start") (param i32 i32) (call $take (i32.const 100)))
    (func (export "_start")
        (call $take (i32.const 1))
        (drop (call $spawn (i32.const 0) (i32.const 128)))
        (drop (call $join (i32.load (i32.const 128))))))"#;

fn taking(take: impl Fn(i32) -> Result<(), wrun::HostError> + Send + Sync + 'static) -> HostImports {
    HostImports::none().with_function("host", "take", FuncType::new([ValType::I32], []), move |_, args| {
        let [Value::I32(number)] = args else { unreachable!("the type says so") };
        take(*number).map(|()| Vec::new())
    })
}

#[test]
fn all_threads_call_a_host_function() {
    on_each(|config| {
        let sum = Arc::new(AtomicI32::new(0));
        let shared = Arc::clone(&sum);
        let imports = taking(move |number| {
            shared.fetch_add(number, Ordering::SeqCst);
            Ok(())
        });
        let program = Program::new(&config, GUEST.as_bytes());
        let mut guest = program.start_with(Limits::none(), Capabilities::none(), &imports).unwrap();
        guest.call("_start", &[]).unwrap();
        assert_eq!(sum.load(Ordering::SeqCst), 101);
    });
}

#[test]
fn a_host_function_that_fails_or_panics_in_a_thread_ends_the_program() {
    on_each(|config| {
        let program = Program::new(&config, GUEST.as_bytes());
        let imports = taking(|number| if number == 1 { Ok(()) } else { Err("refused".into()) });
        let mut guest = program.start_with(Limits::none(), Capabilities::none(), &imports).unwrap();
        let error = guest.call("_start", &[]).unwrap_err();
        assert_eq!(error.message(), "host function failed: refused, in thread 2");
        assert_eq!(error.trap_code(), Some(Trap::Host));

        let imports = taking(|number| if number == 1 { Ok(()) } else { panic!("a bug in the host") });
        let mut guest = program.start_with(Limits::none(), Capabilities::none(), &imports).unwrap();
        refused(guest.call("_start", &[]), ErrorKind::Internal, "a bug in the host");
    });
}

#[test]
fn shared_memory_is_only_copied() {
    on_each(|config| {
        let imports =
            HostImports::none().with_function("host", "take", FuncType::new([ValType::I32], []), move |context, _| {
                let refused = context.memory("memory", &mut |_| unreachable!("the memory is shared")).unwrap_err();
                assert_eq!(refused.kind(), ErrorKind::UnsupportedFeature);
                context.write_memory("memory", 200, b"abc")?;
                let mut read = [0; 3];
                context.read_memory("memory", 200, &mut read)?;
                assert_eq!(&read, b"abc");
                Ok(Vec::new())
            });
        let program = Program::new(&config, GUEST.as_bytes());
        let mut guest = program.start_with(Limits::none(), Capabilities::none(), &imports).unwrap();
        assert_eq!(end(guest.call("_start", &[]).map(drop)), End::Code(0));
        let mut read = [0; 3];
        guest.read_memory("memory", 200, &mut read).unwrap();
        assert_eq!(&read, b"abc");
    });
}

#[test]
fn a_host_function_overrides_one_of_wasix() {
    let wat = r#"(module
        (import "wasix_32v1" "sched_yield" (func $yield (result i32)))
        (import "wasix_32v1" "thread_id" (func $id (param i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "yield") (result i32) (call $yield))
        (func (export "id") (result i32) (drop (call $id (i32.const 8))) (i32.load (i32.const 8))))"#;
    on_each(move |config| {
        let ty = FuncType::new([], [ValType::I32]);
        let imports =
            HostImports::none().with_function("wasix_32v1", "sched_yield", ty, |_, _| Ok(vec![Value::I32(7)]));
        let program = Program::new(&config, wat.as_bytes());
        let mut guest = program.start_with(Limits::none(), Capabilities::none(), &imports).unwrap();
        assert_eq!(guest.call_simple_function("yield", &[]).unwrap(), 7);
        assert_eq!(guest.call_simple_function("id", &[]).unwrap(), 1);
    });
}

#[test]
fn a_thread_of_an_export_runs_until_the_instance_is_dropped() {
    let wat = r#"(module
        (import "wasix_32v1" "thread_spawn_v2" (func $spawn (param i32 i32) (result i32)))
        (import "host" "take" (func $take (param i32)))
        (import "env" "memory" (memory 1 1 shared))
        (func (export "wasi_thread_start") (param i32 i32) (loop $on (call $take (i32.const 1)) (br $on)))
        (func (export "start") (result i32) (call $spawn (i32.const 0) (i32.const 128))))"#;
    on_each(move |config| {
        let taken = Arc::new(AtomicI32::new(0));
        let shared = Arc::clone(&taken);
        let imports = taking(move |_| {
            shared.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        let program = Program::new(&config, wat.as_bytes());
        let mut guest = program.start_with(Limits::none(), Capabilities::none(), &imports).unwrap();
        assert_eq!(guest.call_simple_function("start", &[]).unwrap(), 0);
        let more_than = |before: i32| {
            while taken.load(Ordering::SeqCst) <= before {
                std::thread::yield_now();
            }
            taken.load(Ordering::SeqCst)
        };
        more_than(more_than(0));
        drop(guest);
        let last = taken.load(Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert_eq!(taken.load(Ordering::SeqCst), last, "the thread runs after its instance was dropped");
    });
}
