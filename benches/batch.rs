//! Measures batches: records in JSON against `serde_json` alone, two workers against one, a new instance for each call
//! against the engine's own loop.
//!
//! `cargo bench --bench batch` prints tables of ratios, measured in turns. `benches/batch.sh` measures whole processes.

#![expect(clippy::print_stdout, reason = "the bench prints tables")]

#[expect(dead_code, reason = "only the other benches print estimates")]
mod turns;

use std::fmt::Write as _;
use std::hint::black_box;
use std::num::{NonZeroU32, NonZeroUsize};

use turns::{Batches, Case};
use wrun::batch::{self, BatchCounters, BatchOptions, Stop, Streams};
use wrun::session::{InstanceMode, InstanceOptions, PreparedCode, Session, Worker, WorkerOptions};
use wrun::{Callable, Capabilities, RuntimeConfig, RuntimeKind};

const ADD: &[u8] = include_bytes!("../fixtures/add.wasm");
const CHECKSUMS: &[u8] = include_bytes!("../fixtures/c/checksums.wasm");
#[cfg(feature = "components")]
const SHOP: &[u8] = include_bytes!("../fixtures/component/shop/shop.wasm");

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

/// A function that takes some time.
const LOOP: &[u8] = br#"(module
  (func (export "count") (param i32 i32) (result i32)
    (loop $again
      (local.set 1 (i32.xor (i32.mul (local.get 1) (i32.const 1664525)) (local.get 0)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1)))"#;

/// The arguments of the program.
const PROGRAM_ARGS: [&str; 2] = ["greet", "bob"];

/// What is called in a new instance each time.
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

/// Compiles and finds the function, for as long as the process lives.
fn prepared(
    config: &RuntimeConfig,
    binary: &'static [u8],
    function: Option<&str>,
) -> (&'static PreparedCode, &'static Callable) {
    let session = Session::open(config, binary, None).expect("it is valid");
    let callable = match function {
        Some(function) => session.function(function),
        None => session.program(),
    };
    let callable = callable.expect("it is exported");
    let options = InstanceOptions::default().with_capabilities(Capabilities::none().with_args(PROGRAM_ARGS));
    let prepared = session.prepare(options, &|_| {}).expect("it compiles");
    (Box::leak(Box::new(prepared)), Box::leak(Box::new(callable)))
}

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
                let mut store = Store::new(&engine, WasiCtxBuilder::new().args(&PROGRAM_ARGS).build_p1());
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

/// Records of a stream.
const RECORDS: u32 = 100_000;

/// The records of a stream whose calls take longer.
const SLOW_RECORDS: u32 = 4_000;

fn pairs(count: u32) -> Vec<u8> {
    let mut lines = String::new();
    for number in 0..count {
        writeln!(lines, "[{number},{}]", number.wrapping_mul(7919) % 100_003).expect("a string takes all");
    }
    lines.into_bytes()
}

fn slow_pairs() -> Vec<u8> {
    let mut lines = String::new();
    for number in 0..SLOW_RECORDS {
        writeln!(lines, "[10000,{number}]").expect("a string takes all");
    }
    lines.into_bytes()
}

/// What the plain alternative does: the same records, in and out of integers.
fn serde_json_alone(lines: Vec<u8>) -> Box<dyn FnMut()> {
    let mut output = Vec::new();
    Box::new(move || {
        output.clear();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let (left, right): (i32, i32) = serde_json::from_slice(line).expect("it is a pair");
            serde_json::to_writer(&mut output, &left.wrapping_add(right)).expect("it is JSON");
            output.push(b'\n');
        }
        black_box(&output);
    })
}

fn stream(
    config: &RuntimeConfig,
    (binary, function): (&'static [u8], &str),
    lines: Vec<u8>,
    jobs: usize,
    mode: InstanceMode,
) -> Box<dyn FnMut()> {
    let (code, callable) = prepared(config, binary, Some(function));
    let mut options = BatchOptions::default();
    options.jobs = NonZeroUsize::new(jobs).expect("there are workers");
    options.worker.instance = mode;
    let mut output = Vec::new();
    Box::new(move || {
        output.clear();
        let (counters, stop) = (BatchCounters::default(), Stop::default());
        let mut input = lines.as_slice();
        let streams = Streams::new(&mut input, &mut output, &counters, &stop);
        let report = batch::run(code, callable, &options, streams).expect("nothing fails");
        assert_eq!(report.failed, 0, "every record succeeds");
        black_box(&output);
    })
}

fn streams(engine: &'static str, config: &RuntimeConfig, cases: &mut Vec<Case>) {
    let add = (ADD, "add");
    let count = (LOOP, "count");
    let mut push = |work, variant, run| cases.push(Case { engine, work, variant, run });
    push("add", "serde_json", serde_json_alone(pairs(RECORDS)));
    push("add", "1 worker", stream(config, add, pairs(RECORDS), 1, InstanceMode::Shared));
    push("add", "2 workers", stream(config, add, pairs(RECORDS), 2, InstanceMode::Shared));
    let pooled = &config.clone().with_pooled_instances(NonZeroU32::MIN.saturating_add(1));
    push("add, per call", "1 worker", stream(pooled, add, pairs(RECORDS / 4), 1, InstanceMode::PerCall));
    push("add, per call", "2 workers", stream(pooled, add, pairs(RECORDS / 4), 2, InstanceMode::PerCall));
    push("10,000 rounds", "1 worker", stream(config, count, slow_pairs(), 1, InstanceMode::Shared));
    push("10,000 rounds", "2 workers", stream(config, count, slow_pairs(), 2, InstanceMode::Shared));
}

fn print_per_call(cases: &mut [Case], rounds: usize) {
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

fn print_streams(cases: &mut [Case], rounds: usize) {
    let batches = Batches::measure(cases, rounds);
    println!("\nStreams of JSON: the speed of the first against the second\n");
    println!("| engine | function | | against | ms | ms | speed | of fastest | bound |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let rows = [
        ("add", "1 worker", "serde_json", "0.5"),
        ("add", "2 workers", "1 worker", "1.7"),
        ("add, per call", "2 workers", "1 worker", ""),
        ("10,000 rounds", "2 workers", "1 worker", "1.7"),
    ];
    for kind in RuntimeKind::available() {
        let engine = kind.as_str();
        for (work, variant, other, bound) in rows {
            let get = |variant| batches.get(engine, work, variant).expect("the case was measured");
            let (this, that) = (get(variant), get(other));
            println!(
                "| {engine} | {work} | {variant} | {other} | {:.1} | {:.1} | {:.2}x | {:.2}x | {bound} |",
                this.1 / 1e6,
                that.1 / 1e6,
                that.1 / this.1,
                that.0 / this.0
            );
        }
    }
}

fn main() {
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(101);
    let (mut instances, mut flows) = (Vec::new(), Vec::new());
    for kind in RuntimeKind::available() {
        let config = RuntimeConfig::new(kind);
        for work in &MODULES {
            add_per_call(kind.as_str(), &config, work, &mut instances);
        }
        streams(kind.as_str(), &config, &mut flows);
    }
    #[cfg(feature = "components")]
    {
        add_per_call("wasmtime", &RuntimeConfig::wasmtime(), &COMPONENT, &mut instances);
        component_alone(&mut instances);
    }
    #[cfg(feature = "wasmtime-runtime")]
    wasmtime_alone(&mut instances);
    #[cfg(feature = "wasmer-runtime")]
    wasmer_alone(&mut instances);
    print_per_call(&mut instances, rounds);
    print_streams(&mut flows, rounds.div_ceil(4));
}
