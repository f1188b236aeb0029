//! How long a guest runs on after it was to stop: past its deadline, and past an interruption from another thread.
//!
//! `cargo bench --bench stop`: the median and the worst of each way to run on, on each engine, in milliseconds; and what
//! it costs a guest that it can be stopped, as a ratio to the same guest that cannot.

#![expect(clippy::print_stdout, reason = "the table is what the bench is for")]

use std::time::{Duration, Instant};

use wrun::{
    Capabilities, Compiler, ErrorKind, FuncType, HostImports, Limits, RuntimeConfig, RuntimeKind, Value, WasmInstance,
    create_runtime,
};

const GUEST: &str = r#"(module
  (import "env" "nap" (func $nap))
  (memory 16 200)
  (func (export "loop") (loop $l (br $l)))
  (func $fib (export "recursion") (param i64) (result i64)
    (if (result i64) (i64.lt_u (local.get 0) (i64.const 2)) (then (local.get 0))
      (else (i64.add (call $fib (i64.sub (local.get 0) (i64.const 1))) (call $fib (i64.sub (local.get 0) (i64.const 2)))))))
  (func (export "memory.fill storm") (loop $l (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x100000)) (br $l)))
  (func (export "memory.grow storm") (loop $l (drop (memory.grow (i32.const 1))) (br $l)))
  (func (export "host calls") (loop $l (call $nap) (br $l)))
  (func (export "sum") (param i64) (result i64) (local i64)
    (loop $l
      (local.set 1 (i64.add (i64.mul (local.get 1) (i64.const 31)) (local.get 0)))
      (br_if $l (i64.ne (local.tee 0 (i64.sub (local.get 0) (i64.const 1))) (i64.const 0))))
    (local.get 1)))"#;

const STARTS: &str = "(module (func $spin (loop $l (br $l))) (start $spin))";
const WAYS: [(&str, &[Value]); 5] = [
    ("loop", &[]),
    ("recursion", &[Value::I64(90)]),
    ("memory.fill storm", &[]),
    ("memory.grow storm", &[]),
    ("host calls", &[]),
];
const ROUNDS: usize = 31;
const TIME: Duration = Duration::from_millis(5);

fn instance(config: &RuntimeConfig, limits: Limits) -> Box<dyn WasmInstance> {
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let module = runtime.load_module(GUEST.as_bytes()).expect("the module is valid");
    let imports = HostImports::none().with_function("env", "nap", FuncType::new([], []), |_, _| Ok(Vec::new()));
    let made = runtime.create_instance_with(module.as_ref(), limits, Capabilities::none(), &imports);
    made.expect("the module starts")
}

/// How much longer than its time a call took.
fn past_deadline(guest: &mut dyn WasmInstance, function: &str, args: &[Value]) -> Duration {
    guest.recover();
    guest.reset_time(TIME).expect("it can be interrupted");
    let started = Instant::now();
    let error = guest.call(function, args).expect_err("it never ends");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    started.elapsed().saturating_sub(TIME)
}

fn start_past_deadline(config: &RuntimeConfig) -> Duration {
    let runtime = create_runtime(config).expect("the engine is compiled in");
    let module = runtime.load_module(STARTS.as_bytes()).expect("the module is valid");
    let started = Instant::now();
    let made = runtime.create_instance(module.as_ref(), Limits::none().with_time(TIME), Capabilities::none());
    assert_eq!(made.expect_err("it never ends").kind(), ErrorKind::Timeout);
    started.elapsed().saturating_sub(TIME)
}

fn past_interruption(guest: &mut dyn WasmInstance, function: &str, args: &[Value]) -> Duration {
    guest.recover();
    guest.reset_time(Duration::from_mins(1)).expect("it can be interrupted");
    let control = guest.control();
    let other = std::thread::spawn(move || {
        std::thread::sleep(TIME);
        let at = Instant::now();
        assert!(control.interrupt().expect("it can be interrupted"), "a call is in it");
        at
    });
    let error = guest.call(function, args).expect_err("it never ends");
    let ended = Instant::now();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    ended.saturating_duration_since(other.join().expect("it does not panic"))
}

/// The median and the worst, in milliseconds.
fn summary(mut taken: Vec<Duration>) -> String {
    taken.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    format!("{:.2} | {:.2}", milliseconds(taken[taken.len() / 2]), milliseconds(taken[taken.len() - 1]))
}

fn rounds(mut one: impl FnMut() -> Duration) -> String {
    summary((0..ROUNDS).map(|_| one()).collect())
}

/// The quickest of several rounds of a call that ends by itself.
fn quickest(guest: &mut dyn WasmInstance, function: &str, arg: i64) -> f64 {
    let time = |_| {
        let started = Instant::now();
        guest.call(function, &[Value::I64(arg)]).expect("it returns");
        started.elapsed().as_secs_f64()
    };
    (0..7).map(time).fold(f64::INFINITY, f64::min)
}

fn main() {
    let engines = RuntimeKind::available().flat_map(|kind| kind.compilers().iter().map(move |one| (kind, *one)));
    let engines: Vec<(RuntimeKind, Compiler)> = engines.collect();

    println!("| runs on, ms | past the deadline: median | worst | past an interruption: median | worst |");
    println!("| --- | --- | --- | --- | --- |");
    for (kind, compiler) in &engines {
        let config = RuntimeConfig::new(*kind).with_compiler(*compiler).with_interruption();
        let mut guest = instance(&config, Limits::none());
        for (function, args) in WAYS {
            let deadline = rounds(|| past_deadline(guest.as_mut(), function, args));
            let interruption = rounds(|| past_interruption(guest.as_mut(), function, args));
            println!("| {kind} {compiler}, {function} | {deadline} | {interruption} |");
        }
        let start = rounds(|| start_past_deadline(&config));
        println!("| {kind} {compiler}, start function | {start} | | |");
    }

    println!("\n| cost of being stoppable | plain, ms | stoppable, ms | ratio |");
    println!("| --- | --- | --- | --- |");
    for (kind, compiler) in &engines {
        let config = RuntimeConfig::new(*kind).with_compiler(*compiler);
        let mut plain = instance(&config, Limits::none());
        let mut stoppable = instance(&config.with_interruption(), Limits::none());
        for (function, arg) in [("sum", 100_000_000), ("recursion", 32)] {
            let both = (quickest(plain.as_mut(), function, arg), quickest(stoppable.as_mut(), function, arg));
            let (plain, stoppable) = (both.0.min(quickest(plain.as_mut(), function, arg)), both.1);
            println!(
                "| {kind} {compiler}, {function} | {:.1} | {:.1} | {:.2} |",
                plain * 1e3,
                stoppable * 1e3,
                stoppable / plain
            );
        }
    }
}
