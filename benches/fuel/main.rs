//! What portable fuel costs, beside each engine's own metering, in the same run.
//!
//! `cargo bench --bench fuel`: criterion's estimates of each, then a table, of runs of all ways that take turns; the target is that
//! portable fuel costs no more than 1.10 of the engine's own metering. Each run has a fresh instance, which takes a
//! thousandth of it.

#![expect(clippy::print_stdout, reason = "the table is what the bench is for")]

use std::cell::Cell;
use std::hint::black_box;
use std::rc::Rc;

use turns::{Batches, Way};
use wrun::{Capabilities, Limits, RuntimeConfig, Value, create_runtime};

#[cfg(feature = "wasmer-runtime")]
mod stock;
#[path = "../turns.rs"]
mod turns;

/// A function of a module, from an i32 to an i32.
struct Program {
    name: &'static str,
    module: &'static [u8],
    function: &'static str,
    argument: i32,
    /// How often it is called in one run.
    calls: u32,
}

impl Program {
    /// Makes the calls of a run; gives what the last returned.
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
        // Small enough for a core's own cache: other cores' work is not what is measured.
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

/// What the last run gave: the program's result, and the portable fuel it used where that is counted.
type Ran = Rc<Cell<Option<(i32, Option<u64>)>>>;

/// Of the manners in which a program runs.
const PLAIN: &str = "plain";
const ENGINES: &str = "engine's metering";
const PORTABLE: &str = "portable fuel";

/// All ways, and what the last run of each gave, with its program.
#[derive(Default)]
struct Ways {
    ways: Vec<Way>,
    ran: Vec<(&'static str, Ran)>,
}

impl Ways {
    fn add(
        &mut self,
        engine: &'static str,
        work: &'static str,
        manner: &'static str,
        run: impl Fn() -> (i32, Option<u64>) + 'static,
    ) {
        let ran = Ran::default();
        self.ran.push((work, Rc::clone(&ran)));
        self.ways.push(Way { engine, work, manner, run: Box::new(move || ran.set(Some(run()))) });
    }
}

/// Through wrun, with and without metering.
fn through_wrun(engine: &'static str, config: &RuntimeConfig, ways: &mut Ways) {
    for program in &PROGRAMS {
        for (manner, config) in [(PLAIN, config.clone()), (PORTABLE, config.clone().with_metering())] {
            let runtime = create_runtime(&config).expect("the engine is compiled in");
            let module = runtime.load_module(program.module).expect("the module is valid");
            ways.add(engine, program.name, manner, move || {
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

/// With the engine's own metering at its default costs.
#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_ways(ways: &mut Ways) {
    use wasmtime::{Config, Engine, Instance, Module, Store};
    let engine = Engine::new(Config::new().consume_fuel(true)).expect("the engine is configured");
    for program in &PROGRAMS {
        let binary = wat::parse_bytes(program.module).expect("the module is valid");
        let module = Module::new(&engine, binary).expect("the module compiles");
        let engine = engine.clone();
        ways.add("wasmtime", program.name, ENGINES, move || {
            let mut store = Store::new(&engine, ());
            store.set_fuel(u64::MAX / 4).expect("fuel is metered");
            let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
            let function = instance.get_typed_func::<i32, i32>(&mut store, program.function).expect("it is exported");
            (program.run(|n| function.call(&mut store, n).expect("it returns")), None)
        });
    }
    through_wrun("wasmtime", &RuntimeConfig::wasmtime(), ways);
}

/// With what the engine's own metering middleware emits, one unit for each operator.
#[cfg(feature = "wasmer-runtime")]
fn wasmer_ways(ways: &mut Ways) {
    use wasmer::{Engine, Instance, Module, Store, TypedFunction, imports};
    for program in &PROGRAMS {
        let engine = Engine::from(stock::compiler());
        let binary = wat::parse_bytes(program.module).expect("the module is valid");
        let module = Module::from_binary(&engine, &binary).expect("the module compiles");
        ways.add("wasmer", program.name, ENGINES, move || {
            let mut store = Store::new(engine.clone());
            let instance = Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing");
            let function = instance.exports.get_typed_function(&store, program.function);
            let function: TypedFunction<i32, i32> = function.expect("it is exported");
            (program.run(|n| function.call(&mut store, n).expect("it returns")), None)
        });
    }
    through_wrun("wasmer", &RuntimeConfig::wasmer(), ways);
}

fn main() {
    let mut all = Ways::default();
    #[cfg(feature = "wasmtime-runtime")]
    wasmtime_ways(&mut all);
    #[cfg(feature = "wasmer-runtime")]
    wasmer_ways(&mut all);
    let Ways { mut ways, ran } = all;

    turns::estimate(&mut ways);
    let batches = Batches::of(&mut ways, 51);
    println!(
        "\n| program | fuel used | plain, ms | engine's metering, ms | portable fuel, ms | ratio of medians | of the quickest |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for program in &PROGRAMS {
        let given = ran.iter().filter(|(name, _)| *name == program.name);
        let given: Vec<_> = given.filter_map(|(_, ran)| ran.get()).collect();
        let mut results: Vec<i32> = given.iter().map(|(result, _)| *result).collect();
        results.dedup();
        assert!(results.len() <= 1, "{}: {results:?}", program.name);
        let mut fuel: Vec<u64> = given.iter().filter_map(|(_, fuel)| *fuel).collect();
        fuel.dedup();
        assert!(fuel.len() <= 1, "{}: {fuel:?} units of fuel", program.name);
        for engine in ["wasmtime", "wasmer"] {
            let of = |manner| batches.get(engine, program.name, manner);
            let all = (of(PLAIN), of(ENGINES), of(PORTABLE), fuel.first());
            let (Some((_, plain)), Some((quickest, engines)), Some((our_quickest, portable)), Some(fuel)) = all else {
                continue;
            };
            let (ratio, of_quickest) = (portable / engines, our_quickest / quickest);
            let [plain, engines, portable] = [plain, engines, portable].map(|ns| ns / 1e6);
            let name = program.name;
            println!(
                "| {engine}, {name} | {fuel} | {plain:.1} | {engines:.1} | {portable:.1} | {ratio:.2} | {of_quickest:.2} |"
            );
        }
    }
}
