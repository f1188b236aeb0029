//! Backtraces are the same on every engine and compiler, with and without limits. Each offset is the position of the
//! instruction in the module's binary, or `None` if the engine does not know it. `docs/engines.md` lists these cases.

use std::thread;
use std::time::{Duration, Instant};

use wasmparser::{Operator, Parser, Payload};
use wrun::{
    Capabilities, Compiler, Error, ErrorKind, Feature, Frame, FuncType, HostImports, Limits, Result, RuntimeConfig,
    RuntimeKind, Trap, ValType, Value, WasmModule, WasmRuntime, create_runtime,
};

use crate::stopping::MAX_WAIT;
use crate::traps::{FEATURED, PLAIN};
use crate::vocabulary::{Engine, on_each, refused, trapped};

/// Declarations for the bodies of [`PLAIN`].
const DECLARATIONS: &str = r#"
  (type $nothing (func))
  (type $number (func (result i32)))
  (memory 1)
  (data $bytes "abc")
  (table $table 4 funcref)
  (elem (i32.const 0) func $inner0)
  (elem $functions func $inner0)
  (global $zero (mut i32) (i32.const 0))"#;

/// What comes before the instruction that traps or calls. Engines and their checks treat each of them differently.
const LEADS: &[&str] = &[
    "",
    "nop nop nop nop",
    "(drop (i32.add (i32.const 1) (i32.const 2))) (block (br_if 0 (i32.const 0)))",
    "(block (loop (br_if 1 (i32.const 1)) (br 0)))",
    "(call $empty)",
];

/// More instructions that trap, behind a branch.
const BRANCHES: &[&str] = &[
    "(if (i32.eqz (global.get $zero)) (then (drop (i32.load (i32.const -1)))))",
    "(if (i32.eqz (global.get $zero)) (then (drop (i32.div_s (i32.const 1) (i32.const 0)))))",
    "(if (i32.eqz (global.get $zero)) (then (drop (i32.trunc_f32_s (f32.const nan)))))",
    "(if (i32.eqz (global.get $zero)) (then (drop (table.get $table (i32.const 9)))))",
    "(if (i32.eqz (global.get $zero)) (then (call_indirect $table (type $nothing) (i32.const 9))))",
    "(if (i32.eqz (global.get $zero)) (then unreachable))",
    "(block (br_if 0 (global.get $zero)) unreachable)",
    "(block (br_if 0 (i32.eqz (global.get $zero))) (return)) unreachable",
];

/// The number of imported functions of [`module`].
const IMPORTED: u32 = 2;

/// The indices of the functions for one of [`LEADS`]: one that has the body, two that call each other down to it, and another
/// one that has the body.
struct Functions {
    inner: u32,
    middle: u32,
    outer: u32,
    direct: u32,
}

impl Functions {
    fn of(lead: usize) -> Self {
        let inner = IMPORTED + 4 * u32::try_from(lead).unwrap();
        Self { inner, middle: inner + 1, outer: inner + 2, direct: inner + 3 }
    }
}

/// A module with [`Functions`] for each lead.
fn module(declarations: &str, body: &str) -> Vec<u8> {
    let functions = LEADS.iter().enumerate().map(|(index, lead)| {
        format!(
            r#"(func $inner{index} {lead} {body})
            (func $middle{index} {lead} (call $empty) (call $inner{index}))
            (func $outer{index} (export "outer{index}") {lead} (call $middle{index}) (call $empty))
            (func $direct{index} (export "direct{index}") (local i32 i64) {lead} {body})"#
        )
    });
    let functions: String = functions.collect();
    let text = format!(
        r#"(module
          (import "host" "fail" (func $fail (param i32)))
          (import "host" "sleep" (func $sleep))
          {declarations}
          {functions}
          (func $empty))"#
    );
    wat::parse_str(text).unwrap()
}

/// The imports of [`module`]: a function that fails, and one that sleeps until it is stopped.
fn imports() -> HostImports {
    let fail = FuncType::new([ValType::I32], []);
    HostImports::none().with_function("host", "fail", fail, |_, _| Err("out of paper".into())).with_function(
        "host",
        "sleep",
        FuncType::default(),
        |guest, _| loop {
            guest.interrupt_token().check_interrupt()?;
            thread::sleep(Duration::from_millis(1));
        },
    )
}

