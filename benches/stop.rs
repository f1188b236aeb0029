//! Measures how long a guest runs past its deadline, and past an interruption from another thread.
//!
//! `cargo bench --bench stop` prints the median and the maximum for several guests on each engine, and then the cost of
//! being interruptible as a ratio to the same guest without interruption. Last comes how late the process of
//! `wrun --timeout` ends in each phase of a run, which takes some minutes; `cargo bench --bench stop -- processes` measures only this.

#![expect(clippy::print_stdout, reason = "the bench prints a table")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wrun::{
    Capabilities, Compiler, ErrorKind, FuncType, HostImports, Limits, RuntimeConfig, RuntimeKind, Value, WasmInstance,
    create_runtime,
};

const MODULE: &str = r#"(module
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

const SPINNING_START: &str = "(module (func $spin (loop $l (br $l))) (start $spin))";
const GUESTS: [(&str, &[Value]); 5] = [
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
    let module = runtime.load_module(MODULE.as_bytes()).expect("the module is valid");
    let imports = HostImports::none().with_function("env", "nap", FuncType::new([], []), |_, _| Ok(Vec::new()));
    let made = runtime.create_instance_with(module.as_ref(), limits, Capabilities::none(), &imports);
    made.expect("the module starts")
}

/// Returns how long a call runs past its deadline.
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
    let module = runtime.load_module(SPINNING_START.as_bytes()).expect("the module is valid");
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
        assert!(control.interrupt().expect("it can be interrupted"), "a call is running");
        at
    });
    let error = guest.call(function, args).expect_err("it never ends");
    let ended = Instant::now();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    ended.saturating_duration_since(other.join().expect("it does not panic"))
}

/// Formats the median and the maximum, in milliseconds.
fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    format!("{:.2} | {:.2}", milliseconds(times[times.len() / 2]), milliseconds(times[times.len() - 1]))
}

fn rounds(mut one: impl FnMut() -> Duration) -> String {
    summary((0..ROUNDS).map(|_| one()).collect())
}

/// Returns the seconds of the fastest of several calls that return.
fn fastest(guest: &mut dyn WasmInstance, function: &str, arg: i64) -> f64 {
    let time = |_| {
        let started = Instant::now();
        guest.call(function, &[Value::I64(arg)]).expect("it returns");
        started.elapsed().as_secs_f64()
    };
    (0..7).map(time).fold(f64::INFINITY, f64::min)
}

/// Functions for the phases of a run, all endless.
const PHASES: &str = r#"(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 65536)
  (func $loop (export "loop") (loop $l (br $l)))
  (func (export "args") (param i32) (call $loop))
  (func (export "sleep")
    (i64.store (i32.const 24) (i64.const 1000000000000))
    (drop (call $poll (i32.const 0) (i32.const 96) (i32.const 1) (i32.const 200))))
  (func (export "read")
    (i64.store (i32.const 0) (i64.const 0x100_0000_0100))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 200))))
  (func (export "1 GiB") (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x40000000)) (call $loop)))"#;

/// Returns how late the process of a command ends. Its standard input stays open and empty.
fn process_past_deadline(wrun: &str, args: &[&str], seconds: u64) -> Duration {
    let mut command = Command::new(wrun);
    command.args(["--no-cache", "--timeout", &format!("{seconds}s")]).args(args);
    let started = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("wrun starts");
    let stdin = child.stdin.take();
    let status = child.wait().expect("it ends");
    let late = started.elapsed().saturating_sub(Duration::from_secs(seconds));
    drop(stdin);
    assert_eq!(status.code(), Some(124), "{args:?}");
    late
}

