//! What the library adds to the engines' own work: compiling, loading from the cache, a fresh instance for one call, the
//! codecs. Calls are in the bench `call`, fuel is in `fuel`.
//!
//! `cargo bench --bench library`: criterion's estimates of each, then a table of ratios.

#![expect(clippy::print_stdout, reason = "the table is what the bench is for")]

mod turns;

use std::hint::black_box;

use turns::{Quickest, Way};
use wrun::{Capabilities, Limits, RuntimeConfig, create_runtime};

const ADD: &[u8] = include_bytes!("../fixtures/add.wasm");
const SHAPES: &[u8] = include_bytes!("../fixtures/cpp/shapes.wasm");

/// Compiling: with facts, validation and refusals of ours on top.
const COMPILED: [(&str, &[u8]); 2] = [("compile add (60 B)", ADD), ("compile shapes", SHAPES)];
const FRESH: &str = "fresh instance, one call";

fn library(engine: &'static str, config: &RuntimeConfig, ways: &mut Vec<Way>) {
    let manner = "wrun";
    for (work, bytes) in COMPILED {
        let runtime = create_runtime(config).expect("the engine is compiled in");
        let run = Box::new(move || drop(black_box(runtime.load_module(black_box(bytes)).expect("it compiles"))));
        ways.push(Way { engine, work, manner, run });
    }
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let module = runtime.load_module(ADD).expect("it compiles");
    let run = Box::new(move || {
        let made = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
        let mut instance = made.expect("it imports nothing");
        black_box(instance.call_simple_function("add", &[5, 3]).expect("it returns"));
    });
    ways.push(Way { engine, work: FRESH, manner, run });
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
    use wasmer::{Engine, Instance, Module, Store, TypedFunction, imports, sys::Cranelift};
    let (engine, manner) = (Engine::from(Cranelift::default()), "engine");
    for (work, bytes) in COMPILED {
        let engine = engine.clone();
        let run =
            Box::new(move || drop(black_box(Module::from_binary(&engine, black_box(bytes)).expect("it compiles"))));
        ways.push(Way { engine: "wasmer", work, manner, run });
    }
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

    turns::estimate(&mut ways);
    let works: Vec<_> = ways.iter().filter(|way| way.manner == "wrun").map(|way| (way.engine, way.work)).collect();
    let best = Quickest::of(&mut ways, 60, 20);
    println!("\n| work | engine itself, us | wrun, us | ratio |\n| --- | --- | --- | --- |");
    for (engine, work) in works {
        let of = |manner| best.get(engine, work, manner).map(|nanoseconds| nanoseconds / 1e3);
        let (Some(itself), Some(wrun)) = (of("engine"), of("wrun")) else { continue };
        println!("| {engine}: {work} | {itself:.1} | {wrun:.1} | {:.2} |", wrun / itself);
    }
}
