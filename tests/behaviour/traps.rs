//! Every trap has a name, the same on every engine, and a backtrace.

use wrun::{Feature, Frame, RuntimeKind, Trap, Value, WasmInstance};

use crate::vocabulary::{Engine, is_refused_for, on_each, trapped};

/// Traps that need no feature, with the body of `$inner`, which the exported `f` calls.
pub(crate) const PLAIN: &[(Trap, &str)] = &[
    (Trap::Unreachable, "unreachable"),
    (Trap::IntegerDivideByZero, "(drop (i32.div_s (i32.const 1) (global.get $zero)))"),
    (Trap::IntegerDivideByZero, "(drop (i32.div_u (i32.const 1) (global.get $zero)))"),
    (Trap::IntegerDivideByZero, "(drop (i32.rem_s (i32.const 1) (global.get $zero)))"),
    (Trap::IntegerDivideByZero, "(drop (i64.rem_u (i64.const 1) (i64.extend_i32_s (global.get $zero))))"),
    (Trap::IntegerDivideByZero, "(drop (i64.div_s (i64.const 1) (i64.extend_i32_s (global.get $zero))))"),
    (Trap::IntegerOverflow, "(drop (i32.div_s (i32.const 0x80000000) (i32.sub (global.get $zero) (i32.const 1))))"),
    (Trap::IntegerOverflow, "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))"),
    (Trap::IntegerOverflow, "(drop (i32.trunc_f32_s (f32.const 2147483648)))"),
    (Trap::IntegerOverflow, "(drop (i32.trunc_f64_u (f64.const -1)))"),
    (Trap::IntegerOverflow, "(drop (i64.trunc_f64_s (f64.const inf)))"),
    (Trap::InvalidConversionToInteger, "(drop (i32.trunc_f32_s (f32.const nan)))"),
    (Trap::InvalidConversionToInteger, "(drop (i64.trunc_f64_u (f64.const -nan)))"),
    (Trap::MemoryOutOfBounds, "(drop (i32.load (i32.const 65533)))"),
    (Trap::MemoryOutOfBounds, "(drop (i32.load8_u (i32.const -1)))"),
    (Trap::MemoryOutOfBounds, "(drop (i64.load offset=4294967295 (i32.const -1)))"),
    (Trap::MemoryOutOfBounds, "(i32.store16 (i32.const 65535) (i32.const 0))"),
    (Trap::MemoryOutOfBounds, "(memory.copy (i32.const 65535) (i32.const 0) (i32.const 2))"),
    (Trap::MemoryOutOfBounds, "(memory.fill (i32.const 65536) (i32.const 0) (i32.const 1))"),
    (Trap::MemoryOutOfBounds, "(memory.init $bytes (i32.const 0) (i32.const 2) (i32.const 2))"),
    (Trap::TableOutOfBounds, "(drop (table.get $table (i32.const 4)))"),
    (Trap::TableOutOfBounds, "(table.set $table (i32.const -1) (ref.null func))"),
    (Trap::TableOutOfBounds, "(table.fill $table (i32.const 3) (ref.null func) (i32.const 2))"),
    (Trap::TableOutOfBounds, "(table.copy $table $table (i32.const 0) (i32.const 3) (i32.const 2))"),
    (Trap::TableOutOfBounds, "(table.init $table $functions (i32.const 4) (i32.const 0) (i32.const 1))"),
    (Trap::TableOutOfBounds, "(call_indirect $table (type $nothing) (i32.const 4))"),
    (Trap::TableOutOfBounds, "(call_indirect $table (type $nothing) (i32.const -1))"),
    (Trap::UninitializedElement, "(call_indirect $table (type $nothing) (i32.const 3))"),
    (Trap::IndirectCallTypeMismatch, "(call_indirect $table (type $number) (i32.const 0)) drop"),
];

