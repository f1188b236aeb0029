//! What portable fuel costs, beside each engine's own metering, in the same run.
//!
//! `cargo bench --bench fuel` prints a table; the target is that portable fuel costs no more than 1.10 of the engine's
//! own metering. The ways of running a program take turns, each run on a fresh instance that is made outside of the
//! measured time, and each way keeps its quickest, so that a busy machine troubles all of them alike.

#![expect(clippy::print_stdout, reason = "the table is what the bench is for")]

use std::hint::black_box;
use std::time::Instant;

use wrun::{Capabilities, Limits, RuntimeConfig, Value, create_runtime};

#[cfg(feature = "wasmer-runtime")]
mod stock;

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

/// What a run gives: the program's result, and the portable fuel it used where that is counted.
type Ran = (i32, Option<u64>);

/// Makes an instance; what it gives is the run to be measured.
type Make = Box<dyn Fn() -> Box<dyn FnOnce() -> Ran>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Plain,
    Engines,
    Portable,
}

/// One way of running one program.
struct Way {
    engine: &'static str,
    program: &'static str,
    manner: Manner,
    make: Make,
}

/// Through wrun, with and without metering.
fn through_wrun(engine: &'static str, config: &RuntimeConfig, ways: &mut Vec<Way>) {
    for program in &PROGRAMS {
        for (manner, config) in [(Manner::Plain, config.clone()), (Manner::Portable, config.clone().with_metering())] {
            let runtime = create_runtime(&config).expect("the engine is compiled in");
            let module = runtime.load_module(program.module).expect("the module is valid");
            let make: Make = Box::new(move || {
                let made = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
                let mut instance = made.expect("it imports nothing");
                let mut function = instance.function(program.function).expect("it is exported");
                Box::new(move || {
                    let result = program.run(|argument| {
                        let mut results = [Value::I32(0)];
                        let called = function.call(instance.as_mut(), &[Value::I32(argument)], &mut results);
                        called.expect("it returns");
                        let [Value::I32(result)] = results else { panic!("the result is an i32") };
                        result
                    });
                    (result, instance.fuel_used())
                })
            });
            ways.push(Way { engine, program: program.name, manner, make });
        }
    }
}

/// With the engine's own metering at its default costs.
#[cfg(feature = "wasmtime-runtime")]
fn wasmtime_ways(ways: &mut Vec<Way>) {
    use wasmtime::{Config, Engine, Instance, Module, Store};
    let engine = Engine::new(Config::new().consume_fuel(true)).expect("the engine is configured");
    for program in &PROGRAMS {
        let binary = wat::parse_bytes(program.module).expect("the module is valid");
        let module = Module::new(&engine, binary).expect("the module compiles");
        let engine = engine.clone();
        let make: Make = Box::new(move || {
            let mut store = Store::new(&engine, ());
            store.set_fuel(u64::MAX / 4).expect("fuel is metered");
            let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
            let function = instance.get_typed_func::<i32, i32>(&mut store, program.function).expect("it is exported");
            Box::new(move || (program.run(|n| function.call(&mut store, n).expect("it returns")), None))
        });
        ways.push(Way { engine: "wasmtime", program: program.name, manner: Manner::Engines, make });
    }
    through_wrun("wasmtime", &RuntimeConfig::wasmtime(), ways);
}

/// With what the engine's own metering middleware emits, one unit for each operator.
#[cfg(feature = "wasmer-runtime")]
fn wasmer_ways(ways: &mut Vec<Way>) {
    use wasmer::{Engine, Instance, Module, Store, TypedFunction, imports};
    for program in &PROGRAMS {
        let engine = Engine::from(stock::compiler());
        let binary = wat::parse_bytes(program.module).expect("the module is valid");
        let module = Module::from_binary(&engine, &binary).expect("the module compiles");
        let make: Make = Box::new(move || {
            let mut store = Store::new(engine.clone());
            let instance = Instance::new(&mut store, &module, &imports! {}).expect("it imports nothing");
            let function = instance.exports.get_typed_function(&store, program.function);
            let function: TypedFunction<i32, i32> = function.expect("it is exported");
            Box::new(move || (program.run(|n| function.call(&mut store, n).expect("it returns")), None))
        });
        ways.push(Way { engine: "wasmer", program: program.name, manner: Manner::Engines, make });
    }
    through_wrun("wasmer", &RuntimeConfig::wasmer(), ways);
}

/// The quickest run of each way in milliseconds, and what it gave, all ways taking turns.
fn quickest(ways: &[Way]) -> Vec<(f64, Ran)> {
    const ROUNDS: usize = 50;
    let mut best = vec![(f64::INFINITY, (0, None)); ways.len()];
    for _ in 0..ROUNDS {
        for (way, best) in ways.iter().zip(&mut best) {
            let run = (way.make)();
            let start = Instant::now();
            let ran = run();
            *best = (best.0.min(start.elapsed().as_secs_f64() * 1e3), ran);
        }
    }
    best
}

fn main() {
    let mut ways = Vec::new();
    #[cfg(feature = "wasmtime-runtime")]
    wasmtime_ways(&mut ways);
    #[cfg(feature = "wasmer-runtime")]
    wasmer_ways(&mut ways);

    let best = quickest(&ways);
    println!("| program | fuel used | plain, ms | engine's metering, ms | portable fuel, ms | portable / engine's |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for program in &PROGRAMS {
        let of_program = || ways.iter().zip(&best).filter(|(way, _)| way.program == program.name);
        let mut results: Vec<i32> = of_program().map(|(_, (_, (result, _)))| *result).collect();
        results.dedup();
        assert!(results.len() <= 1, "{}: {results:?}", program.name);
        let mut fuel: Vec<u64> = of_program().filter_map(|(_, (_, (_, fuel)))| *fuel).collect();
        fuel.dedup();
        assert!(fuel.len() <= 1, "{}: {fuel:?} units of fuel", program.name);
        for engine in ["wasmtime", "wasmer"] {
            let of = |manner: Manner| {
                let (_, (ms, _)) = of_program().find(|(way, _)| way.engine == engine && way.manner == manner)?;
                Some(ms)
            };
            let all = (of(Manner::Plain), of(Manner::Engines), of(Manner::Portable), fuel.first());
            let (Some(plain), Some(engines), Some(portable), Some(fuel)) = all else { continue };
            let ratio = portable / engines;
            let name = program.name;
            println!("| {engine}, {name} | {fuel} | {plain:.1} | {engines:.1} | {portable:.1} | {ratio:.2} |");
        }
    }
}
