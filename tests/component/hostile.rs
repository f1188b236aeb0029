//! Components that break the rules at their boundary: values, memory for arguments, resources.

use std::thread;
use std::time::Duration;

use wrun::{
    ComponentImports, ErrorKind, InstanceState, LimitKind, Limits, Result, Trap, WasmComponentInstance, WitValue,
};

use crate::vocabulary::{Engine, PAGE, assert_contains, call, core, refused, text, trapped};

/// A function `f` without parameters that returns this type. `body` is core code that writes the value to memory at 8 and
/// leaves its address.
fn returning(ty: &str, options: &str, body: &str) -> String {
    let core = core(&format!(r#"(func (export "f") (result i32) {body})"#));
    format!(
        r#"{core}
        {ty}
        (func (export "f") (result $t) (canon lift (core func $i "f") (memory $i "memory") {options}))"#
    )
}

/// A component that calls `f` of an inner component, so that the value passes through the engine's adapter.
fn through_adapter(ty: &str, f: &str) -> String {
    let libc = core("");
    format!(
        r#"(component
            (component $inner {f})
            (instance $inner (instantiate $inner))
            (component $outer
                {ty}
                (import "f" (func $f (result $t)))
                {libc}
                (core func $f (canon lower (func $f) (memory $i "memory") (realloc (func $i "realloc"))))
                (core module $caller
                    (import "" "f" (func $f (param i32)))
                    (func (export "run") (call $f (i32.const 8))))
                (core instance $caller (instantiate $caller (with "" (instance (export "f" (func $f))))))
                (func (export "run") (canon lift (core func $caller "run"))))
            (instance $outer (instantiate $outer (with "f" (func $inner "f"))))
            (func (export "run") (alias export $outer "run")))"#
    )
}

/// Writes two words at 8, and leaves their address.
fn pair(first: u32, second: u32) -> String {
    let (first, second) = (first.cast_signed(), second.cast_signed());
    format!(
        "(i32.store (i32.const 8) (i32.const {first})) (i32.store (i32.const 12) (i32.const {second})) (i32.const 8)"
    )
}

#[test]
fn a_result_that_lies_traps() {
    let list = |of: &str| format!("(type $t (list {of}))");
    let string = "(type $t string)".to_owned();
    let one_word = |word: u32| pair(word, 0);
    let cases = [
        // 4 GiB, and more memory than there is.
        (string.clone(), "", pair(0, u32::MAX)),
        (string.clone(), "string-encoding=utf16", pair(0, 0x7fff_ffff)),
        (string.clone(), "string-encoding=latin1+utf16", pair(0, 0x7fff_ffff)),
        (list("u8"), "", pair(0, u32::MAX)),
        (list("u8"), "", pair(65_535, 2)),
        // The size of the list overflows 32 bits.
        (list("u32"), "", pair(0, 0x4000_0001)),
        (list("(tuple u64 u64)"), "", pair(0, 0x1000_0001)),
        // Not aligned.
        (list("u64"), "", pair(20, 1)),
        (string.clone(), "string-encoding=utf16", pair(21, 1)),
        // The address of the result itself.
        (string.clone(), "", "(i32.const -8)".to_owned()),
        (string.clone(), "", "(i32.const 9)".to_owned()),
        // Not UTF-8, and a cut surrogate pair.
        (string.clone(), "", format!("(i32.store (i32.const 100) (i32.const 0x80c0)) {}", pair(100, 2))),
        (string, "string-encoding=utf16", format!("(i32.store (i32.const 100) (i32.const 0xd800)) {}", pair(100, 1))),
        (list("char"), "", format!("(i32.store (i32.const 100) (i32.const 0xdfff)) {}", pair(100, 1))),
        (list("char"), "", format!("(i32.store (i32.const 100) (i32.const 0x110000)) {}", pair(100, 1))),
        // Cases that the type does not have.
        ("(type $t (option u64))".to_owned(), "", one_word(2)),
        ("(type $t (result u64 (error u8)))".to_owned(), "", one_word(9)),
        (r#"(type $t' (variant (case "a" u64) (case "b"))) (export $t "t" (type $t'))"#.to_owned(), "", one_word(2)),
    ];
    let engine = Engine::metered();
    for (ty, options, body) in cases {
        let f = returning(&ty, options, &body);
        let what = format!("{ty} {options} {body}");
        let traps = |result: Result<Option<WitValue>>, instance: &dyn WasmComponentInstance| {
            let error = result.err().unwrap_or_else(|| panic!("{what} succeeded"));
            assert_eq!((error.kind(), instance.state()), (ErrorKind::Trap, InstanceState::Crashed), "{what}: {error}");
        };
        let mut instance = engine.start(&format!("(component {f})"));
        let result = call(instance.as_mut(), "f", &[]);
        traps(result, instance.as_ref());
        if ty.contains("export") {
            continue;
        }
        let mut instance = engine.start(&through_adapter(&ty, &f));
        let result = call(instance.as_mut(), "run", &[]);
        traps(result, instance.as_ref());
    }
}

#[test]
fn unknown_flags_are_ignored_and_any_number_is_a_bool() {
    let engine = Engine::new();
    let f = returning(
        r#"(type $f (flags "a" "b")) (export $g "g" (type $f)) (type $t (tuple $g bool u32 u32))"#,
        "",
        "(i32.store (i32.const 8) (i32.const 0x02fe)) (i32.const 8)",
    );
    let mut instance = engine.start(&format!("(component {f})"));
    match call(instance.as_mut(), "f", &[]) {
        Ok(Some(WitValue::Tuple(values))) => {
            assert_eq!(values[..2], [WitValue::Flags(vec!["b".into()]), WitValue::Bool(true)]);
        }
        other => panic!("{other:?}"),
    }
}

/// A component that takes a string into memory that this body of `realloc` allocates.
fn allocating(memory: &str, body: &str) -> String {
    format!(
        r#"(component
            (core module $m
                (memory (export "memory") {memory})
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) {body})
                (func (export "text") (param i32 i32)))
            (core instance $i (instantiate $m))
            (func (export "text") (param "text" string)
                (canon lift (core func $i "text") (memory $i "memory") (realloc (func $i "realloc"))))
            (func (export "numbers") (param "numbers" (list u64))
                (canon lift (core func $i "text") (memory $i "memory") (realloc (func $i "realloc")))))"#
    )
}

