//! A session: one call from a module's bytes to its outcome, with what it took.

use std::cell::RefCell;

use wrun::session::{Call, CallMetrics, Completion, Event, Outcome, Session};
use wrun::{ErrorKind, Limits, RuntimeConfig, Trap, Value};

use crate::vocabulary::{Engine, PAGE, on_each, refused, trapped};

const GUEST: &str = r#"
(module
  (memory 1)
  (global $state (mut i32) (i32.const 1))
  (func (export "_initialize") (global.set $state (i32.mul (global.get $state) (i32.const 7))))
  (func (export "get") (result i32) (global.get $state))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "trap") (unreachable)))"#;

fn config(engine: &Engine) -> RuntimeConfig {
    RuntimeConfig::new(engine.kind).with_compiler(engine.compiler)
}

fn call(engine: &Engine, wat: &str, function: &str, args: &[Value], limits: Limits) -> Outcome {
    let session = Session::open(&config(engine), wat.as_bytes()).unwrap();
    session.call(&Call::new(function, args).within(limits), &|_| {})
}

#[test]
fn a_call_gives_its_results_and_what_each_step_took() {
    on_each(|engine| {
        let outcome = call(engine, GUEST, "grow", &[Value::I32(2)], Limits::none());
        assert_eq!(outcome.result.unwrap(), Completion::Returned(vec![Value::I32(1)]));
        let CallMetrics { compile_ns, instantiate_ns, call_ns, .. } = outcome.metrics;
        assert!(compile_ns.is_some_and(|ns| ns > 0) && instantiate_ns.is_some() && call_ns.is_some());
        assert_eq!(outcome.metrics.memory_bytes, Some(3 * PAGE));
        assert_eq!(outcome.metrics.memory_peak_bytes, Some(3 * PAGE));
        assert_eq!(outcome.metrics.fuel_used, None, "fuel was not metered");
    });
}

#[test]
fn initialize_runs_once_before_the_call_and_not_before_itself() {
    on_each(|engine| {
        assert_eq!(
            call(engine, GUEST, "get", &[], Limits::none()).result.unwrap(),
            Completion::Returned(vec![Value::I32(7)])
        );
        assert_eq!(
            call(engine, GUEST, "_initialize", &[], Limits::none()).result.unwrap(),
            Completion::Returned(Vec::new())
        );
    });
}

#[test]
fn a_trap_is_the_outcome_with_the_measures_of_the_call() {
    on_each(|engine| {
        let outcome = call(engine, GUEST, "trap", &[], Limits::none());
        assert_eq!(trapped(outcome.result, Trap::Unreachable).function(), Some("trap"));
        assert!(outcome.metrics.call_ns.is_some());
        assert_eq!(outcome.metrics.memory_bytes, Some(PAGE));
    });
}

#[test]
fn a_trap_of_initialize_is_the_outcome_and_nothing_was_called() {
    let wat =
        r#"(module (func (export "_initialize") (unreachable)) (func (export "get") (result i32) (i32.const 1)))"#;
    on_each(|engine| {
        let outcome = call(engine, wat, "get", &[], Limits::none());
        assert_eq!(trapped(outcome.result, Trap::Unreachable).function(), Some("_initialize"));
        assert!(outcome.metrics.instantiate_ns.is_some());
        assert_eq!((outcome.metrics.call_ns, outcome.metrics.memory_bytes), (None, None), "not reached");
    });
}

#[test]
fn what_instantiation_would_refuse_is_refused_before_compiling() {
    on_each(|engine| {
        let outcome = call(engine, GUEST, "get", &[], Limits::none().with_memory(1));
        refused(outcome.result, ErrorKind::Limit);
        assert_eq!(outcome.metrics, CallMetrics::default());
        let outcome = call(engine, r#"(module (import "a" "b" (func)))"#, "f", &[], Limits::none());
        refused(outcome.result, ErrorKind::Unlinkable);
        assert_eq!(outcome.metrics, CallMetrics::default());
    });
}

#[test]
fn a_session_tells_its_steps_and_can_call_again() {
    on_each(|engine| {
        let binary = wat::parse_str(GUEST).unwrap();
        let session = Session::open(&config(engine), &binary).unwrap();
        let events = RefCell::new(Vec::new());
        for _ in 0..2 {
            let note = |event| match event {
                Event::Measured(_) => {}
                step => events.borrow_mut().push(step),
            };
            session.call(&Call::new("get", &[]), &note).result.unwrap();
        }
        let steps = [Event::Compiling(binary.len()), Event::Compiled, Event::Instantiating, Event::Calling];
        assert_eq!(*events.borrow(), [steps, steps].concat());
    });
}

#[test]
fn what_is_no_module_opens_no_session() {
    on_each(|engine| {
        refused(Session::open(&config(engine), b"nothing"), ErrorKind::InvalidModule);
        refused(Session::open(&config(engine).with_max_stack(1), GUEST.as_bytes()), ErrorKind::UnsupportedConfig);
    });
}
