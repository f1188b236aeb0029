//! Sessions: from the bytes of a module to the result of a call, with the time of each step.

use std::cell::{Cell, RefCell};

use wrun::session::{CacheUse, CallMetrics, Completion, Event, InstanceOptions, Session};
use wrun::{CallArgs, Capabilities, ErrorKind, Limits, Result, RuntimeConfig, Trap, Value};

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
    let options = InstanceOptions::default().with_limits(limits);
    let (callable, args) = (session.function(function), args.to_vec().into());
    let result = session.prepare(options, &record).and_then(|prepared| {
        let callable = callable?;
        prepared.instantiate_for(&callable, &args, limits, &record)?.call(&callable, &args, &record)
    });
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
        let session = Session::open(&config(engine), GUEST.as_bytes(), None).unwrap();
        let (initialize, get) = (session.function("_initialize").unwrap(), session.function("get").unwrap());
        let prepared = session.prepare(InstanceOptions::default(), &|_| {}).unwrap();
        let none = CallArgs::Core(Vec::new());
        for mut instance in [
            prepared.instantiate_for(&initialize, &none, Limits::none(), &|_| {}).unwrap(),
            prepared.instantiate_granting(&Capabilities::none(), &initialize, &none, Limits::none(), &|_| {}).unwrap(),
        ] {
            instance.call(&initialize, &none, &|_| {}).unwrap();
            assert_eq!(instance.call(&get, &none, &|_| {}).unwrap(), returned(&[Value::I32(7)]));
        }
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

#[cfg(feature = "components")]
mod components {
    use super::*;
    use wrun::session::{PreparedCode, PreparedInstance};
    use wrun::{Callable, ComponentImports, WitValue};

