//! Endless programs are stopped by a time limit, by another thread, or by the shutdown of their runtime.

use std::thread;
use std::time::{Duration, Instant};

use wrun::{AsyncCall, Capabilities, ErrorKind, Limits, RuntimeConfig, WasmInstance};

use crate::guest::{End, Program, args, end, fixture, on_each, refused};

/// The endless programs.
const ENDLESS: [&str; 7] = ["run", "sleep", "wait-in-code", "wait-at-gate", "join", "read-pipe", "poll"];

/// The time before a stop.
const DELAY: Duration = Duration::from_millis(100);

fn threads(config: RuntimeConfig) -> Program {
    Program::new(&config.with_interruption(), &fixture("threads.wasm"))
}

#[test]
fn a_time_limit_stops_every_program() {
    on_each(|config| {
        let program = threads(config);
        for what in ENDLESS {
            let start = Instant::now();
            let ran = program.run_within(Limits::none().with_time(DELAY), args(&[what]));
            assert_eq!(ran.end, End::Stopped(ErrorKind::Timeout), "{what}");
            let taken = start.elapsed();
            assert!(taken >= DELAY && taken < Duration::from_secs(3), "{what} took {taken:?}");
        }
    });
}

/// A guest whose threads increment a counter until `join` ends them.
const COUNTING: &str = r#"(module
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (import "env" "memory" (memory 1 1 shared))
    (export "memory" (memory 0))
    (func (export "wasi_thread_start") (param i32 i32)
        (loop $on
            (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
            (br_if $on (i32.eqz (i32.atomic.load (i32.const 12)))))
        (i32.atomic.store (i32.const 16) (i32.const 1))
        (drop (memory.atomic.notify (i32.const 16) (i32.const 1))))
    (func $start (export "start") (result i32) (call $spawn (i32.const 128)))
    (func $join (export "join") (result i32)
        (i32.atomic.store (i32.const 12) (i32.const 1))
        (drop (memory.atomic.wait32 (i32.const 16) (i32.const 0) (i64.const -1)))
        (i32.atomic.store (i32.const 12) (i32.const 0))
        (i32.atomic.rmw.xchg (i32.const 16) (i32.const 0)))
    (func (export "start_and_join") (result i32) (drop (call $start)) (call $join)))"#;

#[test]
fn threads_that_run_on_after_their_call_have_its_time_limit() {
    on_each(|config| {
        let program = Program::new(&config.with_interruption(), COUNTING.as_bytes());
        let start = |limits: Limits| {
            let mut guest = program.start(limits, Capabilities::none()).unwrap();
            assert!(guest.call_simple_function("start", &[]).unwrap() > 0);
            guest
        };
        let count = |guest: &mut dyn WasmInstance| {
            let mut count = [0; 4];
            guest.read_memory("memory", 8, &mut count).unwrap();
            u32::from_le_bytes(count)
        };
        let mut guest = start(Limits::none().with_time(DELAY));
        let started = Instant::now();
        while {
            let before = count(guest.as_mut());
            thread::sleep(Duration::from_millis(20));
            count(guest.as_mut()) != before
        } {
            assert!(started.elapsed() < Duration::from_secs(10), "the thread runs on");
        }
        assert_eq!(guest.call_simple_function("join", &[]).unwrap_err().kind(), ErrorKind::Timeout);
        guest.reset_time(Duration::from_mins(1)).unwrap();
        assert_eq!(guest.call_simple_function("join", &[]).unwrap_err().kind(), ErrorKind::Crashed);
        // With time left, or without a limit, they run on until they end.
        for limits in [Limits::none().with_time(Duration::from_mins(1)), Limits::none()] {
            assert_eq!(start(limits).call_simple_function("join", &[]).unwrap(), 1);
        }
    });
}

#[test]
fn threads_that_are_joined_end_no_program() {
    on_each(|config| {
        let program = Program::new(&config.with_interruption(), COUNTING.as_bytes());
        let limits = Limits::none().with_time(Duration::from_mins(1));
        let mut guest = program.start(limits, Capabilities::none()).unwrap();
        for _ in 0..100 {
            assert_eq!(guest.call_simple_function("start_and_join", &[]).unwrap(), 1);
        }
    });
}