#[test]
fn memory_for_arguments_is_checked() {
    let engine = Engine::metered();
    let start = |body: &str| engine.start(&allocating("1", body));
    let hello = [text("hello")];
    for body in ["(i32.const -1)", "(i32.const 65532)", "(i32.const 0x7fffffff)"] {
        trapped(call(start(body).as_mut(), "text", &hello), Trap::Other);
    }
    let numbers = [WitValue::List(vec![WitValue::U64(1); 3])];
    trapped(call(start("(i32.const 4)").as_mut(), "numbers", &numbers), Trap::Other);
    trapped(call(start("(unreachable)").as_mut(), "text", &hello), Trap::Unreachable);
    // Address 0, also for two arguments, and more memory than is needed, are allowed.
    call(start("(i32.const 0)").as_mut(), "text", &hello).expect("0 is an address");
    let grow = "(drop (memory.grow (i32.const 1))) (i32.const 70000)";
    call(start(grow).as_mut(), "text", &hello).expect("the memory grew");
}

#[test]
fn an_allocator_without_end_is_stopped() {
    let engine = Engine::metered();
    let endless = allocating("1", "(loop $l (br $l)) (unreachable)");
    let start = |limits| engine.start_within(limits, &endless).expect("it starts");
    let hello = [text("hello")];
    refused(call(start(Limits::none().with_fuel(1_000)).as_mut(), "text", &hello), ErrorKind::OutOfFuel);
    let limits = Limits::none().with_time(Duration::from_millis(30));
    refused(call(start(limits).as_mut(), "text", &hello), ErrorKind::Timeout);
    let mut instance = start(Limits::none());
    let control = instance.control();
    thread::scope(|scope| {
        scope.spawn(|| while !control.interrupt().expect("it is interruptible") {});
        refused(call(instance.as_mut(), "text", &hello), ErrorKind::Interrupted);
    });
}

