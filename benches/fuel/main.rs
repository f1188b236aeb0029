//! Compares portable fuel with each engine's own metering.
//!
//! `cargo bench --bench fuel` prints criterion's estimates and then a table of ratios, measured in turns. Portable fuel
//! should cost at most 1.10x of the engine's own metering. Each run has a fresh instance, which takes a thousandth of
//! the time.

#![expect(clippy::print_stdout, reason = "the bench prints a table")]

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

use turns::{Batches, Case};
use wrun::{Capabilities, Limits, RuntimeConfig, Value, create_runtime};

#[cfg(feature = "wasmer-runtime")]
mod stock;
#[path = "../turns.rs"]
mod turns;

/// A function from an i32 to an i32.
struct Program {
    name: &'static str,
    module: &'static [u8],
    function: &'static str,
    argument: i32,
    /// The number of calls in one run.
    calls: u32,
}

impl Program {
    /// Makes the calls of one run and returns the last result.
    fn run(&self, mut call: impl FnMut(i32) -> i32) -> i32 {
        (0..self.calls).fold(0, |_, _| call(black_box(self.argument)))
    }
}

const PROGRAMS: [Program; 4] = [
    Program {
        name: "recursion",
        function: "fib",
        argument: 32,
        calls: 1,
        module: br#"(module (func $fib (export "fib") (param i32) (result i32)
          (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
                           (call $fib (i32.sub (local.get 0) (i32.const 2))))))))"#,
    },
    Program {
        name: "arithmetic",
        function: "run",
        argument: 60_000_000,
        calls: 1,
        module: br#"(module (func (export "run") (param $n i32) (result i32) (local $x i32)
          (loop $l
            (local.set $x (i32.xor (i32.add (i32.mul (local.get $x) (i32.const 1664525)) (i32.const 1013904223))
              (local.get $n)))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $l (local.get $n)))
          (local.get $x)))"#,
    },
    Program {
        name: "sieve in C",
        function: "sieve",
        argument: 500_000,
        // Fits into a core's own cache, so that the load of other cores does not count.
        calls: 20,
        module: include_bytes!("../../fixtures/c/checksums.wasm"),
    },
    Program {
        name: "indirect calls",
        function: "run",
        argument: 10_000_000,
        calls: 1,
        module: br#"(module
          (type $step (func (param i32) (result i32))) (table 4 4 funcref) (elem (i32.const 0) $a $b $c $d)
          (func $a (param i32) (result i32) (i32.add (local.get 0) (i32.const 3)))
          (func $b (param i32) (result i32) (i32.xor (local.get 0) (i32.const 0x55)))
          (func $c (param i32) (result i32) (i32.mul (local.get 0) (i32.const 5)))
          (func $d (param i32) (result i32) (i32.rotl (local.get 0) (i32.const 7)))
          (func (export "run") (param $n i32) (result i32) (local $x i32)
            (loop $l
              (local.set $x (call_indirect (type $step) (local.get $x) (i32.and (local.get $n) (i32.const 3))))
              (local.set $n (i32.sub (local.get $n) (i32.const 1)))
              (br_if $l (local.get $n)))
            (local.get $x)))"#,
    },
];

/// The result of the last run, and the fuel it used if portable fuel was counted.
type Outcome = Rc<Cell<Option<(i32, Option<u64>)>>>;

// The variants of a program.
const PLAIN: &str = "plain";
const ENGINES: &str = "engine's metering";
const PORTABLE: &str = "portable fuel";

