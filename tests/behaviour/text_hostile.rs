//! Calls of guests that break a convention for text fail, with the kind and the message of the error.

use wrun::{Abi, Error, ErrorKind, Feature, LimitKind, Limits, Payload, RuntimeConfig, TextOptions, Trap};

use crate::text::{Guest, STRINGS, options, payload};
use crate::vocabulary::{Engine, assert_contains, hints, on_each, refused, trapped};

/// Creates a module whose functions have these bodies: `alloc`, `f` and `s`, and `free`, which also counts its calls.
fn module(alloc: &str, function: &str, free: &str) -> String {
    format!(
        r#"(module (memory (export "memory") 1) (data (i32.const 0) "zero") (data (i32.const 16) "text\00\ff")
          (global $frees (mut i32) (i32.const 0))
          (func (export "alloc") (param i32) (result i32) {alloc})
          (func (export "f") (param i32 i32) (result i64) {function})
          (func (export "s") (param i32) (result i32) (i32.wrap_i64 {function}))
          (func (export "free") (param i32) {free} (global.set $frees (i32.add (global.get $frees) (i32.const 1))))
          (func (export "frees") (result i32) (global.get $frees)))"#
    )
}

fn packed(pointer: u32, length: u32) -> String {
    format!("(i64.const {})", (u64::from(pointer) << 32 | u64::from(length)).cast_signed())
}

const GOOD: &str = "(i32.const 1024)";

/// Calls `f` by `packed`. Returns the error, and the number of calls of `free`.
#[track_caller]
fn failed(engine: &Engine, wat: &str, kind: ErrorKind) -> (Error, i32) {
    let mut guest = Guest::start(engine, wat.as_bytes());
    let error = refused(guest.call(&options(Abi::Packed), "f", "\"hello\""), kind);
    (error, guest.number("frees"))
}

#[test]
fn the_module_of_the_cases_works() {
    on_each(|engine| {
        let mut guest = Guest::start(engine, module(GOOD, &packed(16, 4), "").as_bytes());
        assert_eq!(guest.json(&options(Abi::Packed), "f", "\"hello\""), "\"text\"");
        assert_eq!(guest.number("frees"), 2);
        let mut guest = Guest::start(engine, module(GOOD, &packed(0, 16), "").as_bytes());
        assert_eq!(guest.json(&options(Abi::Cstr), "s", "\"hello\""), "\"text\"");
        assert_eq!(guest.number("frees"), 2);
    });
}

#[test]
fn an_allocator_that_returns_invalid_pointers() {
    on_each(|engine| {
        let f = packed(16, 4);
        let (error, frees) = failed(engine, &module("(i32.const 0)", &f, ""), ErrorKind::MemoryAccess);
        assert_contains(error.message(), &["`alloc` returned a null pointer for 5 bytes"]);
        assert_eq!(frees, 0);
        for pointer in [65_532, 65_536, -1, i32::MIN] {
            let wat = module(&format!("(i32.const {pointer})"), &f, "");
            let (error, frees) = failed(engine, &wat, ErrorKind::MemoryAccess);
            let shown = pointer.cast_unsigned().to_string();
            assert_contains(error.message(), &["`alloc` returned 5 bytes at", &shown, "the memory has 65536 bytes"]);
            assert_eq!(frees, 0);
        }
        // Valid: unaligned, at the end of memory, over data of the module, and in a new page.
        for alloc in [
            "(i32.const 1023)",
            "(i32.const 65531)",
            "(i32.const 16)",
            "(memory.grow (i32.const 1)) (i32.shl (i32.const 16))",
        ] {
            let echo = "(i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.const 5))";
            let mut guest = Guest::start(engine, module(alloc, echo, "").as_bytes());
            assert_eq!(guest.json(&options(Abi::Packed), "f", "\"hello\""), "\"hello\"", "{alloc}");
            assert_eq!(guest.number("frees"), 1);
        }
    });
}

#[test]
fn a_result_out_of_bounds() {
    on_each(|engine| {
        for (pointer, length) in [
            (65_536, 1),
            (65_535, 2),
            (0, 65_537),
            (16, u32::MAX),
            (u32::MAX, 1),
            (u32::MAX, u32::MAX),
            (1 << 31, 1 << 31),
        ] {
            let (error, frees) = failed(engine, &module(GOOD, &packed(pointer, length), ""), ErrorKind::MemoryAccess);
            assert_contains(error.message(), &[&format!("the result has {length} bytes at {pointer}"), "65536 bytes"]);
            // Only the argument is freed.
            assert_eq!(frees, 1);
        }
        // An empty result may have any pointer.
        let mut guest = Guest::start(engine, module(GOOD, &packed(u32::MAX, 0), "").as_bytes());
        assert_eq!(guest.json(&options(Abi::Packed), "f", "\"hello\""), "\"\"");
    });
}

