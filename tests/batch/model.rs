//! The properties of the pipeline in any interleaving of its threads: nothing is lost, doubled or reordered, and it ends.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use shuttle::rand::Rng as _;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, MaxSteps, Runner, thread};

use crate::pipeline::schedule::{PieceOutput, Work};
use crate::pipeline::shared::{Pause, Shared};
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// The number of interleavings of each kind, for each case.
const EACH: usize = 200;

/// The number of records. Pieces have several only while more than 32 records wait.
const RECORDS: u64 = 64;

/// Events that disturb the pipeline.
#[derive(Clone, Copy, Debug, Default)]
struct Disturbance {
    /// The record that ends the batch.
    last: Option<u64>,
    /// The record whose worker panics.
    panic: Option<u64>,
    /// A stop, at any time.
    stop: bool,
    /// The number of batches after which the output breaks.
    closed: Option<usize>,
    /// The size of a record and of an output, such that few fit.
    size: usize,
}

struct Records {
    numbers: Range<u64>,
    size: usize,
}

impl Work for Records {
    fn len(&self) -> usize {
        usize::try_from(self.numbers.end - self.numbers.start).unwrap()
    }

    fn bytes(&self) -> usize {
        self.len() * self.size
    }

    fn split_to(&mut self, records: usize) -> Self {
        let start = self.numbers.start;
        self.numbers.start += records as u64;
        assert!(!self.numbers.is_empty(), "the whole work is split off");
        Self { numbers: start..self.numbers.start, size: self.size }
    }
}

#[derive(Debug)]
struct Done {
    numbers: Vec<u64>,
    is_last: bool,
    size: usize,
}

impl PieceOutput for Done {
    fn bytes(&self) -> usize {
        self.numbers.len() * self.size
    }

    fn is_last(&self) -> bool {
        self.is_last
    }
}

type Pipeline = Shared<'static, Records, Done>;

/// The outcome of a run.
#[derive(Debug)]
struct Ended {
    /// The records in the order of the output.
    written: Vec<u64>,
    /// The number of records that workers have finished.
    processed: u64,
    has_dropped: bool,
    panicked: bool,
}

fn process(
    works: &mut VecDeque<Records>,
    pause: Pause<'_>,
    disturbance: Disturbance,
    processed: &AtomicU64,
) -> Option<Done> {
    let mut done = Done { numbers: Vec::new(), is_last: false, size: disturbance.size };
    while let Some(mut work) = works.pop_front() {
        while let Some(number) = work.numbers.next() {
            if disturbance.panic == Some(number) {
                return None;
            }
            done.numbers.push(number);
            processed.fetch_add(1, Ordering::SeqCst);
            done.is_last = disturbance.last == Some(number);
            if done.is_last || pause.is_due() || shuttle::rand::thread_rng().gen_bool(0.2) {
                if !work.numbers.is_empty() {
                    works.push_front(work);
                }
                return Some(done);
            }
        }
    }
    Some(done)
}

fn run(jobs: usize, ordered: bool, disturbance: Disturbance) -> Ended {
    let stop = Arc::new(AtomicBool::new(false));
    let requested = Arc::clone(&stop);
    let shared: Arc<Pipeline> = Arc::new(Shared::new(jobs, ordered, move || requested.load(Ordering::SeqCst)));
    let processed = Arc::new(AtomicU64::new(0));
    // Pieces have one record, or up to all of them.
    let max_ns = if shuttle::rand::thread_rng().gen_bool(0.5) { 20_000 } else { 2_000_000 };
    let mut threads = Vec::new();
    for _ in 0..jobs {
        let (shared, processed) = (Arc::clone(&shared), Arc::clone(&processed));
        threads.push(thread::spawn(move || {
            while let Some((mut piece, pause)) = shared.take() {
                match process(&mut piece.works, pause, disturbance, &processed) {
                    Some(done) => {
                        let ns = shuttle::rand::thread_rng().gen_range(0..max_ns);
                        shared.finish(piece.first, done, piece.works, ns);
                    }
                    None => shared.fail(piece.first, Box::new("the worker gave up")),
                }
            }
        }));
    }
    let reader = Arc::clone(&shared);
    threads.push(thread::spawn(move || {
        let mut next = 0;
        while reader.wait_for_room() && next < RECORDS {
            let end = RECORDS.min(next + shuttle::rand::thread_rng().gen_range(1..48));
            reader.push(Records { numbers: next..end, size: disturbance.size });
            next = end;
        }
        reader.end_reading(None);
    }));
    // The sink's timer, which shuttle does not have.
    let timer = Arc::clone(&shared);
    threads.push(thread::spawn(move || (0..3).for_each(|_| timer.request_outputs())));
    if disturbance.stop {
        let stop = Arc::clone(&stop);
        threads.push(thread::spawn(move || stop.store(true, Ordering::SeqCst)));
    }
    let mut written = Vec::new();
    let mut batches = 0;
    while disturbance.closed != Some(batches)
        && let Some(outputs) = shared.next_outputs()
    {
        batches += 1;
        written.extend(outputs.iter().flat_map(|done| &done.numbers));
        if ordered && outputs.last().is_some_and(PieceOutput::is_last) {
            break;
        }
    }
    let (has_dropped, panicked) = (shared.has_dropped(), shared.take_panic().is_some());
    shared.close();
    for thread in threads {
        thread.join().unwrap();
    }
    Ended { written, processed: processed.load(Ordering::SeqCst), has_dropped, panicked }
}

