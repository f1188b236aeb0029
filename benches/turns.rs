//! Ways of doing the same thing, which take turns, so that a busy machine troubles all of them alike.

use std::time::{Duration, Instant};

use criterion::Criterion;

/// One way of doing one thing.
pub(crate) struct Way {
    pub(crate) engine: &'static str,
    /// What is done.
    pub(crate) work: &'static str,
    pub(crate) manner: &'static str,
    pub(crate) run: Box<dyn FnMut()>,
}

/// Criterion's estimates of each.
pub(crate) fn estimate(ways: &mut [Way]) {
    let criterion = Criterion::default().sample_size(50).warm_up_time(Duration::from_millis(300));
    let mut criterion = criterion.measurement_time(Duration::from_secs(1)).configure_from_args();
    for way in ways {
        let name = format!("{}/{}/{}", way.engine, way.work, way.manner);
        criterion.bench_function(&name, |bencher| bencher.iter(|| (way.run)()));
    }
    criterion.final_summary();
}

/// What batches of each way took, all ways taking turns; in nanoseconds a run.
pub(crate) struct Batches<'w> {
    ways: &'w [Way],
    /// Of each way, the quickest first.
    taken: Vec<Vec<f64>>,
}

/// How long a batch lasts at least: so long that it is not the way's caches being filled that is measured.
const BATCH: Duration = Duration::from_millis(1);

impl<'w> Batches<'w> {
    /// Lets all ways take turns: this many rounds, each way a batch in each.
    pub(crate) fn of(ways: &'w mut [Way], rounds: usize) -> Self {
        let mut taken = vec![Vec::with_capacity(rounds); ways.len()];
        for _ in 0..rounds {
            for (way, taken) in ways.iter_mut().zip(&mut taken) {
                taken.push(batch(&mut way.run));
            }
        }
        for taken in &mut taken {
            taken.sort_by(f64::total_cmp);
        }
        Self { ways, taken }
    }

    /// The quickest batch of a way and the median of all.
    pub(crate) fn get(&self, engine: &str, work: &str, manner: &str) -> Option<(f64, f64)> {
        let wanted = (engine, work, manner);
        let at = self.ways.iter().position(|way| (way.engine, way.work, way.manner) == wanted)?;
        let taken = &self.taken[at];
        Some((*taken.first()?, *taken.get(taken.len() / 2)?))
    }
}

/// One batch: how long a run of it took, in nanoseconds.
fn batch(run: &mut dyn FnMut()) -> f64 {
    let (start, mut runs) = (Instant::now(), 0_u32);
    loop {
        // The clock is asked seldom, since that takes as long as the shortest runs.
        let more = runs + 1;
        (0..more).for_each(|_| run());
        runs += more;
        let taken = start.elapsed();
        if taken >= BATCH {
            return taken.as_secs_f64() * 1e9 / f64::from(runs);
        }
    }
}