#[test]
fn two_results_that_are_out_of_bounds() {
    on_each(|engine| {
        let wat = |pointer: &str, length: &str| {
            format!(
                r#"(module (memory (export "memory") 1) (data (i32.const 16) "text")
                  (func (export "malloc") (param i32) (result i32) (i32.const 1024))
                  (func (export "f") (param i32 i32) (result i32 i32) (i32.const {pointer}) (i32.const {length})))"#
            )
        };
        let mut guest = Guest::start(engine, wat("16", "4").as_bytes());
        assert_eq!(guest.json(&options(Abi::Packed), "f", "\"hello\""), "\"text\"");
        for (pointer, length) in [("-1", "-1"), ("0", "65537"), ("65536", "1")] {
            let mut guest = Guest::start(engine, wat(pointer, length).as_bytes());
            refused(guest.call(&options(Abi::Packed), "f", "\"hello\""), ErrorKind::MemoryAccess);
        }
    });
}

#[test]
fn pointers_out_of_bounds_in_a_64_bit_memory() {
    on_each(|engine| {
        if !engine.has(Feature::Memory64) {
            return;
        }
        let wat = |alloc: &str, pointer: &str, length: &str| {
            format!(
                r#"(module (memory (export "memory") i64 1) (data (i64.const 16) "text")
                  (func (export "malloc") (param i64) (result i64) (i64.const {alloc}))
                  (func (export "f") (param i64 i64) (result i64 i64) (i64.const {pointer}) (i64.const {length}))
                  (func (export "s") (param i64 i32) (result i64) (i64.const {pointer}))
                  (func (export "p") (param i64 i64) (result i64) (i64.const 0)))"#
            )
        };
        let mut guest = Guest::start(engine, wat("1024", "16", "4").as_bytes());
        assert_eq!(guest.json(&options(Abi::Packed), "f", "\"hello\""), "\"text\"");
        assert_eq!(guest.json(&options(Abi::Cstr), "s", "[\"hello\", 1]"), "\"text\"");
        refused(guest.call(&options(Abi::Packed), "p", "\"a\""), ErrorKind::UnsupportedFeature);
        for (alloc, pointer, length) in [
            ("-1", "16", "4"),
            ("0x7fffffffffffffff", "16", "4"),
            ("0x100000000", "16", "4"),
            ("1024", "-1", "1"),
            ("1024", "1", "-1"),
            ("1024", "-1", "-1"),
            ("1024", "0x7fffffffffffffff", "0x7fffffffffffffff"),
            ("1024", "16", "0x100000000"),
        ] {
            let mut guest = Guest::start(engine, wat(alloc, pointer, length).as_bytes());
            refused(guest.call(&options(Abi::Packed), "f", "\"hello\""), ErrorKind::MemoryAccess);
        }
    });
}

#[test]
fn a_string_without_an_end() {
    on_each(|engine| {
        let fill = "(memory.fill (i32.const 32) (i32.const 120) (i32.const 65504)) ";
        for pointer in [32, 65_535, 65_536, u32::MAX] {
            let wat = module(GOOD, &packed(0, pointer), "").replace("(i32.wrap_i64", &format!("{fill} (i32.wrap_i64"));
            let mut guest = Guest::start(engine, wat.as_bytes());
            let error = refused(guest.call(&options(Abi::Cstr), "s", "\"hello\""), ErrorKind::MemoryAccess);
            assert_contains(error.message(), &["no NUL byte", &pointer.to_string(), "65536 bytes"]);
            assert_eq!(guest.number("frees"), 1);
        }
    });
}

#[test]
fn a_result_of_another_format() {
    on_each(|engine| {
        let (error, frees) = failed(engine, &module(GOOD, &packed(16, 6), ""), ErrorKind::InvalidResult);
        assert_contains(error.message(), &["the result of `f` is not UTF-8", "offset 5"]);
        assert_contains(&hints(&error), &["--payload bytes"]);
        assert_eq!(frees, 2);
        let mut guest = Guest::start(engine, module(GOOD, &packed(16, 4), "").as_bytes());
        let error = refused(guest.call(&payload(Abi::Packed, Payload::Json), "f", "1"), ErrorKind::InvalidResult);
        assert_contains(error.message(), &["the result of `f` is not JSON"]);
        assert_eq!(guest.number("frees"), 2);
    });
}

#[test]
fn traps_of_each_function_are_the_error_of_the_call() {
    on_each(|engine| {
        let f = packed(16, 4);
        for wat in
            [module("(unreachable)", &f, ""), module(GOOD, "(unreachable)", ""), module(GOOD, &f, "(unreachable)")]
        {
            let mut guest = Guest::start(engine, wat.as_bytes());
            trapped(guest.call(&options(Abi::Packed), "f", "\"hello\""), Trap::Unreachable);
        }
        let fault = module("(i32.load (i32.const 65536))", &f, "");
        let mut guest = Guest::start(engine, fault.as_bytes());
        trapped(guest.call(&options(Abi::Packed), "f", "\"hello\""), Trap::MemoryOutOfBounds);
    });
}

