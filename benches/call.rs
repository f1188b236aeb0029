//! What a call through a resolved handle costs, beside the engine's own calls, in the same run.
//!
//! `cargo bench --bench call`; the table at the end gives the ratios.

#![expect(clippy::print_stdout, reason = "the table is what the bench is for")]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
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

fn handle(group: &mut BenchmarkGroup<'_, WallTime>, config: &RuntimeConfig) {
    let mut instance = instance(config);
    let cases: [(&str, &[Value]); 3] =
        [("add", &[Value::I32(5), Value::I32(3)]), ("mix", &[Value::I64(5), Value::F64(3.0)]), ("nothing", &[])];
    for (name, args) in cases {
        let mut function = instance.function(name).expect("it is exported");
        let mut results = vec![Value::I32(0); function.ty().results().len()];
        group.bench_function(format!("{name}/handle"), |bencher| {
            bencher.iter(|| {
                function.call(instance.as_mut(), black_box(args), &mut results).expect("it returns");
                black_box(&results);
            });
        });
    }
}

#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_raw(group: &mut BenchmarkGroup<'_, WallTime>) {
    use wasmtime::{Engine, Instance, Module, Store, Val, ValRaw};
    let engine = Engine::default();
    let binary = wat::parse_str(MODULE).expect("the module is valid");
    let module = Module::new(&engine, binary).expect("the module compiles");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
    let cases: [(&str, &[Val]); 3] =
        [("add", &[Val::I32(5), Val::I32(3)]), ("mix", &[Val::I64(5), Val::F64(3.0_f64.to_bits())]), ("nothing", &[])];
    for (name, args) in cases {
        let func = instance.get_func(&mut store, name).expect("it is exported");
        let mut vals = vec![Val::I32(0); func.ty(&store).results().len()];
        group.bench_function(format!("{name}/dynamic"), |bencher| {
            bencher.iter(|| func.call(&mut store, black_box(args), &mut vals).expect("it returns"));
        });
        let raw: Vec<ValRaw> = args.iter().map(|val| val.to_raw(&mut store).expect("a number")).collect();
        let mut slots = vec![ValRaw::i64(0); raw.len().max(vals.len())];
        group.bench_function(format!("{name}/raw"), |bencher| {
            bencher.iter(|| {
                slots[..raw.len()].copy_from_slice(black_box(&raw));
                let slots = std::ptr::from_mut::<[ValRaw]>(slots.as_mut_slice());
                #[expect(unsafe_code, reason = "the engine's raw call is what the handle is measured against")]
                // SAFETY: the slots hold arguments of the function's type and are as many as its types need.
                unsafe { func.call_unchecked(&mut store, slots) }.expect("it returns");
            });
        });
    }
}

#[cfg(feature = "wasmer-runtime")]
fn wasmer_raw(group: &mut BenchmarkGroup<'_, WallTime>) {
    use wasmer::{Instance, Module, Store, TypedFunction, imports, sys};
    let mut store = Store::new(wasmer::Engine::from(sys::Cranelift::default()));
    let binary = wat::parse_str(MODULE).expect("the module is valid");
    let module = Module::from_binary(&store.engine().clone(), &binary).expect("the module compiles");
    let instance = Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing");
    let cases: [(&str, &[wasmer::Value]); 3] = [
        ("add", &[wasmer::Value::I32(5), wasmer::Value::I32(3)]),
        ("mix", &[wasmer::Value::I64(5), wasmer::Value::F64(3.0)]),
        ("nothing", &[]),
    ];
    for (name, args) in cases {
        let function = instance.exports.get_function(name).expect("it is exported").clone();
        group.bench_function(format!("{name}/dynamic"), |bencher| {
            bencher.iter(|| black_box(function.call(&mut store, black_box(args)).expect("it returns")));
        });
    }
    let add: TypedFunction<(i32, i32), i32> = instance.exports.get_typed_function(&store, "add").expect("its type");
    group.bench_function("add/raw", |bencher| {
        bencher.iter(|| black_box(add.call(&mut store, black_box(5), black_box(3)).expect("it returns")));
    });
    let mix: TypedFunction<(i64, f64), f64> = instance.exports.get_typed_function(&store, "mix").expect("its type");
    group.bench_function("mix/raw", |bencher| {
        bencher.iter(|| black_box(mix.call(&mut store, black_box(5), black_box(3.0)).expect("it returns")));
    });
    let nothing: TypedFunction<(), ()> = instance.exports.get_typed_function(&store, "nothing").expect("its type");
    group.bench_function("nothing/raw", |bencher| bencher.iter(|| nothing.call(&mut store).expect("it returns")));
}

/// The median that criterion kept of a benchmark, in nanoseconds.
fn median(group: &str, name: &str) -> Option<f64> {
    let home = std::env::var_os("CRITERION_HOME").map_or_else(target_criterion, Into::into);
    let file = home.join(group).join(name.replace('/', "_")).join("new/estimates.json");
    let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    estimates["median"]["point_estimate"].as_f64()
}

fn target_criterion() -> std::path::PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    std::path::PathBuf::from(target).join("criterion")
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    #[cfg(feature = "wasmtime-runtime")]
    {
        let mut group = criterion.benchmark_group("wasmtime");
        wasmtime_raw(&mut group);
        handle(&mut group, &RuntimeConfig::wasmtime());
        group.finish();
    }
    #[cfg(feature = "wasmer-runtime")]
    {
        let mut group = criterion.benchmark_group("wasmer");
        wasmer_raw(&mut group);
        handle(&mut group, &RuntimeConfig::wasmer());
        group.finish();
    }
    criterion.final_summary();
    println!("\n| call | engine's dynamic, ns | engine's raw or typed, ns | handle, ns | handle / faster |");
    println!("| --- | --- | --- | --- | --- |");
    for group in ["wasmtime", "wasmer"] {
        for name in ["add", "mix", "nothing"] {
            let of = |way: &str| median(group, &format!("{name}/{way}"));
            let (Some(dynamic), Some(raw), Some(handle)) = (of("dynamic"), of("raw"), of("handle")) else { continue };
            let ratio = handle / dynamic.min(raw);
            println!("| {group} {name} | {dynamic:.1} | {raw:.1} | {handle:.1} | {ratio:.2} |");
        }
    }
}