/// Traps that need a feature, with additional declarations.
pub(crate) const FEATURED: &[(Trap, &[Feature], &str, &str)] = &[
    (Trap::UnalignedAtomic, &[Feature::Threads], "(memory 1 1 shared)", "(drop (i32.atomic.load (i32.const 1)))"),
    (
        Trap::UnalignedAtomic,
        &[Feature::Threads],
        "(memory 1 1 shared)",
        "(drop (i64.atomic.rmw.add (i32.const 4) (i64.const 1)))",
    ),
    (Trap::MemoryOutOfBounds, &[Feature::Threads], "(memory 1 1 shared)", "(drop (i32.atomic.load (i32.const 65536)))"),
    (
        Trap::AtomicWaitNonSharedMemory,
        &[Feature::Threads],
        "(memory 1 1)",
        "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))",
    ),
    (
        Trap::AtomicWaitNonSharedMemory,
        &[Feature::Threads],
        "(memory 1 1)",
        "(drop (memory.atomic.wait64 (i32.const 0) (i64.const 0) (i64.const -1)))",
    ),
    (Trap::MemoryOutOfBounds, &[Feature::Simd], "(memory 1)", "(drop (v128.load (i32.const 65521)))"),
    (
        Trap::MemoryOutOfBounds,
        &[Feature::MultiMemory],
        "(memory $a 2) (memory $b 1)",
        "(drop (i32.load $b (i32.const 65536)))",
    ),
    (
        Trap::MemoryOutOfBounds,
        &[Feature::Memory64],
        "(memory i64 1)",
        "(drop (i32.load (i64.const 0x1_0000_0000_0000)))",
    ),
    (Trap::UncaughtException, &[Feature::Exceptions], "(tag $oops (param i32))", "(throw $oops (i32.const 1))"),
    (Trap::NullReference, &[Feature::Exceptions], "", "(throw_ref (ref.null exn))"),
    (Trap::NullReference, &[Feature::FunctionReferences], "(type $unit (func))", "(call_ref $unit (ref.null $unit))"),
    (
        Trap::NullReference,
        &[Feature::FunctionReferences],
        "(type $unit (func))",
        "(drop (ref.as_non_null (ref.null $unit)))",
    ),
    (
        Trap::NullReference,
        &[Feature::Gc],
        "(type $point (struct (field i32)))",
        "(drop (struct.get $point 0 (ref.null $point)))",
    ),
    (
        Trap::ArrayOutOfBounds,
        &[Feature::Gc],
        "(type $row (array i32))",
        "(drop (array.get $row (array.new_default $row (i32.const 3)) (i32.const 3)))",
    ),
    (
        Trap::CastFailure,
        &[Feature::Gc],
        "(type $point (struct (field i32)))",
        "(drop (ref.cast (ref $point) (ref.i31 (i32.const 1))))",
    ),
    (
        Trap::AllocationTooLarge,
        &[Feature::Gc],
        "(type $row (array i64))",
        "(drop (array.new_default $row (i32.const -1)))",
    ),
];

fn plain(body: &str) -> String {
    format!(
        r#"(module
          (type $nothing (func))
          (type $number (func (result i32)))
          (memory 1)
          (data $bytes "abc")
          (table $table 4 funcref)
          (elem (i32.const 0) func $inner)
          (elem $functions func $inner)
          (global $zero (mut i32) (i32.const 0))
          (func $inner (type $nothing) {body})
          (func $outer (export "f") (call $inner)))"#
    )
}

fn featured(declarations: &str, body: &str) -> String {
    format!(
        r#"(module {declarations}
          (func $inner {body})
          (func $outer (export "f") (call $inner)))"#
    )
}

/// Asserts that `f` has this trap in `$inner`, called by `$outer`.
#[track_caller]
fn traps_in_inner(guest: &mut dyn WasmInstance, trap: Trap, wat: &str) {
    let error = trapped(guest.call("f", &[]), trap);
    assert_eq!(error.function(), Some("f"), "the function that was called");
    let frames: Vec<_> = error.backtrace().iter().map(|frame| frame.function.as_deref()).collect();
    assert_eq!(frames, [Some("inner"), Some("outer")], "innermost first: {wat}");
    let [inner, outer] = error.backtrace() else { panic!("two frames") };
    assert_eq!((inner.function_index, outer.function_index), (0, 1));
    // `backtraces` checks the offsets.
    assert!(inner.offset < outer.offset, "{inner} comes before {outer} in the module");
}

#[test]
fn every_trap_without_a_feature_has_its_name_and_a_backtrace() {
    on_each(|engine| {
        for (trap, body) in PLAIN {
            let wat = plain(body);
            traps_in_inner(engine.start(&wat).as_mut(), *trap, body);
        }
    });
}

#[test]
fn every_trap_of_a_feature_has_its_name_and_a_backtrace() {
    on_each(|engine| {
        for (trap, features, declarations, body) in FEATURED {
            let wat = featured(declarations, body);
            if features.iter().all(|feature| engine.has(*feature)) {
                traps_in_inner(engine.start(&wat).as_mut(), *trap, body);
            } else {
                is_refused_for(features, engine, &wat);
            }
        }
    });
}

