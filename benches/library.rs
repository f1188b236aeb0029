//! Compares the library with the engines it uses: compiling, loading from the cache, instantiating, a fresh instance
//! for one call, and the codecs. The bench `call` measures calls, the bench `fuel` measures fuel.
//!
//! `cargo bench --bench library` prints criterion's estimates and then a table of ratios, measured in turns.

#![expect(clippy::print_stdout, reason = "the bench prints a table")]

mod turns;

use std::hint::black_box;

use turns::{Batches, Case};
use wrun::value::{json, msgpack};
use wrun::{Cache, Capabilities, FuncType, Limits, RuntimeConfig, ValType, create_runtime};

const ADD: &[u8] = include_bytes!("../fixtures/add.wasm");
const SHAPES: &[u8] = include_bytes!("../fixtures/cpp/shapes.wasm");

/// The library also reads facts from the module, validates it and checks its requirements.
const COMPILED: [(&str, &[u8]); 2] = [("compile add", ADD), ("compile shapes", SHAPES)];
/// The library also hashes the module, to find its entry, and verifies the entry.
const CACHED: &str = "load shapes from the cache";
const JSON: &str = "JSON: four arguments in, results out";
const MESSAGEPACK: &str = "MessagePack: four arguments in, results out";
/// Creates and drops an instance with a memory and a table.
const INSTANTIATE: &str = "instantiate shapes";
const FRESH: &str = "fresh instance, one call";

fn library(engine: &'static str, config: &RuntimeConfig, cases: &mut Vec<Case>) {
    let variant = "wrun";
    for (work, bytes) in COMPILED {
        let runtime = create_runtime(config).expect("the engine is compiled in");
        let run = Box::new(move || drop(black_box(runtime.load_module(black_box(bytes)).expect("it compiles"))));
        cases.push(Case { engine, work, variant, run });
    }
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let cache = Cache::open(folder.path()).expect("it is the user's own");
    let run = Box::new(move || {
        let _kept = &folder;
        black_box(cache.load_or_compile(runtime.as_ref(), black_box(SHAPES)).expect("it compiles"));
    });
    cases.push(Case { engine, work: CACHED, variant, run });
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let module = runtime.load_module(SHAPES).expect("it compiles");
    let run = Box::new(move || {
        let made = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
        drop(black_box(made.expect("it imports nothing")));
    });
    cases.push(Case { engine, work: INSTANTIATE, variant, run });
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let module = runtime.load_module(ADD).expect("it compiles");
    let run = Box::new(move || {
        let made = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
        let mut instance = made.expect("it imports nothing");
        black_box(instance.call_simple_function("add", &[5, 3]).expect("it returns"));
    });
    cases.push(Case { engine, work: FRESH, variant, run });
}

/// Compares both codecs with their own crates, which read and write the same bytes without types.
fn codecs(cases: &mut Vec<Case>) {
    let engine = "codecs";
    let ty = FuncType::new([ValType::I32, ValType::I64, ValType::F32, ValType::F64], []);
    let text: &[u8] = b"[-5,9007199254740993,0.1,-1.5e300]";
    let untyped: serde_json::Value = serde_json::from_slice(text).expect("it is JSON");
    let packed = rmp_serde::to_vec(&untyped).expect("it can be packed");
    let packed_typed = msgpack::encode_results(&json::decode_args(text, &ty).expect("they fit"));
    let of_ty = ty.clone();
    let run = Box::new(move || {
        let args = json::decode_args(black_box(text), &of_ty).expect("they fit");
        black_box(json::encode_results(&args));
    });
    cases.push(Case { engine, work: JSON, variant: "wrun", run });
    let run = Box::new(move || {
        let value: serde_json::Value = serde_json::from_slice(black_box(text)).expect("it is JSON");
        black_box(value.to_string());
    });
    cases.push(Case { engine, work: JSON, variant: "engine", run });
    let run = Box::new(move || {
        let args = msgpack::decode_args(black_box(&packed_typed), &ty).expect("they fit");
        black_box(msgpack::encode_results(&args));
    });
    cases.push(Case { engine, work: MESSAGEPACK, variant: "wrun", run });
    let run = Box::new(move || {
        let value: serde_json::Value = rmp_serde::from_slice(black_box(&packed)).expect("it is MessagePack");
        black_box(rmp_serde::to_vec(&value).expect("it can be packed"));
    });
    cases.push(Case { engine, work: MESSAGEPACK, variant: "engine", run });
}

