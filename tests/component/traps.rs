//! Traps in components: their kind, their backtrace, and the state of the instance afterwards.

use wrun::{ErrorKind, InstanceState, Trap, WitValue};

use crate::vocabulary::{Engine, assert_contains, call, core, refused, returned, trapped};

/// A component with a function for each trap, and `fine`.
fn trapping() -> String {
    let core = core(
        r#"(func $inner (export "unreachable") (unreachable))
        (func $outer (export "outer") (call $inner))
        (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
        (func $recurse (export "recurse") (call $recurse))
        (func (export "fine") (result i32) (i32.const 1))
        ;; A string of 100 bytes beyond the end of the memory, and one that is not UTF-8.
        (func (export "lie") (result i32)
            (i32.store (i32.const 8) (i32.const 65500))
            (i32.store (i32.const 12) (i32.const 100))
            (i32.const 8))
        (func (export "garbage") (result i32)
            (i32.store (i32.const 0) (i32.const 0xff))
            (i32.store (i32.const 8) (i32.const 0))
            (i32.store (i32.const 12) (i32.const 1))
            (i32.const 8))
        (func (export "after") (param i32) (unreachable))
        (func (export "text") (param i32 i32))"#,
    );
    format!(
        r#"(component
            {core}
            (func (export "unreachable") (canon lift (core func $i "unreachable")))
            (func (export "outer") (canon lift (core func $i "outer")))
            (func (export "divide") (param "by" u32) (result u32) (canon lift (core func $i "divide")))
            (func (export "load") (param "at" u32) (result u32) (canon lift (core func $i "load")))
            (func (export "recurse") (canon lift (core func $i "recurse")))
            (func (export "fine") (result u32) (canon lift (core func $i "fine")))
            (func (export "lie") (result string) (canon lift (core func $i "lie") (memory $i "memory")))
            (func (export "garbage") (result string) (canon lift (core func $i "garbage") (memory $i "memory")))
            (func (export "after") (result u32)
                (canon lift (core func $i "fine") (post-return (func $i "after"))))
            (func (export "text") (param "text" string)
                (canon lift (core func $i "text") (memory $i "memory") (realloc (func $i "realloc")))))"#
    )
}

#[test]
fn a_trap_has_the_same_kind_as_in_a_module() {
    let cases = [
        ("unreachable", None, Trap::Unreachable),
        ("outer", None, Trap::Unreachable),
        ("divide", Some(0), Trap::IntegerDivideByZero),
        ("load", Some(u32::MAX), Trap::MemoryOutOfBounds),
        ("recurse", None, Trap::StackOverflow),
        ("after", None, Trap::Unreachable),
    ];
    let engine = Engine::new();
    for (name, arg, trap) in cases {
        let mut instance = engine.start(&trapping());
        let args: Vec<_> = arg.into_iter().map(WitValue::U32).collect();
        trapped(call(instance.as_mut(), name, &args), trap);
        assert_eq!(instance.state(), InstanceState::Crashed, "{name}");
    }
}

#[test]
fn values_that_break_the_rules_of_the_boundary_trap() {
    let engine = Engine::new();
    for (name, text) in [("lie", "out of bounds"), ("garbage", "utf-8")] {
        let mut instance = engine.start(&trapping());
        let error = trapped(call(instance.as_mut(), name, &[]), Trap::Other);
        assert_contains(error.message(), &[text]);
        assert_eq!(instance.state(), InstanceState::Crashed, "{name}");
    }
}

#[test]
fn no_call_is_allowed_after_a_trap() {
    let mut instance = Engine::new().start(&trapping());
    assert_eq!(returned(instance.as_mut(), "fine", &[]), WitValue::U32(1));
    trapped(call(instance.as_mut(), "unreachable", &[]), Trap::Unreachable);
    let error = refused(call(instance.as_mut(), "fine", &[]), ErrorKind::Crashed);
    assert_contains(error.message(), &["trapped", "component"]);
    assert_eq!(error.hints(), ["create a new instance"]);
}

