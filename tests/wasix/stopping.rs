//! Programs that would run, wait or sleep for ever, stopped: by their time, by another thread, by the end of their runtime.

use std::thread;
use std::time::{Duration, Instant};

use wrun::{AsyncCall, Capabilities, ErrorKind, Limits, RuntimeConfig};

use crate::guest::{End, Program, args, end, fixture, on_each, refused};

/// All ways to last.
const LASTING: [&str; 7] = ["run", "sleep", "wait-in-code", "wait-at-gate", "join", "read-pipe", "poll"];

/// A little time.
const SOON: Duration = Duration::from_millis(100);

fn threads(config: RuntimeConfig) -> Program {
    Program::new(&config.with_interruption(), &fixture("threads.wasm"))
}

#[test]
fn a_time_limit_ends_whatever_a_program_does() {
    on_each(|config| {
        let program = threads(config);
        for what in LASTING {
            let begun = Instant::now();
            let ran = program.run_within(Limits::none().with_time(SOON), args(&[what]));
            assert_eq!(ran.end, End::Stopped(ErrorKind::Timeout), "{what}");
            let taken = begun.elapsed();
            assert!(taken >= SOON && taken < Duration::from_secs(3), "{what} took {taken:?}");
        }
    });
}

#[test]
fn so_does_an_interruption() {
    on_each(|config| {
        let program = threads(config);
        for what in LASTING {
            let mut guest = program.start(Limits::none(), args(&[what])).unwrap();
            let control = guest.control();
            let stopper = thread::spawn(move || {
                thread::sleep(SOON);
                control.interrupt().unwrap()
            });
            assert_eq!(end(guest.call("_start", &[]).map(drop)), End::Stopped(ErrorKind::Interrupted), "{what}");
            assert!(stopper.join().unwrap());
        }
    });
}

#[test]
fn so_does_the_end_of_the_runtime() {
    on_each(|config| {
        let program = threads(config);
        let mut guest = program.start(Limits::none(), args(&["sleep"])).unwrap();
        let calling = thread::spawn(move || end(guest.call("_start", &[]).map(drop)));
        thread::sleep(SOON);
        program.runtime.shutdown(Duration::from_secs(5));
        assert_eq!(calling.join().unwrap(), End::Stopped(ErrorKind::ShutDown));
    });
}

#[test]
fn a_call_that_nobody_awaits_any_more_ends() {
    on_each(|config| {
        let program = threads(config);
        let guest = program.start(Limits::none(), args(&["wait-in-code"])).unwrap();
        let call = AsyncCall::start(guest, "_start", Vec::new()).unwrap();
        thread::sleep(SOON);
        drop(call);
        let begun = Instant::now();
        while program.runtime.metrics().instances_alive > 0 {
            assert!(begun.elapsed() < Duration::from_secs(5), "the guest runs on");
            thread::sleep(Duration::from_millis(5));
        }
    });
}

#[test]
fn a_program_that_ends_in_time_is_not_stopped() {
    on_each(|config| {
        let ran = threads(config).run_within(Limits::none().with_time(Duration::from_secs(50)), args(&["add"]));
        assert_eq!((ran.end, ran.stdout.as_str()), (End::Code(0), "counter=8000\n"));
    });
}

#[test]
fn what_has_threads_is_not_paused_and_what_has_none_is() {
    on_each(|config| {
        let guest = threads(config.clone()).start(Limits::none(), Capabilities::none()).unwrap();
        refused(guest.control().pause(), ErrorKind::UnsupportedFeature, "threads");
        let config = config.with_interruption();
        let mut guest = Program::new(&config, &fixture("world.wasm")).start(Limits::none(), args(&[])).unwrap();
        let control = guest.control();
        control.pause().unwrap();
        let resumer = thread::spawn(move || {
            thread::sleep(SOON);
            control.resume().unwrap();
        });
        let begun = Instant::now();
        guest.call("_start", &[]).unwrap();
        assert!(begun.elapsed() >= SOON);
        resumer.join().unwrap();
    });
}

#[test]
fn a_guest_is_held_at_a_call_of_wasix() {
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
fn many_programs_are_stopped_at_odd_moments() {
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