/// Runs a case in many interleavings, with one to three workers and with small and large records.
fn check(ordered: bool, case: impl Fn(&dyn Fn(Disturbance) -> Ended) + Send + Sync + 'static) {
    let case = Arc::new(case);
    for size in [1, 40 << 10, 5 << 20] {
        let case = Arc::clone(&case);
        let test = move || {
            let jobs = shuttle::rand::thread_rng().gen_range(1..4);
            case(&|disturbance| run(jobs, ordered, Disturbance { size, ..disturbance }));
        };
        let mut config = Config::new();
        config.max_steps = MaxSteps::FailAfter(100_000);
        Runner::new(RandomScheduler::new(EACH), config.clone()).run(test.clone());
        Runner::new(PctScheduler::new(3, EACH), config).run(test);
    }
}

fn any_record() -> u64 {
    shuttle::rand::thread_rng().gen_range(0..RECORDS)
}

#[test]
fn all_outputs_come_in_order() {
    check(true, |run| {
        let ended = run(Disturbance::default());
        assert_eq!(ended.written, (0..RECORDS).collect::<Vec<_>>());
        assert!(!ended.has_dropped && !ended.panicked);
    });
}

#[test]
fn all_outputs_come_once_in_any_order() {
    check(false, |run| {
        let mut ended = run(Disturbance::default());
        ended.written.sort_unstable();
        assert_eq!(ended.written, (0..RECORDS).collect::<Vec<_>>());
    });
}

#[test]
fn a_stop_loses_nothing_that_was_processed() {
    check(true, |run| {
        let ended = run(Disturbance { stop: true, ..Disturbance::default() });
        assert_eq!(ended.written, (0..ended.processed).collect::<Vec<_>>());
        assert!(ended.has_dropped || ended.processed == RECORDS, "{ended:?}");
    });
    check(false, |run| {
        let mut ended = run(Disturbance { stop: true, ..Disturbance::default() });
        ended.written.sort_unstable();
        assert_eq!(ended.written, (0..ended.processed).collect::<Vec<_>>());
    });
}

#[test]
fn a_record_that_ends_the_batch_is_the_last_in_the_output() {
    check(true, |run| {
        let last = any_record();
        let ended = run(Disturbance { last: Some(last), ..Disturbance::default() });
        assert_eq!(ended.written, (0..=last).collect::<Vec<_>>());
    });
    check(false, |run| {
        let last = any_record();
        let ended = run(Disturbance { last: Some(last), ..Disturbance::default() });
        assert_eq!(ended.written.len() as u64, ended.processed);
        assert!((0..=last).all(|record| ended.written.contains(&record)));
    });
}

#[test]
fn a_stop_does_not_outrun_a_record_that_ends_the_batch() {
    check(true, |run| {
        let last = any_record();
        let ended = run(Disturbance { last: Some(last), stop: true, ..Disturbance::default() });
        let end = ended.written.len() as u64;
        assert_eq!(ended.written, (0..end).collect::<Vec<_>>());
        assert!(end <= last + 1);
    });
}

#[test]
fn outputs_before_a_panic_are_written() {
    check(true, |run| {
        let panic = any_record();
        let ended = run(Disturbance { panic: Some(panic), ..Disturbance::default() });
        let end = ended.written.len() as u64;
        assert_eq!(ended.written, (0..end).collect::<Vec<_>>());
        assert!(end <= panic && ended.panicked, "{ended:?}");
    });
    check(false, |run| {
        let ended = run(Disturbance { panic: Some(any_record()), ..Disturbance::default() });
        assert!(ended.panicked);
    });
}

#[test]
fn a_closed_output_ends_everything() {
    for ordered in [true, false] {
        check(ordered, |run| {
            let closed = shuttle::rand::thread_rng().gen_range(0..4);
            let ended = run(Disturbance { closed: Some(closed), ..Disturbance::default() });
            assert!(ended.written.len() as u64 <= ended.processed);
        });
    }
}