/// Prints how late the process ends: the median and the maximum of nine.
fn processes(wrun: &str) {
    const ROUNDS: u32 = 9;
    let folder = tempfile::tempdir().expect("a folder for named pipes");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path in Unicode").to_owned();
    let (pipe, phases, large) = (path("pipe"), path("phases.wat"), path("large.wasm"));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo starts").success());
    std::fs::write(&phases, PHASES).expect("a module");
    let function = format!(
        "(func (param i32) (result i32) local.get 0 {})",
        "local.get 0 i32.const 7 i32.add i32.xor ".repeat(300)
    );
    let module =
        wat::parse_str(format!("(module {} (func (export \"f\")))", function.repeat(10_000))).expect("a valid module");
    std::fs::write(&large, module).expect("a module");
    let grant = format!("{}::/granted", folder.path().display());

    println!("\n| phase | past `--timeout`, ms: median | maximum |");
    println!("| --- | --- | --- |");
    let idle = [
        ("standard input as module", &["-", "loop"][..]),
        ("pipe as module", &[&pipe, "loop"]),
        ("pipe as policy", &["--policy", &pipe, &phases, "loop"]),
        ("standard input as arguments", &[&phases, "args"]),
    ];
    for seconds in [1, 60] {
        for (phase, args) in idle {
            let late = std::thread::scope(|scope| {
                let start = |round| {
                    scope.spawn(move || {
                        // Processes that start at once would delay each other.
                        std::thread::sleep(Duration::from_millis(100) * round);
                        process_past_deadline(wrun, args, seconds)
                    })
                };
                let running: Vec<_> = (0..ROUNDS).map(start).collect();
                running.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
            });
            println!("| {phase}, {seconds} s | {} |", summary(late));
        }
    }
    for kind in RuntimeKind::available() {
        let guests = ["loop", "sleep", "read", "1 GiB"].map(|guest| (guest, vec![phases.as_str(), guest]));
        let opens = vec!["--dir", &grant, "fixtures/cpp/words.wasm", "--", "/granted/pipe"];
        let others = [("compiling", vec![large.as_str(), "f"]), ("blocked in a host call", opens)];
        for (phase, args) in others.into_iter().chain(guests) {
            let args = [vec!["-r", kind.as_str()], args].concat();
            let late = (0..ROUNDS).map(|_| process_past_deadline(wrun, &args, 1)).collect();
            println!("| {kind}, {phase}, 1 s | {} |", summary(late));
        }
    }
}

fn main() {
    if !std::env::args().any(|arg| arg == "processes") {
        library();
    }
    // Absent without the feature `cli`.
    if let Some(wrun) = option_env!("CARGO_BIN_EXE_wrun") {
        processes(wrun);
    }
}

fn library() {
    let engines = RuntimeKind::available().flat_map(|kind| kind.compilers().iter().map(move |one| (kind, *one)));
    let engines: Vec<(RuntimeKind, Compiler)> = engines.collect();

    println!("| guest | past the deadline, ms: median | maximum | past an interruption, ms: median | maximum |");
    println!("| --- | --- | --- | --- | --- |");
    for (kind, compiler) in &engines {
        let config = RuntimeConfig::new(*kind).with_compiler(*compiler).with_interruption();
        let mut guest = instance(&config, Limits::none());
        for (function, args) in GUESTS {
            let deadline = rounds(|| past_deadline(guest.as_mut(), function, args));
            let interruption = rounds(|| past_interruption(guest.as_mut(), function, args));
            println!("| {kind} {compiler}, {function} | {deadline} | {interruption} |");
        }
        let start = rounds(|| start_past_deadline(&config));
        println!("| {kind} {compiler}, start function | {start} | | |");
    }

    println!("\n| cost of interruption | plain, ms | interruptible, ms | ratio |");
    println!("| --- | --- | --- | --- |");
    for (kind, compiler) in &engines {
        let config = RuntimeConfig::new(*kind).with_compiler(*compiler);
        let mut plain = instance(&config, Limits::none());
        let mut interruptible = instance(&config.with_interruption(), Limits::none());
        for (function, arg) in [("sum", 100_000_000), ("recursion", 32)] {
            let both = (fastest(plain.as_mut(), function, arg), fastest(interruptible.as_mut(), function, arg));
            let (plain, interruptible) = (both.0.min(fastest(plain.as_mut(), function, arg)), both.1);
            println!(
                "| {kind} {compiler}, {function} | {:.1} | {:.1} | {:.2} |",
                plain * 1e3,
                interruptible * 1e3,
                interruptible / plain
            );
        }
    }
}
