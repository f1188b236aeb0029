//! The time limit of calls that a host function may block.

use std::time::Duration;

use super::nanoseconds;
use crate::error::{Error, ErrorKind};
use crate::limits::{LimitExceeded, LimitKind, TimeLimit};

/// The time that a call may take in addition to its limit.
const GRACE: Duration = Duration::from_secs(1);

/// The time limit of a call that a host function may block. No engine can stop the call then.
#[derive(Clone, Copy, Debug)]
pub struct StuckLimit {
    limit: Duration,
}

impl StuckLimit {
    /// Creates the limit for calls with this time limit.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }

    /// Returns how long to wait for a call: twice the limit, since a new instance and the call have it each, and a second.
    #[must_use]
    pub fn max_time(self) -> Duration {
        self.limit.saturating_mul(2).saturating_add(GRACE)
    }

    /// Returns the error of a call that has not returned by then.
    #[must_use]
    pub fn error(self) -> Error {
        let Self { limit } = self;
        let shown = TimeLimit(limit);
        let message = format!("the call did not stop at its time limit of {shown}, because a host function blocks");
        let exceeded = LimitExceeded::new(LimitKind::Time, nanoseconds(limit), nanoseconds(self.max_time()));
        Error::new(ErrorKind::Timeout, message).with_limit(exceeded)
    }
}
