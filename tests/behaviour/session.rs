//! Sessions: from the bytes of a module to the result of a call, with the time of each step.

use std::cell::{Cell, RefCell};

use wrun::session::{CacheUse, CallMetrics, Completion, Event, InstanceOptions, Session};
use wrun::{ErrorKind, Limits, Result, RuntimeConfig, Trap, Value};

use crate::vocabulary::{Engine, PAGE, on_each, refused, trapped};

const GUEST: &str = r#"
(module
  (memory 1)
  (global $state (mut i32) (i32.const 1))
  (func (export "_initialize") (global.set $state (i32.mul (global.get $state) (i32.const 7))))
  (func (export "get") (result i32) (global.get $state))
  (func (export "set") (param i32) (global.set $state (local.get 0)))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "trap") (unreachable)))"#;

fn config(engine: &Engine) -> RuntimeConfig {
    RuntimeConfig::new(engine.kind).with_compiler(engine.compiler)
}

fn returned(values: &[Value]) -> Completion {
    Completion::Returned(values.to_vec().into())
}

/// Runs all steps of a call. Returns the result and the metrics.
fn call(
    engine: &Engine,
    wat: &str,
    function: &str,
    args: &[Value],
    limits: Limits,
) -> (Result<Completion>, CallMetrics) {
    let metrics = Cell::new(CallMetrics::default());
    let record = |event| metrics.set(metrics.get().with(event));
    let session = Session::open(&config(engine), wat.as_bytes(), None).unwrap();
    let mut options = InstanceOptions::default().with_limits(limits);
    options.initialize = function != "_initialize";
    let callable = session.function(function);
    let result = session
        .prepare(options, &record)
        .and_then(|prepared| prepared.instantiate(limits, &record))
        .and_then(|mut instance| instance.call(&callable?, &args.to_vec().into(), &record));
    (result, metrics.get())
}

#[test]
fn a_call_returns_its_results_and_the_time_of_each_step() {
    on_each(|engine| {
        let (result, metrics) = call(engine, GUEST, "grow", &[Value::I32(2)], Limits::none());
        assert_eq!(result.unwrap(), returned(&[Value::I32(1)]));
        let CallMetrics { compile_ns, instantiate_ns, call_ns, .. } = metrics;
        assert!(compile_ns.is_some_and(|ns| ns > 0) && instantiate_ns.is_some() && call_ns.is_some());
        assert_eq!((metrics.memory_bytes, metrics.memory_peak_bytes), (Some(3 * PAGE), Some(3 * PAGE)));
        assert_eq!(metrics.fuel_used, None, "fuel is not metered");
    });
}

#[test]
fn initialize_runs_once_before_the_call_unless_it_is_the_call() {
    on_each(|engine| {
        let (result, _) = call(engine, GUEST, "get", &[], Limits::none());
        assert_eq!(result.unwrap(), returned(&[Value::I32(7)]));
        let (result, _) = call(engine, GUEST, "_initialize", &[], Limits::none());
        assert_eq!(result.unwrap(), returned(&[]));
    });
}

#[test]
fn a_trap_is_reported_with_the_metrics_of_the_call() {
    on_each(|engine| {
        let (result, metrics) = call(engine, GUEST, "trap", &[], Limits::none());
        assert_eq!(trapped(result, Trap::Unreachable).function(), Some("trap"));
        assert!(metrics.call_ns.is_some());
        assert_eq!(metrics.memory_bytes, Some(PAGE));
    });
}

#[test]
fn a_trap_in_initialize_ends_the_session_before_the_call() {
    let wat =
        r#"(module (func (export "_initialize") (unreachable)) (func (export "get") (result i32) (i32.const 1)))"#;
    on_each(|engine| {
        let (result, metrics) = call(engine, wat, "get", &[], Limits::none());
        assert_eq!(trapped(result, Trap::Unreachable).function(), Some("_initialize"));
        assert!(metrics.instantiate_ns.is_some());
        assert_eq!((metrics.call_ns, metrics.memory_bytes), (None, None), "not reached");
    });
}

#[test]
fn a_module_that_cannot_be_instantiated_is_refused_before_compiling() {
    on_each(|engine| {
        let (result, metrics) = call(engine, GUEST, "get", &[], Limits::none().with_memory(1));
        refused(result, ErrorKind::Limit);
        assert_eq!(metrics, CallMetrics::default());
        let (result, metrics) = call(engine, r#"(module (import "a" "b" (func)))"#, "f", &[], Limits::none());
        refused(result, ErrorKind::Unlinkable);
        assert_eq!(metrics, CallMetrics::default());
    });
}

#[test]
fn a_prepared_module_makes_independent_instances_and_compiles_once() {
    on_each(|engine| {
        let binary = wat::parse_str(GUEST).unwrap();
        let steps = RefCell::new(Vec::new());
        let record = |event| match event {
            Event::Prepared { cache, .. } => assert_eq!(cache, CacheUse::Off),
            Event::Instantiated { .. } | Event::Called { .. } => {}
            step => steps.borrow_mut().push(step),
        };
        let session = Session::open(&config(engine), binary.as_slice(), None).unwrap();
        let (set, get) = (session.function("set").unwrap(), session.function("get").unwrap());
        let prepared = session.prepare(InstanceOptions::default(), &record).unwrap();
        let mut first = prepared.instantiate(Limits::none(), &record).unwrap();
        let mut second = prepared.instantiate(Limits::none(), &record).unwrap();
        first.call(&set, &vec![Value::I32(9)].into(), &|_| {}).unwrap();
        drop(prepared);
        let completion = second.call(&get, &Vec::<Value>::new().into(), &record).unwrap();
        assert_eq!(completion, returned(&[Value::I32(7)]), "the second instance is not the first");
        let compiling = [Event::Compiling { bytes: binary.len() }, Event::Compiled];
        let instance = [Event::Instantiating, Event::Initializing];
        let expected = [&compiling[..], &instance, &instance, &[Event::Calling]].concat();
        assert_eq!(*steps.borrow(), expected);
    });
}

#[test]
fn bytes_that_are_not_a_module_are_refused() {
    on_each(|engine| {
        refused(Session::open(&config(engine), b"nothing", None), ErrorKind::InvalidModule);
        let config = config(engine).with_max_stack(1);
        refused(Session::open(&config, GUEST.as_bytes(), None), ErrorKind::UnsupportedConfig);
    });
}
