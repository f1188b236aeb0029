//! What a call through a resolved handle costs, beside the engine's own calls, in the same run.
//!
//! `cargo bench --bench call`: criterion's estimates of each, then a table of ratios. For the table the ways of calling
//! take turns in short batches, so that a busy machine troubles all of them alike.

#![expect(clippy::print_stdout, reason = "the table is what the bench is for")]

mod turns;

use std::hint::black_box;

use turns::{Batches, Way};
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

const CASES: [(&str, &[Value]); 3] =
    [("add", &[Value::I32(5), Value::I32(3)]), ("mix", &[Value::I64(5), Value::F64(3.0)]), ("nothing", &[])];

fn handles(engine: &'static str, config: &RuntimeConfig, ways: &mut Vec<Way>) {
    for (function, args) in CASES {
        let (mut instance, args) = (instance(config), args.to_vec());
        let mut handle = instance.function(function).expect("it is exported");
        let mut results = vec![Value::I32(0); handle.ty().results().len()];
        let call = move || {
            let args: &Vec<Value> = black_box(&args);
            handle.call(instance.as_mut(), args, &mut results).expect("it returns");
        };
        ways.push(Way { engine, work: function, manner: "handle", run: Box::new(call) });
    }
}

#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_ways(ways: &mut Vec<Way>) {
    use wasmtime::{Engine, Instance, Module, Store, Val, ValRaw};
    let engine = Engine::default();
    let binary = wat::parse_str(MODULE).expect("the module is valid");
    let module = Module::new(&engine, binary).expect("the module compiles");
    let cases: [(&str, &'static [Val]); 3] =
        [("add", &[Val::I32(5), Val::I32(3)]), ("mix", &[Val::I64(5), Val::F64(0x4008 << 48)]), ("nothing", &[])];
    for (function, args) in cases {
        let made = || {
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
            let func = instance.get_func(&mut store, function).expect("it is exported");
            (store, func)
        };
        let (mut store, func) = made();
        let mut vals = vec![Val::I32(0); func.ty(&store).results().len()];
        let results = vals.len();
        let dynamic = move || func.call(&mut store, black_box(args), &mut vals).expect("it returns");
        let (mut store, func) = made();
        let raw: Vec<ValRaw> = args.iter().map(|val| val.to_raw(&mut store).expect("a number")).collect();
        let mut slots = vec![ValRaw::i64(0); raw.len().max(results)];
        let unchecked = move || {
            slots[..raw.len()].copy_from_slice(black_box(&raw));
            let slots = std::ptr::from_mut::<[ValRaw]>(slots.as_mut_slice());
            #[expect(unsafe_code, reason = "the engine's raw call is what the handle is measured against")]
            // SAFETY: the slots hold arguments of the function's type and are as many as its types need.
            unsafe { func.call_unchecked(&mut store, slots) }.expect("it returns");
        };
        ways.push(Way { engine: "wasmtime", work: function, manner: "dynamic", run: Box::new(dynamic) });
        ways.push(Way { engine: "wasmtime", work: function, manner: "raw", run: Box::new(unchecked) });
    }
    handles("wasmtime", &RuntimeConfig::wasmtime(), ways);
}

#[cfg(feature = "wasmer-runtime")]
fn wasmer_ways(ways: &mut Vec<Way>) {
    use wasmer::{Instance, Module, Store, TypedFunction, imports, sys};
    let engine = wasmer::Engine::from(sys::Cranelift::default());
    let binary = wat::parse_str(MODULE).expect("the module is valid");
    let module = Module::from_binary(&engine, &binary).expect("the module compiles");
    let made = || {
        let mut store = Store::new(engine.clone());
        let instance = Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing");
        (store, instance)
    };
    let cases: [(&str, Vec<wasmer::Value>); 3] = [
        ("add", vec![wasmer::Value::I32(5), wasmer::Value::I32(3)]),
        ("mix", vec![wasmer::Value::I64(5), wasmer::Value::F64(3.0)]),
        ("nothing", Vec::new()),
    ];
    for (function, args) in cases {
        let (mut store, instance) = made();
        let func = instance.exports.get_function(function).expect("it is exported").clone();
        let dynamic = move || {
            black_box(func.call(&mut store, black_box(&args)).expect("it returns"));
        };
        ways.push(Way { engine: "wasmer", work: function, manner: "dynamic", run: Box::new(dynamic) });
    }
    let (mut store, instance) = made();
    let add: TypedFunction<(i32, i32), i32> = instance.exports.get_typed_function(&store, "add").expect("its type");
    let add = move || {
        black_box(add.call(&mut store, black_box(5), black_box(3)).expect("it returns"));
    };
    let (mut store, instance) = made();
    let mix: TypedFunction<(i64, f64), f64> = instance.exports.get_typed_function(&store, "mix").expect("its type");
    let mix = move || {
        black_box(mix.call(&mut store, black_box(5), black_box(3.0)).expect("it returns"));
    };
    let (mut store, instance) = made();
    let nothing: TypedFunction<(), ()> = instance.exports.get_typed_function(&store, "nothing").expect("its type");
    let nothing = move || nothing.call(&mut store).expect("it returns");
    ways.push(Way { engine: "wasmer", work: "add", manner: "raw", run: Box::new(add) });
    ways.push(Way { engine: "wasmer", work: "mix", manner: "raw", run: Box::new(mix) });
    ways.push(Way { engine: "wasmer", work: "nothing", manner: "raw", run: Box::new(nothing) });
    handles("wasmer", &RuntimeConfig::wasmer(), ways);
}

fn main() {
    let mut ways = Vec::new();
    #[cfg(feature = "wasmtime-runtime")]
    wasmtime_ways(&mut ways);
    #[cfg(feature = "wasmer-runtime")]
    wasmer_ways(&mut ways);

    turns::estimate(&mut ways);
    let batches = Batches::of(&mut ways, 101);
    println!(
        "\n| call | engine's dynamic, ns | engine's raw or typed, ns | handle, ns | handle / faster | of the quickest |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for engine in ["wasmtime", "wasmer"] {
        for (function, _) in CASES {
            let of = |manner| batches.get(engine, function, manner);
            let (Some(dynamic), Some(raw), Some(handle)) = (of("dynamic"), of("raw"), of("handle")) else { continue };
            let (of_quickest, ratio) = (handle.0 / dynamic.0.min(raw.0), handle.1 / dynamic.1.min(raw.1));
            let (dynamic, raw, handle) = (dynamic.1, raw.1, handle.1);
            println!("| {engine} {function} | {dynamic:.1} | {raw:.1} | {handle:.1} | {ratio:.2} | {of_quickest:.2} |");
        }
    }
}
