//! Every limit of every program, on every engine and compiler.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use wrun::engine::features;
use wrun::{
    Capabilities, Compiler, ErrorKind, Feature, FuncType, HostImports, HostItem, LimitKind, Limits, RuntimeConfig,
    RuntimeKind, Trap, ValType, Value, WasmInstance, WasmModule, WasmRuntime, create_runtime,
};

use crate::programs::{PROGRAMS, Program};

/// The export of a reactor that must be called once, before any other.
const INITIALIZE: &str = "_initialize";

/// The outcome of a run: its verdict, the fuel it used, and the numbers that the host received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) verdict: Verdict,
    pub(crate) fuel: Option<u64>,
    pub(crate) seen: Vec<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Returned(Vec<Value>),
    Exhausted,
    Trapped(Trap),
}

/// A call of an exported function.
pub(crate) struct Call<'c> {
    pub(crate) function: &'c str,
    pub(crate) args: Vec<Value>,
}

/// A module on one engine with one compiler.
pub(crate) struct Metered {
    pub(crate) name: String,
    runtime: Box<dyn WasmRuntime>,
    module: Box<dyn WasmModule>,
}

/// The engines compiled in, each with every compiler it has.
pub(crate) fn engines() -> impl Iterator<Item = (RuntimeKind, Compiler)> {
    features::combinations().filter(|(kind, _)| kind.is_available())
}

/// Names an engine with a compiler.
pub(crate) fn name((kind, compiler): (RuntimeKind, Compiler)) -> String {
    format!("{kind} {compiler}")
}

/// Compiles a module, binary or text, on every engine that supports `needs`.
pub(crate) fn metered(module: &[u8], needs: &BTreeSet<Feature>) -> Vec<Metered> {
    let able =
        |(kind, compiler): &(RuntimeKind, Compiler)| needs.iter().all(|feature| feature.is_supported(*kind, *compiler));
    let on = |(kind, compiler): (RuntimeKind, Compiler)| {
        let config = RuntimeConfig::new(kind).with_compiler(compiler).with_metering();
        let runtime = create_runtime(&config).unwrap();
        let module = runtime.load_module(module).unwrap();
        Metered { name: name((kind, compiler)), runtime, module }
    };
    engines().filter(able).map(on).collect()
}

/// Creates the imports of the programs and fixtures. Host functions append their arguments to `seen`.
fn imports(seen: &Arc<Mutex<Vec<i32>>>) -> HostImports {
    let record = |seen: &Arc<Mutex<Vec<i32>>>, args: &[Value]| {
        let numbers = args.iter().filter_map(|arg| if let Value::I32(v) = arg { Some(*v) } else { None });
        let numbers: Vec<i32> = numbers.collect();
        seen.lock().unwrap().extend(&numbers);
        numbers
    };
    let mut imports = HostImports::none().with("env", "base", HostItem::Global(Value::I32(7), false));
    for name in ["seen", "notify"] {
        let sink = Arc::clone(seen);
        imports = imports.with_function("env", name, FuncType::new([ValType::I32], []), move |_, args| {
            record(&sink, args);
            Ok(Vec::new())
        });
    }
    let sink = Arc::clone(seen);
    let ty = FuncType::new([ValType::I32, ValType::I32], [ValType::I32]);
    imports.with_function("env", "add", ty, move |_, args| Ok(vec![Value::I32(record(&sink, args).iter().sum())]))
}

fn call(instance: &mut dyn WasmInstance, call: &Call<'_>) -> wrun::Result<Vec<Value>> {
    if call.function != INITIALIZE && instance.info().function(INITIALIZE).is_some() {
        instance.call(INITIALIZE, &[])?;
    }
    instance.call(call.function, &call.args)
}

