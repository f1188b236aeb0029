//! Measures cases in turns, so that other load on the machine affects all of them alike.

use std::time::{Duration, Instant};

use criterion::Criterion;
use wrun::RuntimeKind;

/// One variant of a piece of work.
pub(crate) struct Case {
    pub(crate) engine: &'static str,
    pub(crate) work: &'static str,
    /// The variants of the same work are compared.
    pub(crate) variant: &'static str,
    pub(crate) run: Box<dyn FnMut()>,
}

/// Prints criterion's estimate of each case.
pub(crate) fn estimate(cases: &mut [Case]) {
    for kind in RuntimeKind::ALL.iter().filter(|kind| !kind.is_available()) {
        println!("skipped: {kind} is not compiled in");
    }
    let criterion = Criterion::default().sample_size(50).warm_up_time(Duration::from_millis(300));
    let mut criterion = criterion.measurement_time(Duration::from_secs(1)).configure_from_args();
    for case in cases {
        let name = format!("{}/{}/{}", case.engine, case.work, case.variant);
        criterion.bench_function(&name, |bencher| bencher.iter(|| (case.run)()));
    }
    criterion.final_summary();
}

/// The times of batches of each case.
pub(crate) struct Batches<'c> {
    cases: &'c [Case],
    /// Nanoseconds per run, for each case and in ascending order.
    times: Vec<Vec<f64>>,
}

/// The minimum length of a batch: long enough that filling the CPU's caches does not count.
const BATCH: Duration = Duration::from_millis(1);

impl<'c> Batches<'c> {
    /// Measures one batch of each case per round.
    pub(crate) fn measure(cases: &'c mut [Case], rounds: usize) -> Self {
        let mut times = vec![Vec::with_capacity(rounds); cases.len()];
        for _ in 0..rounds {
            for (case, times) in cases.iter_mut().zip(&mut times) {
                times.push(batch(&mut case.run));
            }
        }
        for times in &mut times {
            times.sort_by(f64::total_cmp);
        }
        Self { cases, times }
    }

    /// Returns the fastest batch of a case and the median, in nanoseconds per run.
    pub(crate) fn get(&self, engine: &str, work: &str, variant: &str) -> Option<(f64, f64)> {
        let wanted = (engine, work, variant);
        let at = self.cases.iter().position(|case| (case.engine, case.work, case.variant) == wanted)?;
        let times = &self.times[at];
        Some((*times.first()?, *times.get(times.len() / 2)?))
    }
}

/// Measures one batch, in nanoseconds per run.
fn batch(run: &mut dyn FnMut()) -> f64 {
    let (start, mut runs) = (Instant::now(), 0_u32);
    loop {
        // The batch doubles before each look at the clock, which takes as long as the shortest runs.
        let more = runs + 1;
        (0..more).for_each(|_| run());
        runs += more;
        let elapsed = start.elapsed();
        if elapsed >= BATCH {
            return elapsed.as_secs_f64() * 1e9 / f64::from(runs);
        }
    }
}