#[test]
fn a_backtrace_names_functions_and_the_offsets_in_the_component() {
    let wat = trapping();
    let mut instance = Engine::new().start(&wat);
    let error = trapped(call(instance.as_mut(), "outer", &[]), Trap::Unreachable);
    let frames = error.backtrace();
    let names: Vec<_> = frames.iter().map(|frame| frame.function.as_deref()).collect();
    assert_eq!(names, [Some("inner"), Some("outer")]);
    let binary = wat::parse_str(&wat).expect("it is valid");
    let at = |frame: usize| frames[frame].offset.map(|offset| binary[usize::try_from(offset).expect("it fits")]);
    // `unreachable`, and `call`.
    assert!(matches!(at(0), None | Some(0x00)), "{:?}", at(0));
    assert_eq!(at(1), Some(0x10));
}

#[test]
fn a_trap_in_an_inner_component_has_frames_of_both() {
    let wat = r#"(component
        (component $inner
            (core module $m (func $broken (export "broken") (unreachable)))
            (core instance $i (instantiate $m))
            (func (export "broken") (canon lift (core func $i "broken"))))
        (component $outer
            (import "broken" (func $broken))
            (core func $broken (canon lower (func $broken)))
            (core module $m
                (import "" "broken" (func $broken))
                (func $run (export "run") (call $broken)))
            (core instance $i (instantiate $m (with "" (instance (export "broken" (func $broken))))))
            (func (export "run") (canon lift (core func $i "run"))))
        (instance $inner (instantiate $inner))
        (instance $outer (instantiate $outer (with "broken" (func $inner "broken"))))
        (func (export "run") (alias export $outer "run")))"#;
    let mut instance = Engine::new().start(wat);
    let error = trapped(call(instance.as_mut(), "run", &[]), Trap::Unreachable);
    let frames = error.backtrace();
    let names: Vec<_> = frames.iter().filter_map(|frame| frame.function.as_deref()).collect();
    assert_eq!((names.first(), names.last()), (Some(&"broken"), Some(&"run")), "{frames:?}");
    let binary = wat::parse_str(wat).expect("it is valid");
    for frame in frames.iter().filter(|frame| frame.function.is_none()) {
        assert_eq!(frame.offset, None, "the engine made this frame, which is not in the component: {frames:?}");
    }
    let offset = frames.last().and_then(|frame| frame.offset).expect("the engine knows the offset");
    assert_eq!(binary[usize::try_from(offset).expect("it fits")], 0x10, "{frames:?}");
}

#[test]
fn a_component_that_is_entered_again_traps() {
    let wat = r#"(component
        (component $inner
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))
        (instance $inner (instantiate $inner))
        (core func $f (canon lower (func $inner "f")))
        (core module $m (import "" "f" (func $f)) (func (export "run") (call $f)))
        (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    let mut instance = Engine::new().start(wat);
    let error = trapped(call(instance.as_mut(), "run", &[]), Trap::Other);
    assert_contains(error.message(), &["cannot enter component instance"]);
}

#[test]
fn a_trap_in_realloc_is_a_trap_of_the_call() {
    let wat = r#"(component
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (unreachable))
            (func (export "text") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "text") (param "text" string)
            (canon lift (core func $i "text") (memory $i "memory") (realloc (func $i "realloc")))))"#;
    let mut instance = Engine::new().start(wat);
    trapped(call(instance.as_mut(), "text", &[WitValue::String("hello".into())]), Trap::Unreachable);
    assert_eq!(instance.state(), InstanceState::Crashed);
}

#[test]
fn a_trap_during_instantiation_is_reported_as_one() {
    let wat = "(component
        (core module $m (func $start (unreachable)) (start $start))
        (core instance (instantiate $m)))";
    trapped(Engine::new().start_within(wrun::Limits::none(), wat), Trap::Unreachable);
}

#[test]
#[cfg(feature = "wasi-p3")]
fn a_guest_that_waits_for_nothing_traps() {
    let wat = r#"(component
        (core func $new (canon waitable-set.new))
        (core module $libc (memory (export "memory") 1))
        (core instance $libc (instantiate $libc))
        (core func $wait (canon waitable-set.wait (memory $libc "memory")))
        (core module $m
            (import "" "new" (func $new (result i32)))
            (import "" "wait" (func $wait (param i32 i32) (result i32)))
            (func (export "hang") (drop (call $wait (call $new) (i32.const 0)))))
        (core instance $i (instantiate $m (with "" (instance
            (export "new" (func $new)) (export "wait" (func $wait))))))
        (func (export "hang") async (canon lift (core func $i "hang"))))"#;
    let mut instance = Engine::new().start(wat);
    let error = trapped(call(instance.as_mut(), "hang", &[]), Trap::Other);
    assert_contains(error.message(), &["deadlock"]);
}
