//! Compares a call through a resolved handle with the engine's own calls.
//!
//! `cargo bench --bench call` prints criterion's estimates and then a table of ratios, measured in turns.

#![expect(clippy::print_stdout, reason = "the bench prints a table")]

mod turns;

use std::hint::black_box;

use turns::{Batches, Case};
use wrun::{Capabilities, Limits, RuntimeConfig, Value, WasmInstance, create_runtime};

const MODULE: &str = r#"(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "mix") (param i64 f64) (result f64) (f64.add (f64.convert_i64_s (local.get 0)) (local.get 1)))
  (func (export "nothing")))"#;

fn instance(config: &RuntimeConfig) -> Box<dyn WasmInstance> {
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let module = runtime.load_module(MODULE.as_bytes()).expect("the module is valid");
    runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none()).expect("it imports nothing")
}

const CALLS: [(&str, &[Value]); 3] =
    [("add", &[Value::I32(5), Value::I32(3)]), ("mix", &[Value::I64(5), Value::F64(3.0)]), ("nothing", &[])];

fn handles(engine: &'static str, config: &RuntimeConfig, cases: &mut Vec<Case>) {
    for (function, args) in CALLS {
        let (mut instance, args) = (instance(config), args.to_vec());
        let mut handle = instance.function(function).expect("it is exported");
        let mut results = vec![Value::I32(0); handle.ty().results().len()];
        let call = move || {
            let args: &Vec<Value> = black_box(&args);
            handle.call(instance.as_mut(), args, &mut results).expect("it returns");
        };
        cases.push(Case { engine, work: function, variant: "handle", run: Box::new(call) });
    }
}

#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_cases(cases: &mut Vec<Case>) {
    use wasmtime::{Engine, Instance, Module, Store, Val, ValRaw};
    let engine = Engine::default();
    let binary = wat::parse_str(MODULE).expect("the module is valid");
    let module = Module::new(&engine, binary).expect("the module compiles");
    let calls: [(&str, &'static [Val]); 3] =
        [("add", &[Val::I32(5), Val::I32(3)]), ("mix", &[Val::I64(5), Val::F64(0x4008 << 48)]), ("nothing", &[])];
    for (function, args) in calls {
        let instantiate = || {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
            let func = instance.get_func(&mut store, function).expect("it is exported");
            (store, func)
        };
        let (mut store, func) = instantiate();
        let mut vals = vec![Val::I32(0); func.ty(&store).results().len()];
        let results = vals.len();
        let dynamic = move || func.call(&mut store, black_box(args), &mut vals).expect("it returns");
        let (mut store, func) = instantiate();
        let raw: Vec<ValRaw> = args.iter().map(|val| val.to_raw(&mut store).expect("a number")).collect();
        let mut slots = vec![ValRaw::i64(0); raw.len().max(results)];
        let unchecked = move || {
            slots[..raw.len()].copy_from_slice(black_box(&raw));
            let slots = std::ptr::from_mut::<[ValRaw]>(slots.as_mut_slice());
            #[expect(unsafe_code, reason = "the handle is compared with the engine's raw call")]
            // SAFETY: the slots hold arguments of the function's type, and there are enough of them for its results.
            unsafe { func.call_unchecked(&mut store, slots) }.expect("it returns");
        };
        cases.push(Case { engine: "wasmtime", work: function, variant: "dynamic", run: Box::new(dynamic) });
        cases.push(Case { engine: "wasmtime", work: function, variant: "raw", run: Box::new(unchecked) });
    }
    handles("wasmtime", &RuntimeConfig::wasmtime(), cases);
}

#[cfg(feature = "wasmer-runtime")]
fn wasmer_cases(cases: &mut Vec<Case>) {
    use wasmer::{Instance, Module, Store, TypedFunction, imports, sys};
    let engine = wasmer::Engine::from(sys::Cranelift::default());
    let binary = wat::parse_str(MODULE).expect("the module is valid");
    let module = Module::from_binary(&engine, &binary).expect("the module compiles");
    let instantiate = || {
        let mut store = Store::new(engine.clone());
        let instance = Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing");
        (store, instance)
    };
    let calls: [(&str, Vec<wasmer::Value>); 3] = [
        ("add", vec![wasmer::Value::I32(5), wasmer::Value::I32(3)]),
        ("mix", vec![wasmer::Value::I64(5), wasmer::Value::F64(3.0)]),
        ("nothing", Vec::new()),
    ];
    for (function, args) in calls {
        let (mut store, instance) = instantiate();
        let func = instance.exports.get_function(function).expect("it is exported").clone();
        let dynamic = move || {
            black_box(func.call(&mut store, black_box(&args)).expect("it returns"));
        };
        cases.push(Case { engine: "wasmer", work: function, variant: "dynamic", run: Box::new(dynamic) });
    }
    let (mut store, instance) = instantiate();
    let add: TypedFunction<(i32, i32), i32> = instance.exports.get_typed_function(&store, "add").expect("its type");
    let add = move || {
        black_box(add.call(&mut store, black_box(5), black_box(3)).expect("it returns"));
    };
    let (mut store, instance) = instantiate();
    let mix: TypedFunction<(i64, f64), f64> = instance.exports.get_typed_function(&store, "mix").expect("its type");
    let mix = move || {
        black_box(mix.call(&mut store, black_box(5), black_box(3.0)).expect("it returns"));
    };
    let (mut store, instance) = instantiate();
    let nothing: TypedFunction<(), ()> = instance.exports.get_typed_function(&store, "nothing").expect("its type");
    let nothing = move || nothing.call(&mut store).expect("it returns");
    cases.push(Case { engine: "wasmer", work: "add", variant: "raw", run: Box::new(add) });
    cases.push(Case { engine: "wasmer", work: "mix", variant: "raw", run: Box::new(mix) });
    cases.push(Case { engine: "wasmer", work: "nothing", variant: "raw", run: Box::new(nothing) });
    handles("wasmer", &RuntimeConfig::wasmer(), cases);
}

fn main() {
    let mut cases = Vec::new();
    #[cfg(feature = "wasmtime-runtime")]
    wasmtime_cases(&mut cases);
    #[cfg(feature = "wasmer-runtime")]
    wasmer_cases(&mut cases);

    turns::estimate(&mut cases);
    let batches = Batches::measure(&mut cases, 101);
    println!(
        "\n| call | engine's dynamic, ns | engine's raw or typed, ns | handle, ns | ratio to the faster one | ratio of fastest batches |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for engine in ["wasmtime", "wasmer"] {
        for (function, _) in CALLS {
            let times = |variant| batches.get(engine, function, variant);
            let (Some(dynamic), Some(raw), Some(handle)) = (times("dynamic"), times("raw"), times("handle")) else {
                continue;
            };
            let (ratio_of_fastest, ratio) = (handle.0 / dynamic.0.min(raw.0), handle.1 / dynamic.1.min(raw.1));
            let (dynamic, raw, handle) = (dynamic.1, raw.1, handle.1);
            println!(
                "| {engine} {function} | {dynamic:.1} | {raw:.1} | {handle:.1} | {ratio:.2} | {ratio_of_fastest:.2} |"
            );
        }
    }
}