#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_alone(cases: &mut Vec<Case>) {
    use wasmtime::{Engine, Instance, Module, Store};
    let (engine, variant) = (Engine::default(), "engine");
    for (work, bytes) in COMPILED {
        let engine = engine.clone();
        let run = Box::new(move || drop(black_box(Module::new(&engine, black_box(bytes)).expect("it compiles"))));
        cases.push(Case { engine: "wasmtime", work, variant, run });
    }
    let code = Module::new(&engine, SHAPES).and_then(|module| module.serialize()).expect("it compiles");
    let loading = engine.clone();
    #[expect(unsafe_code, reason = "the cache is compared with the engine's own loading")]
    // SAFETY: this engine has just compiled the code.
    let load = move || unsafe { Module::deserialize(&loading, black_box(&code)) };
    let run = Box::new(move || drop(black_box(load().expect("it is its own"))));
    cases.push(Case { engine: "wasmtime", work: CACHED, variant, run });
    let (module, instantiating) = (Module::new(&engine, SHAPES).expect("it compiles"), engine.clone());
    let run = Box::new(move || {
        let mut store = Store::new(&instantiating, ());
        black_box(Instance::new(&mut store, &module, &[]).expect("it imports nothing"));
    });
    cases.push(Case { engine: "wasmtime", work: INSTANTIATE, variant, run });
    let module = Module::new(&engine, ADD).expect("it compiles");
    let run = Box::new(move || {
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
        let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add").expect("it is exported");
        black_box(add.call(&mut store, (5, 3)).expect("it returns"));
    });
    cases.push(Case { engine: "wasmtime", work: FRESH, variant, run });
}

#[cfg(feature = "wasmer-runtime")]
fn wasmer_alone(cases: &mut Vec<Case>) {
    use wasmer::{
        Engine, Instance, Module, Store, TypedFunction, imports,
        sys::{Cranelift, NativeEngineExt},
    };
    let (fresh, variant) = (|| Engine::from(Cranelift::default()), "engine");
    // Each run has its own engine: an engine keeps all code that it compiled or loaded, until the process runs out of
    // mappings.
    for (work, bytes) in COMPILED {
        let run =
            Box::new(move || drop(black_box(Module::from_binary(&fresh(), black_box(bytes)).expect("it compiles"))));
        cases.push(Case { engine: "wasmer", work, variant, run });
    }
    let engine = fresh();
    let code = Module::from_binary(&engine, SHAPES).expect("it compiles").serialize().expect("it can be written");
    #[expect(unsafe_code, reason = "the cache is compared with the engine's own loading")]
    // SAFETY: an engine of the same configuration has just compiled the code.
    let load = move || unsafe { Module::deserialize(&Engine::headless(), black_box(code.clone())) };
    let run = Box::new(move || drop(black_box(load().expect("it is its own"))));
    cases.push(Case { engine: "wasmer", work: CACHED, variant, run });
    let (module, instantiating) = (Module::from_binary(&engine, SHAPES).expect("it compiles"), engine.clone());
    let run = Box::new(move || {
        let mut store = Store::new(instantiating.clone());
        black_box(Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing"));
    });
    cases.push(Case { engine: "wasmer", work: INSTANTIATE, variant, run });
    let module = Module::from_binary(&engine, ADD).expect("it compiles");
    let run = Box::new(move || {
        let mut store = Store::new(engine.clone());
        let instance = Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing");
        let add: TypedFunction<(i32, i32), i32> =
            instance.exports.get_typed_function(&store, "add").expect("it is exported");
        black_box(add.call(&mut store, 5, 3).expect("it returns"));
    });
    cases.push(Case { engine: "wasmer", work: FRESH, variant, run });
}

fn main() {
    let mut cases = Vec::new();
    #[cfg(feature = "wasmtime-runtime")]
    {
        library("wasmtime", &RuntimeConfig::wasmtime(), &mut cases);
        wasmtime_alone(&mut cases);
    }
    #[cfg(feature = "wasmer-runtime")]
    {
        library("wasmer", &RuntimeConfig::wasmer(), &mut cases);
        wasmer_alone(&mut cases);
    }

    codecs(&mut cases);
    turns::estimate(&mut cases);
    let works: Vec<_> =
        cases.iter().filter(|case| case.variant == "wrun").map(|case| (case.engine, case.work)).collect();
    let batches = Batches::measure(&mut cases, 61);
    println!(
        "\n| work | engine alone, us | wrun, us | ratio of medians | ratio of fastest batches |\n| --- | --- | --- | --- | --- |"
    );
    for (engine, work) in works {
        let times = |variant| batches.get(engine, work, variant);
        let (Some((fastest, alone)), Some((our_fastest, wrun))) = (times("engine"), times("wrun")) else { continue };
        let (ratio, ratio_of_fastest) = (wrun / alone, our_fastest / fastest);
        let (alone, wrun) = (alone / 1e3, wrun / 1e3);
        println!("| {engine}: {work} | {alone:.2} | {wrun:.2} | {ratio:.2} | {ratio_of_fastest:.2} |");
    }
}
