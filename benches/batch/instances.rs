//! A new instance for each call, against the engine's own loop.

use std::hint::black_box;
use std::num::NonZeroU32;

use wrun::session::{InstanceMode, Worker, WorkerOptions};
use wrun::{RuntimeConfig, RuntimeKind};

use super::turns::{Batches, Case};
use super::{ADD, prepared};

const CHECKSUMS: &[u8] = include_bytes!("../../fixtures/c/checksums.wasm");
#[cfg(feature = "components")]
const SHOP: &[u8] = include_bytes!("../../fixtures/component/shop/shop.wasm");

/// The same function with one page of memory, which it uses.
const ONE_PAGE: &[u8] = br#"(module (memory 1)
  (func (export "add") (param i32 i32) (result i32)
    (i32.store (i32.const 16) (local.get 0))
    (i32.add (i32.load (i32.const 16)) (local.get 1))))"#;

/// With 17 pages, two of which have data.
const DATA: &[u8] = br#"(module (memory 17)
  (data (i32.const 1024) "some text that is at the start")
  (data (i32.const 1048576) "and some that is in the last page")
  (func (export "add") (param i32 i32) (result i32)
    (i32.store (i32.const 16) (local.get 0))
    (i32.add (i32.load (i32.const 16)) (local.get 1))))"#;

/// A program with the imports of one in C, which reads its arguments and writes a line.
const PROGRAM: &[u8] = br#"(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
  (memory (export "memory") 17)
  (data (i32.const 1024) "a line of text\n")
  (data (i32.const 2048) "\00\04\00\00\0f\00\00\00")
  (func (export "_start")
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $args_get (i32.const 4096) (i32.const 8192)))
    (drop (call $fd_prestat_get (i32.const 3) (i32.const 32)))
    (drop (call $fd_write (i32.const 1) (i32.const 2048) (i32.const 1) (i32.const 24)))))"#;

/// A function or a program, and its arguments.
struct Work {
    name: &'static str,
    binary: &'static [u8],
    /// `None` for a program.
    function: Option<&'static str>,
    args: &'static [u8],
}

const MODULES: [Work; 5] = [
    Work { name: "no memory", binary: ADD, function: Some("add"), args: b"[5,3]" },
    Work { name: "1 page", binary: ONE_PAGE, function: Some("add"), args: b"[5,3]" },
    Work { name: "17 pages, data", binary: DATA, function: Some("add"), args: b"[5,3]" },
    Work { name: "C, a table", binary: CHECKSUMS, function: Some("crc32"), args: b"[1024,16]" },
    Work { name: "a WASI program", binary: PROGRAM, function: None, args: b"[]" },
];

/// A call in a new instance, from JSON to JSON.
fn per_call(config: &RuntimeConfig, work: &Work) -> Box<dyn FnMut()> {
    let (code, callable) = prepared(config, work.binary, work.function);
    let mut options = WorkerOptions::default();
    options.instance = InstanceMode::PerCall;
    let mut worker = Worker::new(code, callable, options);
    let (args, mut output) = (work.args, Vec::new());
    Box::new(move || {
        output.clear();
        let args = callable.decode_json(black_box(args)).expect("they fit");
        let result = worker.call(&args).expect("it returns");
        serde_json::to_writer(&mut output, result).expect("it is JSON");
        black_box(&output);
    })
}

/// The codec alone.
fn codec(config: &RuntimeConfig, work: &Work) -> Box<dyn FnMut()> {
    let (code, callable) = prepared(config, work.binary, work.function);
    let mut worker = Worker::new(code, callable, WorkerOptions::default());
    let args = callable.decode_json(work.args).expect("they fit");
    let result = worker.call(&args).expect("it returns").clone();
    let (args, mut output) = (work.args, Vec::new());
    Box::new(move || {
        output.clear();
        black_box(callable.decode_json(black_box(args)).expect("they fit"));
        serde_json::to_writer(&mut output, black_box(&result)).expect("it is JSON");
        black_box(&output);
    })
}

fn add_per_call(engine: &'static str, config: &RuntimeConfig, work: &Work, cases: &mut Vec<Case>) {
    let name = work.name;
    cases.push(Case { engine, work: name, variant: "wrun", run: per_call(config, work) });
    let pooled = config.clone().with_pooled_instances(NonZeroU32::MIN);
    cases.push(Case { engine, work: name, variant: "pooled", run: per_call(&pooled, work) });
    cases.push(Case { engine, work: name, variant: "codec", run: codec(config, work) });
}