/// Makes a call on a fresh instance with a limit.
pub(crate) fn run(on: &Metered, what: &Call<'_>, limit: Option<u64>) -> Run {
    let seen = Arc::default();
    let imports = imports(&seen);
    let limits = limit.map_or(Limits::none(), |limit| Limits::none().with_fuel(limit));
    let made = on.runtime.create_instance_with(on.module.as_ref(), limits, Capabilities::none(), &imports);
    let (result, fuel) = match made {
        // Without an instance, the fuel used is only known if the start function exhausted the limit.
        Err(error) => {
            let fuel = limit.filter(|_| error.kind() == ErrorKind::OutOfFuel);
            (Err(error), fuel)
        }
        Ok(mut instance) => (call(instance.as_mut(), what), instance.fuel_used()),
    };
    let verdict = match result {
        Ok(values) => Verdict::Returned(values),
        Err(error) if error.kind() == ErrorKind::OutOfFuel => {
            let exceeded = error.limit_exceeded().unwrap();
            assert_eq!((exceeded.kind, Some(exceeded.limit)), (LimitKind::Fuel, limit));
            Verdict::Exhausted
        }
        Err(error) => Verdict::Trapped(error.trap_code().unwrap_or_else(|| panic!("{error:?}"))),
    };
    let seen = seen.lock().unwrap().clone();
    Run { verdict, fuel, seen }
}

/// Returns the cost of a whole run. If the run traps, this is the smallest limit that does not exhaust it.
pub(crate) fn full_cost(on: &Metered, call: &Call<'_>) -> u64 {
    if let Some(fuel) = run(on, call, None).fuel {
        return fuel;
    }
    let exhausts = |limit: u64| run(on, call, Some(limit)).verdict == Verdict::Exhausted;
    let enough = (0..63).map(|power| 1 << power).find(|limit| !exhausts(*limit)).unwrap();
    let (mut short, mut enough) = (0, enough);
    while short < enough {
        let middle = short + (enough - short) / 2;
        if exhausts(middle) { short = middle + 1 } else { enough = middle }
    }
    enough
}

/// Runs with a limit on every engine, checks that all agree, and returns the outcome. `whole` is the run without a limit,
/// which costs `full`.
pub(crate) fn agree(on: &[Metered], what: &str, call: &Call<'_>, limit: u64, full: u64, whole: &Run) -> Run {
    let (first, others) = on.split_first().unwrap();
    let expected = run(first, call, Some(limit));
    if limit < full {
        let exhausted = (&Verdict::Exhausted, Some(limit));
        assert_eq!((&expected.verdict, expected.fuel), exhausted, "{what}: limit {limit} of {full}");
    } else {
        assert_eq!(expected, *whole, "{what}: limit {limit} of {full}");
    }
    for other in others {
        let got = run(other, call, Some(limit));
        assert_eq!(got, expected, "{what}: limit {limit} of {full} on {} and {}", other.name, first.name);
    }
    expected
}

fn sweep(program: &Program) {
    let on = metered(program.text.as_bytes(), &program.needs.iter().copied().collect());
    let call = Call { function: "run", args: vec![Value::I32(program.argument)] };
    let full = full_cost(&on[0], &call);
    assert!(full > 15, "{}: {full}", program.name);
    let whole = run(&on[0], &call, None);
    for limit in 0..=full + 3 {
        agree(&on, program.name, &call, limit, full, &whole);
    }
    for other in &on[1..] {
        assert_eq!(run(other, &call, None), whole, "{} on {}", program.name, other.name);
    }
}

macro_rules! sweeps {
    ($($name:ident = $index:literal)*) => {
        $(#[test] fn $name() { sweep(&PROGRAMS[$index]); })*

        #[test]
        fn every_program_is_swept() {
            assert_eq!(PROGRAMS.len(), [$($index),*].len());
        }
    };
}

sweeps! {
    loops = 0
    br_table = 1
    indirect_calls_and_bulk_memory = 2
    host_calls = 3
    recursion = 4
    a_start_function = 5
    a_trap = 6
    an_unreachable = 7
    after_a_branch = 8
    exceptions = 9
}