/// Returns the offset of the last operator of function `index` that `is_it` accepts.
fn offset_of(binary: &[u8], index: u32, is_it: impl Fn(&Operator<'_>) -> bool) -> u64 {
    let bodies = Parser::new(0).parse_all(binary).filter_map(|payload| match payload.unwrap() {
        Payload::CodeSectionEntry(body) => Some(body),
        _ => None,
    });
    let body = bodies.into_iter().nth((index - IMPORTED) as usize).unwrap();
    let operators = body.get_operators_reader().unwrap().into_iter_with_offsets().map(|operator| operator.unwrap());
    operators.filter(|(operator, _)| is_it(operator)).last().unwrap().1 as u64
}

fn is_last(operator: &Operator<'_>) -> bool {
    !matches!(operator, Operator::Drop | Operator::End | Operator::Return)
}

fn calls(callee: u32) -> impl Fn(&Operator<'_>) -> bool {
    move |operator| matches!(operator, Operator::Call { function_index } if *function_index == callee)
}

/// Returns an engine's configurations: with each kind of check, and for deterministic results.
fn configurations(engine: &Engine) -> Vec<RuntimeConfig> {
    let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler);
    let all = [
        config.clone(),
        config.clone().with_metering(),
        config.clone().with_interruption(),
        config.clone().with_metering().with_interruption(),
        config.with_canonical_nans(),
    ];
    all.into_iter().filter(|config| create_runtime(config).is_ok()).collect()
}

/// Calls `export` of a new instance, which must fail.
fn error_of(module: &dyn WasmModule, runtime: &dyn WasmRuntime, limits: Limits, export: &str) -> Error {
    let guest = runtime.create_instance_with(module, limits, Capabilities::none(), &imports());
    guest.unwrap().call(export, &[]).unwrap_err()
}

/// Calls `export` of new instances until one exceeds its time limit in the guest, not before it.
fn timed_out(module: &dyn WasmModule, runtime: &dyn WasmRuntime, export: &str) -> Error {
    let limits = (1..20).map(|power| Limits::none().with_time(Duration::from_millis(1 << power)));
    let errors = limits.map(|limits| error_of(module, runtime, limits, export));
    let error = errors.into_iter().find(|error| !error.backtrace().is_empty()).expect("a backtrace");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    error
}

/// The function indices and offsets of the frames of an error.
fn frames(error: &Error) -> Vec<(u32, Option<u64>)> {
    error.backtrace().iter().map(|frame| (frame.function_index, frame.offset)).collect()
}

/// Asserts the frames of a body that ends its function, called directly and through two functions. `call` returns the error of
/// an export. The innermost offset may be `None` if `may_be_unknown` says so for the error.
fn check(
    runtime: &dyn WasmRuntime,
    (declarations, body): (&str, &str),
    call: impl Fn(&dyn WasmModule, &str) -> Error,
    may_be_unknown: impl Fn(&Error) -> bool,
) {
    let binary = module(declarations, body);
    let module = runtime.load_module(&binary).unwrap();
    for (index, lead) in LEADS.iter().enumerate() {
        let Functions { inner, middle, outer, direct } = Functions::of(index);
        let in_direct = vec![(direct, Some(offset_of(&binary, direct, is_last)))];
        let in_inner = vec![
            (inner, Some(offset_of(&binary, inner, is_last))),
            (middle, Some(offset_of(&binary, middle, calls(inner)))),
            (outer, Some(offset_of(&binary, outer, calls(middle)))),
        ];
        for (export, mut expected) in [("direct", in_direct), ("outer", in_inner)] {
            let error = call(module.as_ref(), &format!("{export}{index}"));
            let found = frames(&error);
            if found.first().is_some_and(|(_, offset)| offset.is_none()) && may_be_unknown(&error) {
                expected[0].1 = None;
            }
            let config = runtime.config();
            let checks = (config.metering, config.interruption, config.canonical_nans);
            assert_eq!(found, expected, "{export} of `{lead} {body}`, with {checks:?}: {error}");
        }
    }
}

/// Whether an engine may not know the innermost offset of a trap.
fn may_be_unknown(config: &RuntimeConfig, body: &str, error: &Error) -> bool {
    let trap = error.trap_code();
    match (config.kind, config.effective_compiler()) {
        (_, Compiler::Singlepass) => {
            let is_division = trap == Some(Trap::IntegerOverflow) && body.contains("div_s");
            trap != Some(Trap::Unreachable) && !is_division
        }
        (RuntimeKind::Wasmtime, _) => !config.metering && trap == Some(Trap::Unreachable),
        (RuntimeKind::Wasmer, _) => false,
    }
}