#[test]
fn an_allocator_stays_within_the_memory_limit() {
    let grow = "(if (i32.eq (i32.const -1) (memory.grow (i32.const 1000))) (then (unreachable))) (i32.const 0)";
    let limits = Limits::none().with_memory(10 * PAGE);
    let mut instance = Engine::new().start_within(limits, &allocating("1", grow)).expect("it starts");
    let error = trapped(call(instance.as_mut(), "text", &[text("hello")]), Trap::Unreachable);
    assert_eq!(error.limit_exceeded().map(|exceeded| exceeded.kind), Some(LimitKind::Memory));
    assert_eq!(instance.memory_peak_bytes(), PAGE);
}

#[test]
fn a_large_argument_does_not_fit_a_small_memory() {
    let limits = Limits::none().with_memory(4 * PAGE);
    let core = core(r#"(func (export "bytes") (param i32 i32))"#);
    let wat = format!(
        r#"(component {core} (func (export "bytes") (param "bytes" (list u8))
            (canon lift (core func $i "bytes") (memory $i "memory") (realloc (func $i "realloc")))))"#
    );
    let mut instance = Engine::new().start_within(limits, &wat).expect("it starts");
    let error = trapped(call(instance.as_mut(), "bytes", &[WitValue::Bytes(vec![0; 1 << 20])]), Trap::Unreachable);
    assert_eq!(error.limit_exceeded().map(|exceeded| exceeded.kind), Some(LimitKind::Memory));
    assert!(instance.memory_peak_bytes() <= 4 * PAGE);
}

/// A component with `f`, after which the core function `after` runs.
fn ending(after: &str) -> String {
    let core =
        core(&format!(r#"(func (export "f") (result i32) (i32.const 8)) (func (export "after") (param i32) {after})"#));
    format!(
        r#"(component {core} (func (export "f") (result string)
            (canon lift (core func $i "f") (memory $i "memory") (post-return (func $i "after")))))"#
    )
}

#[test]
fn post_return_is_limited_like_the_call() {
    let engine = Engine::metered();
    call(engine.start(&ending("")).as_mut(), "f", &[]).expect("it returns an empty string");
    trapped(call(engine.start(&ending("(unreachable)")).as_mut(), "f", &[]), Trap::Unreachable);
    let start = |limits| engine.start_within(limits, &ending("(loop $l (br $l))")).expect("it starts");
    refused(call(start(Limits::none().with_fuel(1_000)).as_mut(), "f", &[]), ErrorKind::OutOfFuel);
    let limits = Limits::none().with_time(Duration::from_millis(30));
    refused(call(start(limits).as_mut(), "f", &[]), ErrorKind::Timeout);
}

/// A component that ends the program in an inner component, or in `realloc`.
fn exiting() -> &'static str {
    r#"(component
        (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
        (component $inner
            (import "exit" (func $exit (param "status" (result))))
            (core func $exit (canon lower (func $exit)))
            (core module $m
                (import "" "exit" (func $exit (param i32)))
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $exit (i32.const 0)) (i32.const 8))
                (func (export "exit") (param i32) (call $exit (local.get 0)))
                (func (export "text") (param i32 i32)))
            (core instance $i (instantiate $m (with "" (instance (export "exit" (func $exit))))))
            (func (export "exit") (param "code" u32) (canon lift (core func $i "exit")))
            (func (export "text") (param "text" string)
                (canon lift (core func $i "text") (memory $i "memory") (realloc (func $i "realloc")))))
        (instance $inner (instantiate $inner (with "exit" (func $exit "exit"))))
        (component $outer
            (import "exit" (func $exit (param "code" u32)))
            (core func $exit (canon lower (func $exit)))
            (core module $m (import "" "exit" (func $exit (param i32)))
                (func (export "run") (param i32) (call $exit (local.get 0)) (unreachable)))
            (core instance $i (instantiate $m (with "" (instance (export "exit" (func $exit))))))
            (func (export "run") (param "code" u32) (canon lift (core func $i "run"))))
        (instance $outer (instantiate $outer (with "exit" (func $inner "exit"))))
        (func (export "text") (alias export $inner "text"))
        (func (export "nested") (alias export $outer "run")))"#
}