/// All cases, and the outcome of each by program.
#[derive(Default)]
struct Cases {
    cases: Vec<Case>,
    outcomes: Vec<(&'static str, Outcome)>,
}

impl Cases {
    fn add(
        &mut self,
        engine: &'static str,
        work: &'static str,
        variant: &'static str,
        run: impl Fn() -> (i32, Option<u64>) + 'static,
    ) {
        let outcome = Outcome::default();
        self.outcomes.push((work, Rc::clone(&outcome)));
        self.cases.push(Case { engine, work, variant, run: Box::new(move || outcome.set(Some(run()))) });
    }
}

/// Adds the programs on wrun, with and without metering.
fn wrun_cases(engine: &'static str, config: &RuntimeConfig, cases: &mut Cases) {
    for program in &PROGRAMS {
        for (variant, config) in [(PLAIN, config.clone()), (PORTABLE, config.clone().with_metering())] {
            let runtime = create_runtime(&config).expect("the engine is compiled in");
            let module = runtime.load_module(program.module).expect("the module is valid");
            cases.add(engine, program.name, variant, move || {
                let made = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
                let mut instance = made.expect("it imports nothing");
                let mut function = instance.function(program.function).expect("it is exported");
                let result = program.run(|argument| {
                    let mut results = [Value::I32(0)];
                    let called = function.call(instance.as_mut(), &[Value::I32(argument)], &mut results);
                    called.expect("it returns");
                    let [Value::I32(result)] = results else { panic!("the result is an i32") };
                    result
                });
                (result, instance.fuel_used())
            });
        }
    }
}

/// Adds the programs on Wasmtime, metered by the engine at its default costs.
#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_cases(cases: &mut Cases) {
    use wasmtime::{Config, Engine, Instance, Module, Store};
    let engine = Engine::new(Config::new().consume_fuel(true)).expect("the engine is configured");
    for program in &PROGRAMS {
        let binary = wat::parse_bytes(program.module).expect("the module is valid");
        let module = Module::new(&engine, binary).expect("the module compiles");
        let engine = engine.clone();
        cases.add("wasmtime", program.name, ENGINES, move || {
            let mut store = Store::new(&engine, ());
            store.set_fuel(u64::MAX / 4).expect("fuel is metered");
            let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
            let function = instance.get_typed_func::<i32, i32>(&mut store, program.function).expect("it is exported");
            (program.run(|n| function.call(&mut store, n).expect("it returns")), None)
        });
    }
    wrun_cases("wasmtime", &RuntimeConfig::wasmtime(), cases);
}

/// Adds the programs on Wasmer, metered like by its own middleware, at one unit per operator.
#[cfg(feature = "wasmer-runtime")]
fn wasmer_cases(cases: &mut Cases) {
    use wasmer::{Engine, Instance, Module, Store, TypedFunction, imports};
    for program in &PROGRAMS {
        let engine = Engine::from(stock::compiler());
        let binary = wat::parse_bytes(program.module).expect("the module is valid");
        let module = Module::from_binary(&engine, &binary).expect("the module compiles");
        cases.add("wasmer", program.name, ENGINES, move || {
            let mut store = Store::new(engine.clone());
            let instance = Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing");
            let function = instance.exports.get_typed_function(&store, program.function);
            let function: TypedFunction<i32, i32> = function.expect("it is exported");
            (program.run(|n| function.call(&mut store, n).expect("it returns")), None)
        });
    }
    wrun_cases("wasmer", &RuntimeConfig::wasmer(), cases);
}

fn main() {
    let mut all = Cases::default();
    #[cfg(feature = "wasmtime-runtime")]
    wasmtime_cases(&mut all);
    #[cfg(feature = "wasmer-runtime")]
    wasmer_cases(&mut all);
    let Cases { mut cases, outcomes } = all;

    turns::estimate(&mut cases);
    let batches = Batches::measure(&mut cases, 51);
    println!(
        "\n| program | fuel used | plain, ms | engine's metering, ms | portable fuel, ms | ratio of medians | ratio of fastest batches |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for program in &PROGRAMS {
        let outcomes = outcomes.iter().filter(|(name, _)| *name == program.name);
        let outcomes: Vec<_> = outcomes.filter_map(|(_, outcome)| outcome.get()).collect();
        let mut results: Vec<i32> = outcomes.iter().map(|(result, _)| *result).collect();
        results.dedup();
        assert!(results.len() <= 1, "{}: {results:?}", program.name);
        let mut fuel: Vec<u64> = outcomes.iter().filter_map(|(_, fuel)| *fuel).collect();
        fuel.dedup();
        assert!(fuel.len() <= 1, "{}: {fuel:?} units of fuel", program.name);
        for engine in ["wasmtime", "wasmer"] {
            let times = |variant| batches.get(engine, program.name, variant);
            let all = (times(PLAIN), times(ENGINES), times(PORTABLE), fuel.first());
            let (Some((_, plain)), Some((fastest, engines)), Some((our_fastest, portable)), Some(fuel)) = all else {
                continue;
            };
            let (ratio, ratio_of_fastest) = (portable / engines, our_fastest / fastest);
            let [plain, engines, portable] = [plain, engines, portable].map(|ns| ns / 1e6);
            let name = program.name;
            println!(
                "| {engine}, {name} | {fuel} | {plain:.1} | {engines:.1} | {portable:.1} | {ratio:.2} | {ratio_of_fastest:.2} |"
            );
        }
    }
}
