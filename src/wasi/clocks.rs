//! Deterministic clocks: they start at a fixed time and advance by a fixed step with each reading.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// The first time of the wall clock: 2000-01-01T00:00:00Z, as Unix time.
const START: Duration = Duration::from_hours(262_968);

/// The time between two readings.
const STEP: Duration = Duration::from_millis(1);

/// The wall clock and the monotonic clock. Clones share one count of readings.
#[derive(Clone, Debug, Default)]
pub(super) struct SteppedClock {
    readings: Arc<AtomicU64>,
}

impl SteppedClock {
    fn read(&self) -> Duration {
        let readings = self.readings.fetch_add(1, Ordering::Relaxed);
        // A `STEP` for each.
        Duration::from_millis(readings)
    }
}

impl HostWallClock for SteppedClock {
    fn resolution(&self) -> Duration {
        STEP
    }

    fn now(&self) -> Duration {
        START + self.read()
    }
}

impl HostMonotonicClock for SteppedClock {
    fn resolution(&self) -> u64 {
        u64::try_from(STEP.as_nanos()).unwrap_or(u64::MAX)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.read().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_advances_by_a_step_with_each_reading() {
        for readings in [0, 1, u64::from(u32::MAX), 1 << 40] {
            let clock = SteppedClock { readings: Arc::new(readings.into()) };
            let first = clock.read();
            assert_eq!(clock.read(), first + STEP);
        }
    }
}
