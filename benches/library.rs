//! What the library adds to the engines' own work: compiling, loading from the cache, instantiating, a fresh instance for
//! one call, the codecs. Calls are in the bench `call`, fuel is in `fuel`.
//!
//! `cargo bench --bench library`: criterion's estimates of each, then a table of ratios, of short batches of all ways that
//! take turns.

#![expect(clippy::print_stdout, reason = "the table is what the bench is for")]

mod turns;

use std::hint::black_box;

use turns::{Batches, Way};
use wrun::value::{json, msgpack};
use wrun::{Cache, Capabilities, FuncType, Limits, RuntimeConfig, ValType, create_runtime};

const ADD: &[u8] = include_bytes!("../fixtures/add.wasm");
const SHAPES: &[u8] = include_bytes!("../fixtures/cpp/shapes.wasm");

/// Compiling: with facts, validation and refusals of ours on top.
const COMPILED: [(&str, &[u8]); 2] = [("compile add", ADD), ("compile shapes", SHAPES)];
/// Loading what was compiled before: found by the module's hash and verified on top.
const CACHED: &str = "load shapes from the cache";
const JSON: &str = "JSON: four arguments in, results out";
const MESSAGEPACK: &str = "MessagePack: four arguments in, results out";
/// An instance with a memory, made and dropped.
const INSTANTIATE: &str = "instantiate shapes";
const FRESH: &str = "fresh instance, one call";

fn library(engine: &'static str, config: &RuntimeConfig, ways: &mut Vec<Way>) {
    let manner = "wrun";
    for (work, bytes) in COMPILED {
        let runtime = create_runtime(config).expect("the engine is compiled in");
        let run = Box::new(move || drop(black_box(runtime.load_module(black_box(bytes)).expect("it compiles"))));
        ways.push(Way { engine, work, manner, run });
    }
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let cache = Cache::open(folder.path()).expect("it is the user's own");
    let run = Box::new(move || {
        let _kept = &folder;
        black_box(cache.load_or_compile(runtime.as_ref(), black_box(SHAPES)).expect("it compiles"));
    });
    ways.push(Way { engine, work: CACHED, manner, run });
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let module = runtime.load_module(SHAPES).expect("it compiles");
    let run = Box::new(move || {
        let made = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
        drop(black_box(made.expect("it imports nothing")));
    });
    ways.push(Way { engine, work: INSTANTIATE, manner, run });
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let module = runtime.load_module(ADD).expect("it compiles");
    let run = Box::new(move || {
        let made = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
        let mut instance = made.expect("it imports nothing");
        black_box(instance.call_simple_function("add", &[5, 3]).expect("it returns"));
    });
    ways.push(Way { engine, work: FRESH, manner, run });
}

/// Both codecs, against the same bytes read and written without types, by the crates they are built on.
fn codecs(ways: &mut Vec<Way>) {
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
    ways.push(Way { engine, work: JSON, manner: "wrun", run });
    let run = Box::new(move || {
        let value: serde_json::Value = serde_json::from_slice(black_box(text)).expect("it is JSON");
        black_box(value.to_string());
    });
    ways.push(Way { engine, work: JSON, manner: "engine", run });
    let run = Box::new(move || {
        let args = msgpack::decode_args(black_box(&packed_typed), &ty).expect("they fit");
        black_box(msgpack::encode_results(&args));
    });
    ways.push(Way { engine, work: MESSAGEPACK, manner: "wrun", run });
    let run = Box::new(move || {
        let value: serde_json::Value = rmp_serde::from_slice(black_box(&packed)).expect("it is MessagePack");
        black_box(rmp_serde::to_vec(&value).expect("it can be packed"));
    });
    ways.push(Way { engine, work: MESSAGEPACK, manner: "engine", run });
}

