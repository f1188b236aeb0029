//! Every limit of every program, on every engine and compiler.

use std::sync::{Arc, Mutex};

use wrun::{
    Capabilities, Compiler, ErrorKind, FuncType, HostImports, LimitKind, Limits, RuntimeConfig, RuntimeKind, Trap,
    ValType, Value, WasmModule, WasmRuntime, create_runtime,
};

use crate::programs::{PROGRAMS, Program};

/// What came of a run: what it returned or why it did not, the fuel it used, what the host saw.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    verdict: Verdict,
    fuel: Option<u64>,
    seen: Vec<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Returned(Vec<Value>),
    Exhausted,
    Trapped(Option<Trap>),
}

struct Metered {
    name: String,
    runtime: Box<dyn WasmRuntime>,
    module: Box<dyn WasmModule>,
}

fn metered(program: &str, exceptions: bool) -> Vec<Metered> {
    let kinds =
        RuntimeKind::available().flat_map(|kind| kind.compilers().iter().map(move |compiler| (kind, *compiler)));
    let able = kinds.filter(|(_, compiler)| !exceptions || *compiler != Compiler::Singlepass);
    able.map(|(kind, compiler)| {
        let config = RuntimeConfig::new(kind).with_compiler(compiler).with_metering();
        let runtime = create_runtime(&config).unwrap();
        let module = runtime.load_module(program.as_bytes()).unwrap();
        Metered { name: format!("{kind} {compiler}"), runtime, module }
    })
    .collect()
}

/// Runs `run` on a fresh instance with this limit.
fn run(on: &Metered, argument: i32, limit: Option<u64>) -> Run {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let ty = FuncType::new([ValType::I32], []);
    let imports = HostImports::none().with_function("env", "seen", ty, move |_, args| {
        if let [Value::I32(v)] = args {
            sink.lock().unwrap().push(*v);
        }
        Ok(Vec::new())
    });
    let limits = limit.map_or(Limits::none(), |limit| Limits::none().with_fuel(limit));
    let made = on.runtime.create_instance_with(on.module.as_ref(), limits, Capabilities::none(), &imports);
    let (result, fuel) = match made {
        Err(error) => (Err(error), limit),
        Ok(mut instance) => (instance.call("run", &[Value::I32(argument)]), instance.fuel_used()),
    };
    let verdict = match result {
        Ok(values) => Verdict::Returned(values),
        Err(error) if error.kind() == ErrorKind::OutOfFuel => {
            let exceeded = error.limit_exceeded().unwrap();
            assert_eq!((exceeded.kind, Some(exceeded.limit)), (LimitKind::Fuel, limit));
            Verdict::Exhausted
        }
        Err(error) => Verdict::Trapped(Some(error.trap_code().unwrap_or_else(|| panic!("{error:?}")))),
    };
    let seen = seen.lock().unwrap().clone();
    Run { verdict, fuel, seen }
}

/// The cost of a whole run: where it traps, of the largest limit that exhausts it, and one more.
fn full_cost(on: &Metered, argument: i32) -> u64 {
    match run(on, argument, None).fuel {
        Some(fuel) => fuel,
        None => (0..10_000).find(|limit| run(on, argument, Some(*limit)).verdict != Verdict::Exhausted).unwrap(),
    }
}

fn sweep(program: &Program) {
    let engines = metered(program.text, program.exceptions);
    let (first, others) = engines.split_first().unwrap();
    let full = full_cost(first, program.argument);
    assert!(full > 15, "{}: {full}", program.name);
    let whole = run(first, program.argument, None);
    for limit in 0..=full + 3 {
        let expected = run(first, program.argument, Some(limit));
        match (&expected.verdict, &whole.verdict) {
            (Verdict::Exhausted, _) => assert!(limit < full, "{}: limit {limit} of {full}", program.name),
            (Verdict::Trapped(_), Verdict::Trapped(_)) => assert_eq!(expected.fuel, None, "{}", program.name),
            (verdict, whole) => assert_eq!(verdict, whole, "{}: limit {limit}", program.name),
        }
        for other in others {
            let got = run(other, program.argument, Some(limit));
            assert_eq!(got, expected, "{}: limit {limit} of {full} on {} and {}", program.name, other.name, first.name);
        }
    }
    for other in others {
        assert_eq!(run(other, program.argument, None), whole, "{} on {}", program.name, other.name);
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
    exceptions = 8
}