#[test]
fn all_functions_of_a_call_share_its_fuel() {
    on_each(|engine| {
        let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler).with_metering();
        let engine = Engine::configured(&config);
        let spin = "(local $i i32) (loop $again (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))";
        let wat = module(&format!("{spin} {GOOD}"), &packed(16, 4), spin);
        // Allocating uses about 8000 units, and so does each of the two functions that free.
        for (fuel, runs) in [(5_000, false), (12_000, false), (20_000, false), (40_000, true)] {
            let mut guest = Guest::start_within(&engine, Limits::none().with_fuel(fuel), wat.as_bytes());
            let result = guest.call(&options(Abi::Packed), "f", "\"hello\"");
            if runs {
                result.unwrap();
            } else {
                refused(result, ErrorKind::OutOfFuel);
            }
        }
    });
}

#[test]
fn an_allocator_that_the_memory_limit_stops() {
    on_each(|engine| {
        let mut guest = Guest::start_within(engine, Limits::none().with_memory(256 << 10), STRINGS);
        let args = format!("\"{}\"", "x".repeat(300 << 10));
        let error = refused(guest.call(&options(Abi::Packed), "upper", &args), ErrorKind::Limit);
        assert_contains(error.message(), &["`malloc` returned a null pointer"]);
        assert_eq!(error.limit_exceeded().map(|limit| limit.kind), Some(LimitKind::Memory));
        // The guest handled the failed allocation, so it can be called again.
        assert_eq!(guest.json(&options(Abi::Packed), "upper", "\"a\""), "\"A\"");
        assert_eq!(guest.number("live_blocks"), 0);
    });
}

#[test]
fn modules_and_functions_that_do_not_fit() {
    on_each(|engine| {
        let find = |wat: &str, options: &TextOptions| Guest::start(engine, wat.as_bytes()).find("f", options);
        let (packed, cstr) = (options(Abi::Packed), options(Abi::Cstr));
        let function = r#"(func (export "f") (param i32 i32) (result i64) (i64.const 0))"#;
        let alloc = r#"(func (export "alloc") (param i32) (result i32) (i32.const 8))"#;
        let memory = r#"(memory (export "memory") 1)"#;
        let kind = ErrorKind::UnsupportedFeature;
        assert_contains(
            refused(find(&format!("(module {function} {alloc})"), &packed), kind).message(),
            &["exports no memory"],
        );
        let error = refused(find(&format!("(module {memory} {function})"), &packed), kind);
        assert_contains(error.message(), &["exports no function that allocates"]);
        assert_contains(&hints(&error), &["`malloc`", "--alloc"]);
        if engine.has(Feature::MultiMemory) {
            let two = r#"(memory (export "a") 1) (memory (export "b") 1)"#;
            let error = refused(find(&format!("(module {two} {function} {alloc})"), &packed), kind);
            assert_contains(error.message(), &["several memories"]);
            find(&format!("(module {two} {memory} {function} {alloc})"), &packed).unwrap();
        }
        for ty in [
            "",
            "(param i32 i32)",
            "(param i32 i32 i32) (result i64)",
            "(param i64 i64) (result i64)",
            "(param i32 i32) (result f64)",
        ] {
            let wat = format!(r#"(module {memory} {alloc} (func (export "f") {ty} (unreachable)))"#);
            assert_contains(
                refused(find(&wat, &packed), kind).message(),
                &["`f(", "does not fit the convention `packed`"],
            );
        }
        for ty in ["", "(param f64) (result f64)", "(param i32) (result i32 i32)"] {
            let wat = format!(r#"(module {memory} {alloc} (func (export "f") {ty} (unreachable)))"#);
            assert_contains(refused(find(&wat, &cstr), kind).message(), &["`f(", "does not fit the convention `cstr`"]);
        }
        let wat = format!("(module {memory} {function} {alloc})");
        let mut chosen = packed;
        chosen.alloc = Some("f".to_owned());
        assert_contains(refused(find(&wat, &chosen), kind).message(), &["`--alloc`", "`f(i32, i32) -> i64`"]);
        chosen.alloc = Some("none".to_owned());
        refused(find(&wat, &chosen), ErrorKind::UnknownExport);
        (chosen.alloc, chosen.free) = (Some("alloc".to_owned()), Some("f".to_owned()));
        assert_contains(refused(find(&wat, &chosen), kind).message(), &["`--free`"]);
        chosen.abi = None;
        refused(find(&wat, &chosen), ErrorKind::InvalidArgument);
    });
}