#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_itself(ways: &mut Vec<Way>) {
    use wasmtime::{Engine, Instance, Module, Store};
    let (engine, manner) = (Engine::default(), "engine");
    for (work, bytes) in COMPILED {
        let engine = engine.clone();
        let run = Box::new(move || drop(black_box(Module::new(&engine, black_box(bytes)).expect("it compiles"))));
        ways.push(Way { engine: "wasmtime", work, manner, run });
    }
    let code = Module::new(&engine, SHAPES).and_then(|module| module.serialize()).expect("it compiles");
    let loading = engine.clone();
    #[expect(unsafe_code, reason = "loading by the engine itself is what the cache is measured against")]
    // SAFETY: the code is what this engine has just compiled.
    let load = move || unsafe { Module::deserialize(&loading, black_box(&code)) };
    let run = Box::new(move || drop(black_box(load().expect("it is its own"))));
    ways.push(Way { engine: "wasmtime", work: CACHED, manner, run });
    let (module, instantiating) = (Module::new(&engine, SHAPES).expect("it compiles"), engine.clone());
    let run = Box::new(move || {
        let mut store = Store::new(&instantiating, ());
        black_box(Instance::new(&mut store, &module, &[]).expect("it imports nothing"));
    });
    ways.push(Way { engine: "wasmtime", work: INSTANTIATE, manner, run });
    let module = Module::new(&engine, ADD).expect("it compiles");
    let run = Box::new(move || {
        let mut store = Store::new(&engine, ());
        let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
        let add = instance.get_typed_func::<(i32, i32), i32>(&mut store, "add").expect("it is exported");
        black_box(add.call(&mut store, (5, 3)).expect("it returns"));
    });
    ways.push(Way { engine: "wasmtime", work: FRESH, manner, run });
}

#[cfg(feature = "wasmer-runtime")]
fn wasmer_itself(ways: &mut Vec<Way>) {
    use wasmer::{
        Engine, Instance, Module, Store, TypedFunction, imports,
        sys::{Cranelift, NativeEngineExt},
    };
    let (fresh, manner) = (|| Engine::from(Cranelift::default()), "engine");
    // An engine keeps the code of all that it compiled or loaded until the process may have no more mappings: each has its own.
    for (work, bytes) in COMPILED {
        let run =
            Box::new(move || drop(black_box(Module::from_binary(&fresh(), black_box(bytes)).expect("it compiles"))));
        ways.push(Way { engine: "wasmer", work, manner, run });
    }
    let engine = fresh();
    let code = Module::from_binary(&engine, SHAPES).expect("it compiles").serialize().expect("it can be written");
    #[expect(unsafe_code, reason = "loading by the engine itself is what the cache is measured against")]
    // SAFETY: the code is what such an engine has just compiled.
    let load = move || unsafe { Module::deserialize(&Engine::headless(), black_box(code.clone())) };
    let run = Box::new(move || drop(black_box(load().expect("it is its own"))));
    ways.push(Way { engine: "wasmer", work: CACHED, manner, run });
    let (module, instantiating) = (Module::from_binary(&engine, SHAPES).expect("it compiles"), engine.clone());
    let run = Box::new(move || {
        let mut store = Store::new(instantiating.clone());
        black_box(Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing"));
    });
    ways.push(Way { engine: "wasmer", work: INSTANTIATE, manner, run });
    let module = Module::from_binary(&engine, ADD).expect("it compiles");
    let run = Box::new(move || {
        let mut store = Store::new(engine.clone());
        let instance = Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing");
        let add: TypedFunction<(i32, i32), i32> =
            instance.exports.get_typed_function(&store, "add").expect("it is exported");
        black_box(add.call(&mut store, 5, 3).expect("it returns"));
    });
    ways.push(Way { engine: "wasmer", work: FRESH, manner, run });
}

fn main() {
    let mut ways = Vec::new();
    #[cfg(feature = "wasmtime-runtime")]
    {
        library("wasmtime", &RuntimeConfig::wasmtime(), &mut ways);
        wasmtime_itself(&mut ways);
    }
    #[cfg(feature = "wasmer-runtime")]
    {
        library("wasmer", &RuntimeConfig::wasmer(), &mut ways);
        wasmer_itself(&mut ways);
    }

    codecs(&mut ways);
    turns::estimate(&mut ways);
    let works: Vec<_> = ways.iter().filter(|way| way.manner == "wrun").map(|way| (way.engine, way.work)).collect();
    let batches = Batches::of(&mut ways, 61);
    println!(
        "\n| work | itself, us | wrun, us | ratio of medians | of the quickest |\n| --- | --- | --- | --- | --- |"
    );
    for (engine, work) in works {
        let of = |manner| batches.get(engine, work, manner);
        let (Some((quickest, itself)), Some((our_quickest, wrun))) = (of("engine"), of("wrun")) else { continue };
        let (ratio, of_quickest) = (wrun / itself, our_quickest / quickest);
        let (itself, wrun) = (itself / 1e3, wrun / 1e3);
        println!("| {engine}: {work} | {itself:.2} | {wrun:.2} | {ratio:.2} | {of_quickest:.2} |");
    }
}