#[test]
fn offsets_of_traps_are_exact_or_unknown() {
    on_each(|engine| {
        for config in configurations(engine) {
            let runtime = create_runtime(&config).unwrap();
            let plain = PLAIN.iter().map(|(_, body)| (DECLARATIONS, *body));
            // Engines may attribute an access that always traps to the branch before it.
            let plain = plain.filter(|(_, body)| !body.contains("offset=4294967295"));
            let featured =
                FEATURED.iter().filter(|(_, features, ..)| features.iter().all(|feature| engine.has(*feature)));
            let featured = featured.map(|(_, _, declarations, body)| (*declarations, *body));
            let branches = BRANCHES.iter().map(|body| (DECLARATIONS, *body));
            for case in plain.chain(featured).chain(branches) {
                let call =
                    |module: &dyn WasmModule, export: &str| error_of(module, runtime.as_ref(), Limits::none(), export);
                check(runtime.as_ref(), case, call, |error| may_be_unknown(&config, case.1, error));
            }
        }
    });
}

/// With interruption, Wasmtime merges the check at a function's entry with an `unreachable` that follows.
#[test]
fn an_unreachable_has_an_offset_except_behind_a_branch_on_wasmtime() {
    on_each(|engine| {
        let body = "nop nop nop nop unreachable";
        let binary = module(DECLARATIONS, body);
        for config in configurations(engine) {
            let runtime = create_runtime(&config).unwrap();
            let module = runtime.load_module(&binary).unwrap();
            let error = error_of(module.as_ref(), runtime.as_ref(), Limits::none(), "direct0");
            let is_merged = config.kind == RuntimeKind::Wasmtime && config.interruption && !config.metering;
            assert_eq!(error.backtrace()[0].offset.is_none(), is_merged, "{config:?}");
        }
    });
}

#[test]
fn failed_host_functions_have_a_backtrace() {
    on_each(|engine| {
        for config in configurations(engine) {
            let runtime = create_runtime(&config).unwrap();
            let call =
                |module: &dyn WasmModule, export: &str| error_of(module, runtime.as_ref(), Limits::none(), export);
            check(runtime.as_ref(), (DECLARATIONS, "(call $fail (i32.const 1))"), call, |_| false);
        }
    });
}

#[test]
fn stopped_host_functions_have_a_backtrace() {
    on_each(|engine| {
        for config in configurations(engine).into_iter().filter(|config| config.interruption) {
            let runtime = create_runtime(&config).unwrap();
            let call = |module: &dyn WasmModule, export: &str| timed_out(module, runtime.as_ref(), export);
            check(runtime.as_ref(), (DECLARATIONS, "(call $sleep)"), call, |_| false);
        }
    });
}

/// Where code checks fuel and the stop flag, Wasmer does not know the operator.
#[test]
fn guests_that_are_stopped_in_a_loop_have_a_backtrace() {
    let binary = module(DECLARATIONS, "(loop $again (br $again))");
    let Functions { inner, middle, outer, .. } = Functions::of(0);
    on_each(|engine| {
        for config in configurations(engine).into_iter().filter(|config| config.interruption || config.metering) {
            let runtime = create_runtime(&config).unwrap();
            let module = runtime.load_module(&binary).unwrap();
            let error = if config.metering {
                let error = error_of(module.as_ref(), runtime.as_ref(), Limits::none().with_fuel(1000), "outer0");
                assert_eq!(error.kind(), ErrorKind::OutOfFuel);
                error
            } else {
                timed_out(module.as_ref(), runtime.as_ref(), "outer0")
            };
            let head = offset_of(&binary, inner, |operator| matches!(operator, Operator::Loop { .. }));
            let expected = [
                (inner, (engine.kind == RuntimeKind::Wasmtime).then_some(head)),
                (middle, Some(offset_of(&binary, middle, calls(inner)))),
                (outer, Some(offset_of(&binary, outer, calls(middle)))),
            ];
            assert_eq!(frames(&error), expected);
        }
    });
}