#[test]
fn an_exit_in_a_nested_call_ends_the_instance() {
    let engine = Engine::metered();
    for code in [0, 1] {
        let mut instance = engine.start(exiting());
        let error = call(instance.as_mut(), "nested", &[WitValue::U32(code)]).expect_err("it exits");
        assert_eq!(error.exit_code(), Some(code.cast_signed()), "{error}");
        assert_eq!(instance.state(), InstanceState::Exited(code.cast_signed()));
        refused(call(instance.as_mut(), "nested", &[WitValue::U32(code)]), ErrorKind::Crashed);
    }
}

#[test]
fn an_allocator_cannot_exit() {
    let mut instance = Engine::new().start(exiting());
    let error = trapped(call(instance.as_mut(), "text", &[text("hello")]), Trap::Other);
    assert_contains(error.message(), &["cannot leave component instance"]);
}

#[test]
fn a_large_component_loads_in_time() {
    let funcs: String = (0..5_000)
        .map(|n| format!(r#"(func (export "f{n}") (param "a" (list (tuple u32 string))) (canon lift (core func $i "bytes") (memory $i "memory") (realloc (func $i "realloc"))))"#))
        .collect();
    let types: String =
        (0..20_000).map(|n| format!("(type (tuple u8 (list (option u{}))))", [8, 16, 32, 64][n % 4])).collect();
    let core = core(r#"(func (export "bytes") (param i32 i32))"#);
    let wat = format!("(component {core} {types} {funcs})");
    let mut instance = Engine::new().start_within(Limits::none().with_memory(PAGE), &wat).expect("it starts");
    call(instance.as_mut(), "f4999", &[WitValue::List(Vec::new())]).expect("it runs");
    assert_eq!(instance.info().exports.len(), 5_000);
}

#[test]
fn types_nest_only_so_deep() {
    let nested = |depth: usize| {
        let types: String = (1..depth).map(|n| format!("(type $t{n} (option $t{}))", n - 1)).collect();
        format!(r#"(component (type $t0 (option u8)) {types} (import "f" (func (param "a" $t{}))))"#, depth - 1)
    };
    let engine = Engine::new();
    let imports = ComponentImports::default().with("", "f", |_, _| Ok(None));
    engine.start_importing(&imports, &nested(50)).expect("it starts");
    refused(engine.runtime.load_component(nested(5_000).as_bytes()), ErrorKind::InvalidModule);
}

#[test]
fn a_list_of_fixed_length_has_a_size_that_fits() {
    let engine = Engine::new();
    let start = |ty: &str| engine.start(&format!("(component {})", returning(ty, "", "(i32.const 8)")));
    let value = call(start("(type $t (list u8 100))").as_mut(), "f", &[]).expect("it fits");
    assert_eq!(value, Some(WitValue::List(vec![WitValue::U8(0); 100])));
    trapped(call(start("(type $t (list u8 100000))").as_mut(), "f", &[]), Trap::Other);
    // The size overflows 32 bits, and 64.
    for ty in [
        "(type $t (list u32 1073741824))",
        "(type $a (list u64 65536)) (type $b (list $a 65536)) (type $t (tuple $b u8))",
        "(type $a (list u64 1073741824)) (type $b (list $a 1073741824)) (type $t (list $b 8))",
    ] {
        let error = refused(call(start(ty).as_mut(), "f", &[]), ErrorKind::UnsupportedFeature);
        assert_contains(error.message(), &["list<", "has more than 1048576 values"]);
    }
}