#[test]
fn an_interrupt_stops_every_program() {
    on_each(|config| {
        let program = threads(config);
        for what in ENDLESS {
            let mut guest = program.start(Limits::none(), args(&[what])).unwrap();
            let control = guest.control();
            let stopper = thread::spawn(move || {
                thread::sleep(DELAY);
                control.interrupt().unwrap()
            });
            assert_eq!(end(guest.call("_start", &[]).map(drop)), End::Stopped(ErrorKind::Interrupted), "{what}");
            assert!(stopper.join().unwrap());
        }
    });
}

#[test]
fn a_shutdown_stops_a_program() {
    on_each(|config| {
        let program = threads(config);
        let mut guest = program.start(Limits::none(), args(&["sleep"])).unwrap();
        let calling = thread::spawn(move || end(guest.call("_start", &[]).map(drop)));
        thread::sleep(DELAY);
        program.runtime.shutdown(Duration::from_secs(5));
        assert_eq!(calling.join().unwrap(), End::Stopped(ErrorKind::ShutDown));
    });
}

#[test]
fn dropping_a_future_stops_its_call() {
    on_each(|config| {
        let program = threads(config);
        let guest = program.start(Limits::none(), args(&["wait-in-code"])).unwrap();
        let call = AsyncCall::start(guest, "_start", Vec::new()).unwrap();
        thread::sleep(DELAY);
        drop(call);
        let start = Instant::now();
        while program.runtime.metrics().instances_alive > 0 {
            assert!(start.elapsed() < Duration::from_secs(5), "the guest runs on");
            thread::sleep(Duration::from_millis(5));
        }
    });
}

#[test]
fn a_program_within_its_time_limit_is_not_stopped() {
    on_each(|config| {
        let ran = threads(config).run_within(Limits::none().with_time(Duration::from_secs(50)), args(&["add"]));
        assert_eq!((ran.end, ran.stdout.as_str()), (End::Code(0), "counter=8000\n"));
    });
}

#[test]
fn only_programs_without_threads_can_be_paused() {
    on_each(|config| {
        let guest = threads(config.clone()).start(Limits::none(), Capabilities::none()).unwrap();
        refused(guest.control().pause(), ErrorKind::UnsupportedFeature, "threads");
        let config = config.with_interruption();
        let mut guest = Program::new(&config, &fixture("world.wasm")).start(Limits::none(), args(&[])).unwrap();
        let control = guest.control();
        control.pause().unwrap();
        let resumer = thread::spawn(move || {
            thread::sleep(DELAY);
            control.resume().unwrap();
        });
        let start = Instant::now();
        guest.call("_start", &[]).unwrap();
        assert!(start.elapsed() >= DELAY);
        resumer.join().unwrap();
    });
}

#[test]
fn a_guest_pauses_at_a_wasix_call() {
    let wat = r#"(module
        (import "wasix_32v1" "sched_yield" (func $yield (result i32)))
        (memory (export "memory") 1)
        (func (export "yield_on") (loop $on (drop (call $yield)) (br $on))))"#;
    on_each(move |config| {
        let program = Program::new(&config.with_interruption(), wat.as_bytes());
        let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
        let control = guest.control();
        let calling = thread::spawn(move || end(guest.call("yield_on", &[]).map(drop)));
        while control.state() != wrun::InstanceState::Running {}
        control.pause().unwrap();
        while control.state() != wrun::InstanceState::Paused {}
        control.interrupt().unwrap();
        assert_eq!(calling.join().unwrap(), End::Stopped(ErrorKind::Interrupted));
    });
}

#[test]
fn programs_are_stopped_at_many_moments() {
    on_each(|config| {
        let program = threads(config);
        for round in 0..40 {
            let what = ["add", "futex", "leave-running", "wait"][round % 4];
            let time = Duration::from_micros(300 * u64::try_from(round).unwrap() + 1);
            let started = program.start(Limits::none().with_time(time), args(&[what]));
            let ended = end(started.and_then(|mut guest| guest.call("_start", &[]).map(drop)));
            assert!(matches!(ended, End::Code(0) | End::Stopped(ErrorKind::Timeout)), "{what} in {time:?}: {ended:?}");
        }
    });
}