#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_alone(cases: &mut Vec<Case>) {
    use wasmtime::{Engine, Linker, Module, Store};
    use wasmtime_wasi::WasiCtxBuilder;
    use wasmtime_wasi::p1::{WasiP1Ctx, add_to_linker_sync};

    let engine = Engine::default();
    let compile = |binary: &[u8]| {
        let binary = wat::parse_bytes(binary).expect("it is valid");
        Module::new(&engine, &binary).expect("it compiles")
    };
    for Work { name, binary, function, .. } in MODULES {
        let (engine, module) = (engine.clone(), compile(binary));
        let run: Box<dyn FnMut()> = if let Some(function) = function {
            let prepared = Linker::<()>::new(&engine).instantiate_pre(&module).expect("it imports nothing");
            Box::new(move || {
                let mut store = Store::new(&engine, ());
                let instance = prepared.instantiate(&mut store).expect("it imports nothing");
                let called = instance.get_typed_func::<(i32, i32), i32>(&mut store, function).expect("it is exported");
                black_box(called.call(&mut store, (5, 3)).expect("it returns"));
            })
        } else {
            let mut linker = Linker::<WasiP1Ctx>::new(&engine);
            add_to_linker_sync(&mut linker, |state| state).expect("the linker is empty");
            let prepared = linker.instantiate_pre(&module).expect("WASI has its imports");
            Box::new(move || {
                let mut store = Store::new(&engine, WasiCtxBuilder::new().args(&super::PROGRAM_ARGS).build_p1());
                let instance = prepared.instantiate(&mut store).expect("WASI has its imports");
                let start = instance.get_typed_func::<(), ()>(&mut store, "_start").expect("it is exported");
                start.call(&mut store, ()).expect("it returns");
            })
        };
        cases.push(Case { engine: "wasmtime", work: name, variant: "engine", run });
    }
}

#[cfg(feature = "components")]
const COMPONENT: Work = Work { name: "a component", binary: SHOP, function: Some("greet"), args: br#"["bob"]"# };

#[cfg(feature = "components")]
fn component_alone(cases: &mut Vec<Case>) {
    use wasmtime::component::{Component, Linker};
    use wasmtime::{Engine, Store};
    let engine = Engine::default();
    let component = Component::new(&engine, COMPONENT.binary).expect("it compiles");
    let linked = Linker::<()>::new(&engine).instantiate_pre(&component).expect("it imports nothing");
    let run = Box::new(move || {
        let mut store = Store::new(&engine, ());
        let instance = linked.instantiate(&mut store).expect("it imports nothing");
        let greet = instance.get_typed_func::<(String,), (String,)>(&mut store, "greet").expect("it is exported");
        black_box(greet.call(&mut store, ("bob".to_owned(),)).expect("it returns"));
    });
    cases.push(Case { engine: "wasmtime", work: COMPONENT.name, variant: "engine", run });
}

#[cfg(feature = "wasmer-runtime")]
fn wasmer_alone(cases: &mut Vec<Case>) {
    use wasmer::{Engine, Instance, Module, Store, TypedFunction, imports, sys::Cranelift};
    for Work { name, binary, function, .. } in MODULES {
        let Some(function) = function else { continue };
        let engine = Engine::from(Cranelift::default());
        let binary = wat::parse_bytes(binary).expect("it is valid");
        let module = Module::new(&engine, &binary).expect("it compiles");
        let run = Box::new(move || {
            let mut store = Store::new(engine.clone());
            let instance = Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing");
            let called: TypedFunction<(i32, i32), i32> =
                instance.exports.get_typed_function(&store, function).expect("it is exported");
            black_box(called.call(&mut store, 5, 3).expect("it returns"));
        });
        cases.push(Case { engine: "wasmer", work: name, variant: "engine", run });
    }
}

pub(crate) fn print(cases: &mut [Case], rounds: usize) {
    let batches = Batches::measure(cases, rounds);
    println!("\nA new instance for each call, against the engine's own loop and the codec (bound: 1.3)\n");
    println!("| engine | module | engine, µs | codec, µs | wrun, µs | ratio | of fastest | pooled, µs | ratio |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for kind in RuntimeKind::available() {
        let engine = kind.as_str();
        let names = MODULES.iter().map(|work| work.name);
        #[cfg(feature = "components")]
        let names = names.chain([COMPONENT.name]);
        for name in names {
            let get = |variant| batches.get(engine, name, variant);
            let (Some(alone), Some(codec), Some(wrun)) = (get("engine"), get("codec"), get("wrun")) else { continue };
            let pooled = get("pooled").expect("the case was measured");
            let ratio = |this: (f64, f64), pick: fn((f64, f64)) -> f64| pick(this) / (pick(alone) + pick(codec));
            println!(
                "| {engine} | {name} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
                alone.1 / 1e3,
                codec.1 / 1e3,
                wrun.1 / 1e3,
                ratio(wrun, |times| times.1),
                ratio(wrun, |times| times.0),
                pooled.1 / 1e3,
                ratio(pooled, |times| times.1)
            );
        }
    }
}

/// Measures each module in new instances.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kind in RuntimeKind::available() {
        let config = RuntimeConfig::new(kind);
        for work in &MODULES {
            add_per_call(kind.as_str(), &config, work, &mut cases);
        }
    }
    #[cfg(feature = "components")]
    {
        add_per_call("wasmtime", &RuntimeConfig::wasmtime(), &COMPONENT, &mut cases);
        component_alone(&mut cases);
    }
    #[cfg(feature = "wasmtime-runtime")]
    wasmtime_alone(&mut cases);
    #[cfg(feature = "wasmer-runtime")]
    wasmer_alone(&mut cases);
    cases
}