    /// A component that is a program and has functions; `price` is a function of the embedder.
    const SHOP: &str = r#"(component
      (import "price" (func $price (param "number" u32) (result u32)))
      (core func $price (canon lower (func $price)))
      (core module $code
        (import "host" "price" (func $price (param i32) (result i32)))
        (global $sold (mut i32) (i32.const 0))
        (memory (export "memory") 1)
        (func (export "sell") (param i32) (result i32)
          (global.set $sold (i32.add (global.get $sold) (call $price (local.get 0))))
          (global.get $sold))
        ;; The result is at 8: `ok` with the quotient, or `err`.
        (func (export "share") (param i32 i32) (result i32)
          (if (local.get 1) (then
            (i32.store8 (i32.const 8) (i32.const 0))
            (i32.store (i32.const 12) (i32.div_u (local.get 0) (local.get 1))))
          (else (i32.store8 (i32.const 8) (i32.const 1))))
          (i32.const 8))
        (func (export "run") (result i32) (i32.eqz (global.get $sold))))
      (core instance $code (instantiate $code (with "host" (instance (export "price" (func $price))))))
      (func (export "sell") (param "number" u32) (result u32) (canon lift (core func $code "sell")))
      (func (export "share") (param "of" u32) (param "by" u32) (result (result u32))
        (canon lift (core func $code "share") (memory $code "memory")))
      (func $run (result (result)) (canon lift (core func $code "run")))
      (instance $run (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $run)))"#;

    fn open() -> Session<'static> {
        Session::open(&RuntimeConfig::wasmtime(), SHOP.as_bytes(), None).unwrap()
    }

    fn options() -> InstanceOptions {
        let mut options = InstanceOptions::default();
        options.component_imports = ComponentImports::default().with("", "price", |_, args| match args {
            [WitValue::U32(number)] => Ok(Some(WitValue::U32(number * 10))),
            _ => Err("unexpected arguments".into()),
        });
        options
    }

    fn start() -> PreparedInstance {
        open().prepare(options(), &|_| {}).unwrap().instantiate(Limits::none(), &|_| {}).unwrap()
    }

    #[test]
    fn a_function_takes_text_json_and_messagepack() {
        let sell = open().function("sell").unwrap();
        assert_eq!(sell.to_string(), "sell: func(number: u32) -> u32");
        assert_eq!((sell.param_count(), sell.result_types()), (1, vec!["u32".to_owned()]));
        let all = [
            sell.parse_args(&["7"]).unwrap(),
            sell.decode_json(b"[7]").unwrap(),
            sell.decode_json(b"7").unwrap(),
            sell.decode_msgpack(&[0x91, 7]).unwrap(),
            CallArgs::from(vec![WitValue::U32(7)]),
        ];
        let metrics = Cell::new(CallMetrics::default());
        let mut instance = start();
        for (args, total) in all.iter().zip([70, 140, 210, 280, 350]) {
            let record = |event| metrics.set(metrics.get().with(event));
            let Completion::Returned(result) = instance.call(&sell, args, &record).unwrap() else { panic!("no exit") };
            assert_eq!(
                (serde_json::to_string(&result).unwrap(), result.to_text()),
                (total.to_string(), total.to_string())
            );
            assert!(!result.is_err());
            assert!(metrics.get().call_ns.is_some() && metrics.get().memory_bytes == Some(PAGE));
        }
    }

    #[test]
    fn a_resolved_callable_is_called_many_times() {
        let session = open();
        let (sell, share) = (session.function("sell").unwrap(), session.function("share").unwrap());
        let mut instance = start().into_instance();
        let (mut sells, mut shares) = (instance.resolve(&sell).unwrap(), instance.resolve(&share).unwrap());
        let (one, bad) = (sell.decode_json(b"[1]").unwrap(), share.decode_json(b"[1, 0]").unwrap());
        for turn in 1..100 {
            assert_eq!(sells.call(&mut instance, &one).unwrap().to_text(), (turn * 10).to_string());
            assert!(shares.call(&mut instance, &bad).unwrap().is_err());
        }
        let module_args = CallArgs::from(vec![Value::I32(1)]);
        refused(sells.call(&mut instance, &module_args).map(drop), ErrorKind::InvalidArgument);
        let mut other = start().into_instance();
        refused(sells.call(&mut other, &one).map(drop), ErrorKind::InvalidArgument);
    }

    #[test]
    fn a_program_returns_or_exits() {
        let session = open();
        let (run, sell) = (session.program().unwrap(), session.function("sell").unwrap());
        assert!(run.is_program() && run.name() == "wasi:cli/run@0.2.0#run" && run.result_types().is_empty());
        let none = run.decode_json(b"[]").unwrap();
        refused(run.parse_args(&["x"]), ErrorKind::InvalidArgument);
        assert_eq!(start().call(&run, &none, &|_| {}).unwrap(), Completion::Exited(1), "nothing was sold");
        let mut instance = start();
        instance.call(&sell, &sell.decode_json(b"[1]").unwrap(), &|_| {}).unwrap();
        assert_eq!(instance.call(&run, &none, &|_| {}).unwrap(), returned(&[]));
    }

    #[test]
    fn what_cannot_run_is_refused_before_compiling() {
        let compiles = |options| {
            let compiled = Cell::new(false);
            let prepared = open().prepare(options, &|event| compiled.set(matches!(event, Event::Compiling { .. })));
            assert!(!compiled.get());
            prepared.map(drop)
        };
        refused(compiles(InstanceOptions::default()), ErrorKind::Unlinkable);
        refused(compiles(options().with_limits(Limits::none().with_fuel(1))), ErrorKind::UnsupportedConfig);
        let seeded = Capabilities::none().with_net("dns".parse().unwrap()).with_seed(1);
        refused(compiles(options().with_capabilities(seeded)), ErrorKind::Grant);
        refused(open().function("sel"), ErrorKind::UnknownExport);
    }

    #[test]
    fn prepared_code_and_callables_are_shared_between_threads() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<PreparedCode>();
        is_shared::<Callable>();
        is_shared::<CallArgs>();
        let session = open();
        let (sell, prepared) = (session.function("sell").unwrap(), session.prepare(options(), &|_| {}).unwrap());
        std::thread::scope(|scope| {
            for number in 1..4_u32 {
                let (sell, prepared) = (&sell, &prepared);
                scope.spawn(move || {
                    let mut instance = prepared.instantiate(Limits::none(), &|_| {}).unwrap();
                    let args = CallArgs::from(vec![WitValue::U32(number)]);
                    let Completion::Returned(result) = instance.call(sell, &args, &|_| {}).unwrap() else { panic!() };
                    assert_eq!(result.to_text(), (number * 10).to_string());
                });
            }
        });
    }
}
