//! The guest's stack: the same limit on both engines and on every thread.

use std::thread;

use wrun::{
    Capabilities, Compiler, ErrorKind, FuncType, HostImports, Limits, RuntimeConfig, RuntimeKind, Trap, ValType, Value,
    WasmInstance, WasmRuntime, create_runtime,
};

use crate::vocabulary::{Engine, assert_contains, engines, hints, on_each, refused, trapped};

/// `dive` counts its frames until the stack is exhausted. `reach` recurses to a given depth and calls the host there.
const DIVER: &str = r#"
(module
  (import "host" "bottom" (func $bottom (result i32)))
  (global $depth (export "depth") (mut i32) (i32.const 0))
  (func $dive (export "dive") (result i32)
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (i32.add (call $dive) (i32.const 1)))
  (func $reach (export "reach") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (call $bottom))
      (else (i32.add (call $reach (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))))))"#;

const MIB: u64 = 1 << 20;

/// A host function that uses some stack.
fn bottom() -> HostImports {
    HostImports::none().with_function("host", "bottom", FuncType::new([], [ValType::I32]), |_, _| {
        #[expect(clippy::large_stack_arrays, reason = "the function must use stack")]
        let scratch = std::hint::black_box([1u8; 64 << 10]);
        Ok(vec![Value::I32(i32::from(scratch[scratch.len() - 1]) - 1)])
    })
}

fn diver(runtime: &dyn WasmRuntime) -> Box<dyn WasmInstance> {
    let module = runtime.load_module(DIVER.as_bytes()).unwrap();
    runtime.create_instance_with(module.as_ref(), Limits::none(), Capabilities::none(), &bottom()).unwrap()
}

/// Returns the number of frames until a guest traps.
fn depth(runtime: &dyn WasmRuntime) -> i32 {
    depth_of(diver(runtime).as_mut())
}

fn depth_of(guest: &mut dyn WasmInstance) -> i32 {
    let before = counted(guest);
    trapped(guest.call("dive", &[]), Trap::StackOverflow);
    guest.recover();
    counted(guest) - before
}

fn counted(guest: &mut dyn WasmInstance) -> i32 {
    match guest.global("depth").unwrap() {
        Value::I32(depth) => depth,
        other => panic!("{other:?}"),
    }
}

/// Runs `work` on a thread with a stack of this size.
fn on_thread_of<T: Send>(bytes: usize, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(bytes).spawn_scoped(scope, work).unwrap();
        thread.join().unwrap()
    })
}

#[test]
fn endless_recursion_traps_and_the_instance_recovers() {
    on_each(|engine| {
        let mut guest = diver(engine.runtime.as_ref());
        let first = depth_of(guest.as_mut());
        assert!(first > 5_000, "only {first} frames in 1 MiB");
        assert_eq!(depth_of(guest.as_mut()), first, "the same depth again");
        assert_eq!(guest.call_simple_function("reach", &[1000]).unwrap(), 1000);
    });
}

#[test]
fn the_same_compiler_reaches_about_the_same_depth_on_every_engine() {
    let depths: Vec<_> = engines()
        .filter(|engine| engine.compiler == Compiler::Cranelift)
        .map(|engine| f64::from(depth(engine.runtime.as_ref())))
        .collect();
    let (least, most) = depths.iter().fold((f64::MAX, 0.0), |(least, most), depth| (depth.min(least), depth.max(most)));
    assert!(most <= 1.1 * least, "{depths:?}");
}

#[test]
fn the_depth_is_the_same_on_a_thread_with_a_small_stack() {
    on_each(|engine| {
        let here = depth(engine.runtime.as_ref());
        let mut guest = diver(engine.runtime.as_ref());
        for stack in [256 << 10, 512 << 10, 8 << 20] {
            assert_eq!(on_thread_of(stack, || depth_of(guest.as_mut())), here, "a thread with {stack} bytes");
        }
    });
}

#[test]
fn a_start_function_has_the_whole_stack_on_a_thread_with_a_small_one() {
    on_each(|engine| {
        let frames = depth(engine.runtime.as_ref()) / 8;
        let wat = format!(
            r#"(module
              (global $left (export "left") (mut i32) (i32.const {frames}))
              (func $start
                (if (global.get $left) (then
                  (global.set $left (i32.sub (global.get $left) (i32.const 1)))
                  (call $start)
                  (drop (i32.add (global.get $left) (i32.const 1))))))
              (start $start))"#
        );
        let module = engine.load(&wat);
        let start = || engine.runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
        let mut guest = on_thread_of(256 << 10, start).unwrap();
        assert_eq!(guest.global("left").unwrap(), Value::I32(0));
    });
}

#[test]
fn a_host_function_called_at_the_deepest_frame_has_enough_stack() {
    on_each(|engine| {
        let mut guest = diver(engine.runtime.as_ref());
        let deepest = on_thread_of(512 << 10, || deepest_reach(guest.as_mut()));
        assert!(deepest > 5_000, "the host was reached from {deepest} frames at most");
    });
}

/// Returns the largest depth at which the guest can call the host; one more frame traps.
fn deepest_reach(guest: &mut dyn WasmInstance) -> i32 {
    let (mut reached, mut too_deep) = (0, 1 << 24);
    while too_deep - reached > 1 {
        let middle = i32::midpoint(reached, too_deep);
        match guest.call_simple_function("reach", &[middle]) {
            Ok(frames) => {
                assert_eq!(frames, middle);
                reached = middle;
            }
            error => {
                trapped(error, Trap::StackOverflow);
                guest.recover();
                too_deep = middle;
            }
        }
    }
    reached
}

fn with_stack(engine: &Engine, bytes: u64) -> wrun::Result<Box<dyn WasmRuntime>> {
    create_runtime(&RuntimeConfig::new(engine.kind).with_compiler(engine.compiler).with_max_stack(bytes))
}

#[test]
fn another_stack_size_changes_the_depth_or_is_refused() {
    on_each(|engine| {
        let usual = f64::from(depth(engine.runtime.as_ref()));
        for (bytes, factor) in [(64 << 10, 1.0 / 16.0), (MIB / 2, 0.5), (4 * MIB, 4.0), (16 * MIB, 16.0)] {
            let made = with_stack(engine, bytes);
            if engine.kind == RuntimeKind::Wasmer {
                let error = refused(made, ErrorKind::UnsupportedConfig);
                assert_contains(error.message(), &["one guest stack size per process", "1048576", &bytes.to_string()]);
                assert_contains(&hints(&error), &["another process"]);
                continue;
            }
            let runtime = made.unwrap();
            let depth = f64::from(on_thread_of(512 << 10, || depth(runtime.as_ref())));
            assert!((0.9..1.1).contains(&(depth / usual / factor)), "{depth} at {bytes} bytes, {usual} at 1 MiB");
        }
    });
}

#[test]
fn the_default_stack_can_be_requested_by_its_size() {
    on_each(|engine| {
        let same = with_stack(engine, MIB).unwrap();
        assert_eq!(depth(same.as_ref()), depth(engine.runtime.as_ref()));
    });
}