#[test]
fn at_a_function_entry_there_is_no_offset() {
    on_each(|engine| {
        let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler).with_metering();
        let runtime = create_runtime(&config).unwrap();
        // Entering `$outer` and its call use the fuel up.
        let binary = module(DECLARATIONS, "nop");
        let Functions { middle, outer, .. } = Functions::of(0);
        let module = runtime.load_module(&binary).unwrap();
        let error = error_of(module.as_ref(), runtime.as_ref(), Limits::none().with_fuel(1), "outer0");
        assert_eq!(error.kind(), ErrorKind::OutOfFuel);
        assert_eq!(frames(&error), [(middle, None), (outer, Some(offset_of(&binary, outer, calls(middle))))]);
    });
}

#[test]
fn offsets_of_a_deferred_start_function_are_those_of_the_original_module() {
    let text = r#"
      (module
        (import "host" "fail" (func $fail (param i32)))
        (import "host" "sleep" (func $sleep))
        (start $start)
        (table 1 2 funcref)
        (func $start nop (call $fail (i32.const 1))))"#;
    let binary = wat::parse_str(text).unwrap();
    on_each(|engine| {
        for config in configurations(engine) {
            let runtime = create_runtime(&config).unwrap();
            let module = runtime.load_module(&binary).unwrap();
            let started =
                runtime.create_instance_with(module.as_ref(), Limits::none(), Capabilities::none(), &imports());
            let error = refused(started, ErrorKind::Trap);
            assert_eq!(frames(&error), [(IMPORTED, Some(offset_of(&binary, IMPORTED, calls(0))))]);
        }
    });
}

/// Wasmer unwinds from host functions with a common signature only.
#[test]
fn a_host_function_with_a_rare_signature_has_a_backtrace_on_wasmtime_only() {
    let ty = FuncType::new([ValType::I32, ValType::I64, ValType::F32], []);
    let imports = HostImports::none().with_function("host", "rare", ty, |_, _| Err("out of paper".into()));
    let text = r#"
      (module
        (import "host" "rare" (func $rare (param i32 i64 f32)))
        (func $f (export "f") (call $rare (i32.const 1) (i64.const 2) (f32.const 3))))"#;
    on_each(|engine| {
        let called: Result<Vec<Value>> = engine.start_importing(&imports, text).unwrap().call("f", &[]);
        let error = refused(called, ErrorKind::Trap);
        let names: Vec<_> = error.backtrace().iter().map(|frame: &Frame| frame.function.as_deref()).collect();
        match engine.kind {
            RuntimeKind::Wasmtime => assert_eq!(names, [Some("f")]),
            RuntimeKind::Wasmer => assert!(names.is_empty()),
        }
    });
}

/// On Wasmer, a throw takes time proportional to the depth of the stack.
#[test]
fn a_guest_that_only_throws_deep_in_its_stack_meets_its_time_limit() {
    let text = r#"
      (module
        (tag $oops)
        (func $throw_and_catch
          (loop $again
            (block $caught (try_table (catch $oops $caught) (throw $oops)))
            (br $again)))
        (func $down (export "down") (param i32) (result i32)
          (if (local.get 0)
            (then (return (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))))
          (call $throw_and_catch)
          (i32.const 0)))"#;
    on_each(|engine| {
        if !engine.has(Feature::Exceptions) {
            return;
        }
        let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler).with_interruption();
        let engine = Engine::configured(&config);
        let mut guest = engine.start_within(Limits::none().with_time(Duration::from_millis(50)), text).unwrap();
        let started = Instant::now();
        refused(guest.call("down", &[Value::I32(3000)]), ErrorKind::Timeout);
        assert!(started.elapsed() < MAX_WAIT);
    });
}

#[test]
fn a_rethrown_exception_has_the_frames_of_one_of_its_throws() {
    let wat = r#"(module (tag $t)
      (func $inner (throw $t))
      (func $cleanup
        (block $handler (result exnref) (try_table (catch_all_ref $handler) (call $inner)) (return))
        (throw_ref))
      (func $outer (export "outer") (call $cleanup)))"#;
    on_each(|engine| {
        if !engine.has(Feature::Exceptions) {
            return;
        }
        let error = trapped(engine.start(wat).call("outer", &[]), Trap::UncaughtException);
        let names: Vec<_> = error.backtrace().iter().filter_map(|frame| frame.function.as_deref()).collect();
        match engine.kind {
            RuntimeKind::Wasmtime => assert_eq!(names, ["cleanup", "outer"]),
            RuntimeKind::Wasmer => assert_eq!(names, ["inner", "cleanup", "outer"]),
        }
    });
}
