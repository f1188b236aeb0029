//! Instantiation: segments and the start function run; other exports do not.

use wrun::{Capabilities, ErrorKind, Feature, Limits, RuntimeConfig, Trap, Value, create_runtime};

use crate::vocabulary::{Engine, assert_contains, engines, on_each, on_each_with, refused, trapped};

fn no_instance_is_left(engine: &Engine) {
    let metrics = engine.runtime.metrics();
    let counts = (metrics.instances_created, metrics.instances_alive, metrics.memory_bytes, metrics.calls);
    assert_eq!(counts, (0, 0, 0, 0), "created, alive, bytes, calls");
}

#[test]
fn the_start_function_runs_once_before_any_call() {
    let wat = r#"
        (module
          (global $runs (export "runs") (mut i32) (i32.const 0))
          (func $start (global.set $runs (i32.add (global.get $runs) (i32.const 1))))
          (func (export "get") (result i32) (global.get $runs))
          (start $start))"#;
    on_each(|engine| {
        let mut guest = engine.start(wat);
        assert_eq!(guest.global("runs").unwrap(), Value::I32(1));
        assert_eq!(guest.call_simple_function("get", &[]).unwrap(), 1);
    });
}

#[test]
fn a_start_function_that_traps_leaves_no_instance() {
    let wat = "
        (module
          (memory 4)
          (func $inner (unreachable))
          (func $start (call $inner))
          (start $start))";
    on_each(|engine| {
        let error = trapped(engine.try_start(wat), Trap::Unreachable);
        let frames: Vec<_> = error.backtrace().iter().map(|frame| frame.function.as_deref()).collect();
        assert_eq!(frames, [Some("inner"), Some("start")]);
        no_instance_is_left(engine);
    });
}

#[test]
fn a_start_function_that_overflows_the_stack_leaves_no_instance() {
    on_each(|engine| {
        let wat = "(module (func $start (call $start) (call $start)) (start $start))";
        trapped(engine.try_start(wat), Trap::StackOverflow);
        no_instance_is_left(engine);
    });
}

#[test]
fn initialize_and_start_exports_are_not_run_by_the_library() {
    let wat = r#"
        (module
          (global $ran (export "ran") (mut i32) (i32.const 0))
          (func (export "_initialize") (global.set $ran (i32.const 1)))
          (func (export "_start") (global.set $ran (i32.const 2))))"#;
    on_each(|engine| {
        let mut guest = engine.start(wat);
        assert_eq!(guest.global("ran").unwrap(), Value::I32(0));
        guest.call("_initialize", &[]).unwrap();
        assert_eq!(guest.global("ran").unwrap(), Value::I32(1), "they are functions like others");
    });
}

#[test]
fn a_data_segment_past_the_memory_traps() {
    on_each(|engine| {
        for offset in [65533, 65536, -1] {
            let wat = format!(r#"(module (memory 1) (data (i32.const {offset}) "four"))"#);
            trapped(engine.try_start(&wat), Trap::MemoryOutOfBounds);
        }
        trapped(engine.try_start(r#"(module (memory 0) (data (i32.const 1) ""))"#), Trap::MemoryOutOfBounds);
        no_instance_is_left(engine);
    });
}

#[test]
fn a_data_segment_at_the_very_end_fits() {
    on_each(|engine| {
        let wat = r#"(module (memory (export "m") 1) (data (i32.const 65532) "four") (data (i32.const 65536) ""))"#;
        let mut bytes = [0; 4];
        engine.start(wat).read_memory("m", 65532, &mut bytes).unwrap();
        assert_eq!(&bytes, b"four");
        engine.start(r#"(module (memory 0) (data (i32.const 0) ""))"#);
    });
}

#[test]
fn an_element_segment_past_the_table_traps() {
    on_each(|engine| {
        for offset in [2, 3, -1] {
            let wat = format!("(module (table 2 funcref) (func $f) (elem (i32.const {offset}) func $f))");
            trapped(engine.try_start(&wat), Trap::TableOutOfBounds);
        }
        no_instance_is_left(engine);
        engine.start("(module (table 2 funcref) (func $f) (elem (i32.const 1) func $f))");
    });
}

#[test]
fn a_data_segment_takes_its_offset_from_an_imported_global() {
    let wat = r#"
        (module
          (import "host" "at" (global $at i32))
          (memory (export "m") 1)
          (data (global.get $at) "x"))"#;
    on_each(|engine| {
        let at =
            |offset| wrun::HostImports::none().with("host", "at", wrun::HostItem::Global(Value::I32(offset), false));
        let mut byte = [0];
        engine.start_importing(&at(500), wat).unwrap().read_memory("m", 500, &mut byte).unwrap();
        assert_eq!(&byte, b"x");
        trapped(engine.start_importing(&at(65536), wat), Trap::MemoryOutOfBounds);
    });
}

#[test]
fn constant_expressions_are_computed() {
    let wat = r#"
        (module
          (global $a i32 (i32.const 40))
          (global (export "sum") i32
            (i32.add (i32.mul (i32.const 3) (i32.const 5)) (i32.sub (i32.const 0) (i32.const 4)))))"#;
    on_each_with(&[Feature::ExtendedConst], wat, |_, guest| {
        assert_eq!(guest.global("sum").unwrap(), Value::I32(11));
    });
}

#[test]
fn instances_of_one_module_share_nothing() {
    let wat = r#"
        (module
          (memory (export "m") 1)
          (global $n (export "n") (mut i32) (i32.const 0))
          (func (export "set") (param i32)
            (global.set $n (local.get 0)) (i32.store8 (i32.const 0) (local.get 0))))"#;
    on_each(|engine| {
        let module = engine.load(wat);
        let start = || engine.instance_of(module.as_ref()).unwrap();
        let (mut first, mut second) = (start(), start());
        first.call("set", &[Value::I32(7)]).unwrap();
        assert_eq!(second.global("n").unwrap(), Value::I32(0));
        let mut byte = [9];
        second.read_memory("m", 0, &mut byte).unwrap();
        assert_eq!(byte, [0]);
    });
}

#[test]
fn an_instance_outlives_its_module_and_its_runtime() {
    for engine in engines() {
        let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler);
        let runtime = create_runtime(&config).unwrap();
        let module = runtime.load_module(br#"(module (func (export "f") (result i32) (i32.const 5)))"#).unwrap();
        let mut guest = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none()).unwrap();
        drop(module);
        drop(runtime);
        assert_eq!(guest.call_simple_function("f", &[]).unwrap(), 5, "on {engine}");
    }
}

#[test]
fn a_module_of_another_runtime_is_refused_also_of_the_same_engine() {
    on_each(|engine| {
        let module = engine.load("(module)");
        for other in engines() {
            let made = other.instance_of(module.as_ref());
            assert_contains(refused(made, ErrorKind::InvalidArgument).message(), &["another runtime"]);
        }
        engine.instance_of(module.as_ref()).unwrap();
    });
}