const ENDLESS: &str = r#"(module (func $endless (export "f") (result i32) (i32.add (call $endless) (i32.const 1))))"#;

/// Wasmer has no backtrace of a stack overflow.
#[test]
fn a_stack_overflow_has_its_name_and_the_last_frames_where_the_engine_knows_them() {
    on_each(|engine| {
        let error = trapped(engine.start(ENDLESS).call("f", &[]), Trap::StackOverflow);
        let frames = error.backtrace();
        match engine.kind {
            RuntimeKind::Wasmtime => {
                assert_eq!(frames.len(), Frame::MAX_COUNT);
                assert_eq!(frames[0].offset, None, "at the function's entry");
                assert!(frames[1..].iter().all(|frame| frame.offset.is_some()), "{frames:?}");
            }
            RuntimeKind::Wasmer => assert_eq!(frames, []),
        }
        assert!(frames.iter().all(|frame| frame.function.as_deref() == Some("endless")), "{frames:?}");
    });
}

#[test]
fn a_backtrace_keeps_the_innermost_frames() {
    let wat = r#"
        (module
          (func $down (export "down") (param i32)
            (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))) (else (call $bottom))))
          (func $bottom (unreachable)))"#;
    on_each(|engine| {
        let error = trapped(engine.start(wat).call("down", &[Value::I32(50)]), Trap::Unreachable);
        let names: Vec<_> = error.backtrace().iter().map(|frame| frame.function.as_deref().unwrap()).collect();
        assert_eq!(names.len(), Frame::MAX_COUNT);
        assert_eq!(names[0], "bottom");
        assert!(names[1..].iter().all(|name| *name == "down"), "{names:?}");
    });
}

#[test]
fn a_function_without_a_name_is_identified_by_its_index() {
    let wat = r#"(module (import "host" "f" (func)) (func) (func (export "f") (unreachable)))"#;
    let nothing = wrun::HostImports::none().with_function("host", "f", wrun::FuncType::default(), |_, _| Ok(vec![]));
    on_each(|engine| {
        let error = trapped(engine.start_importing(&nothing, wat).unwrap().call("f", &[]), Trap::Unreachable);
        let [frame] = error.backtrace() else { panic!("{:?}", error.backtrace()) };
        assert_eq!((frame.function_index, frame.function.as_deref()), (2, None), "imports count");
        assert!(frame.to_string().starts_with("func[2] @ 0x"), "{frame}");
    });
}

#[test]
fn the_offset_of_a_frame_is_that_of_the_instruction_in_the_binary() {
    // The binary ends with the body of `f`: its size, no locals, `nop nop unreachable end`.
    let binary = wat::parse_str(r#"(module (func (export "f") nop nop unreachable))"#).unwrap();
    let at = binary.windows(4).position(|bytes| bytes == [0x01, 0x01, 0x00, 0x0b]).unwrap() + 2;
    on_each(|engine| {
        let module = engine.runtime.load_module(&binary).unwrap();
        let guest = engine.instance_of(module.as_ref());
        let error = trapped(guest.unwrap().call("f", &[]), Trap::Unreachable);
        assert_eq!(error.backtrace()[0].offset, Some(at as u64));
    });
}

#[test]
fn trap_messages_are_those_of_the_specification() {
    on_each(|engine| {
        let said = |wat: &str| engine.start(wat).call("f", &[]).unwrap_err().to_string();
        assert_eq!(said(&plain("(drop (i32.div_s (i32.const 1) (global.get $zero)))")), "integer divide by zero");
        assert_eq!(said(&plain("(drop (i32.load (i32.const -1)))")), "out of bounds memory access");
        assert_eq!(said(ENDLESS), "call stack exhausted");
    });
}

#[test]
fn a_trap_keeps_earlier_changes() {
    let wat = r#"
        (module
          (memory (export "memory") 1)
          (func (export "f") (i32.store8 (i32.const 3) (i32.const 9)) (unreachable)))"#;
    on_each(|engine: &Engine| {
        let mut guest = engine.start(wat);
        trapped(guest.call("f", &[]), Trap::Unreachable);
        let mut byte = [0];
        guest.read_memory("memory", 3, &mut byte).unwrap();
        assert_eq!(byte, [9]);
    });
}
