//! Starts and stops thousands of guests of every engine on several threads. Each call ends at random by its time limit,
//! an interruption, a dropped future, a pause, a trap, its fuel or its return, and each result is checked. Nothing may
//! hang or leak.
//!
//! The test runs for about ten seconds. `WRUN_STRESS_SECONDS=600 cargo test --test stress` runs it longer.
//! `WRUN_STRESS_SEED=…` repeats the random choices of a failed run, which prints its seed, but not its timing.
#![cfg(any(feature = "wasmtime-runtime", feature = "wasmer-runtime"))]
#![cfg(target_os = "linux")]

mod rounds;
mod vocabulary;

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use wrun::Value;

use rounds::{ROUNDS, Tally};
use vocabulary::{Chance, LONG, Stage, limits, resident_bytes, stages};

const THREADS: u64 = 4;

/// The maximum growth of the process: memory that allocators and engines keep for later.
const MARGIN: u64 = 16 << 20;

/// Runs one test at a time, because each measures the memory of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

/// Runs rounds on each thread until the time is over, and waits until all guests are gone.
fn run(stages: &[Stage], seed: u64, time: Duration) -> Tally {
    let until = Instant::now() + time;
    let tallies = thread::scope(|scope| {
        let worker = |number: u64| {
            let mut chance = Chance::new(seed.wrapping_add(number));
            let mut tally = Tally::default();
            while Instant::now() < until {
                let stage = chance.one_of(stages);
                let (name, round) = chance.one_of(&ROUNDS);
                tally.count(name, round(stage, &mut chance));
            }
            tally
        };
        let workers: Vec<_> = (0..THREADS).map(|number| scope.spawn(move || worker(number))).collect();
        let joined = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| panic!("with seed {seed}")));
        joined.fold(Tally::default(), Tally::merge)
    });
    for stage in stages {
        stage.is_left_empty();
    }
    tallies
}

#[test]
fn thousands_of_guests_are_started_and_stopped() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seconds = number("WRUN_STRESS_SECONDS").unwrap_or(10);
    let seed = number("WRUN_STRESS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let stages = stages();
    let warm_up = run(&stages, seed, Duration::from_millis(seconds * 400));
    let before = resident_bytes();
    let tally = run(&stages, seed.wrapping_add(THREADS), Duration::from_millis(seconds * 600));
    let after = resident_bytes();
    println!("seed {seed}: {} rounds to warm up, then {tally}", warm_up.rounds());
    println!("resident: {} KiB, then {} KiB", before >> 10, after >> 10);
    assert!(tally.rounds() > 10 * seconds, "only {tally}");
    assert!(after < before + MARGIN, "from {before} to {after} bytes in {tally}, with seed {seed}");
}

#[test]
fn time_limits_of_dropped_instances_leave_nothing_behind() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for stage in stages().iter().filter(|stage| !stage.meters()) {
        let rounds = |number: u32| {
            for _ in 0..number {
                let mut guest = stage.guest(limits(LONG));
                assert_eq!(guest.call("sum", &[Value::I64(3)]).unwrap(), [Value::I64(6)]);
                vocabulary::progress();
            }
        };
        rounds(200);
        let before = resident_bytes();
        rounds(4000);
        let after = resident_bytes();
        println!("{stage}: {} KiB, then {} KiB", before >> 10, after >> 10);
        assert!(after < before + (1 << 20), "{stage}: from {before} to {after} bytes");
    }
}
