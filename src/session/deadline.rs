//! One time limit for several steps.

use std::time::{Duration, Instant};

use super::nanoseconds;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind, TimeLimit};

/// A time limit that began in the past and covers everything since: reading, compiling, instantiating, calling.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    started: Instant,
    limit: Option<Duration>,
}

impl Deadline {
    /// Creates a deadline `limit` after `started`, or none.
    #[must_use]
    pub fn new(started: Instant, limit: Option<Duration>) -> Self {
        Self { started, limit }
    }

    /// Returns the time that remains, or `None` without a limit.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if the deadline has passed.
    pub fn remaining(&self) -> Result<Option<Duration>> {
        let Some(limit) = self.limit else { return Ok(None) };
        match limit.saturating_sub(self.started.elapsed()) {
            Duration::ZERO => {
                let message = format!("the time limit of {} expired before the guest ran", TimeLimit(limit));
                Err(Error::new(ErrorKind::Timeout, message).with_limit(self.exceeded(limit)))
            }
            left => Ok(Some(left)),
        }
    }

    /// Replaces the limit in a [`ErrorKind::Timeout`] of an instance, which got what remained, by the limit of all steps.
    #[must_use]
    pub fn explain(&self, error: Error) -> Error {
        match self.limit {
            Some(limit) if error.kind() == ErrorKind::Timeout => {
                let whole = Error::limit(self.exceeded(limit)).with_backtrace_of(&error);
                error.function().map(str::to_owned).into_iter().fold(whole, Error::in_function)
            }
            _ => error,
        }
    }

    fn exceeded(&self, limit: Duration) -> LimitExceeded {
        LimitExceeded::new(LimitKind::Time, nanoseconds(limit), nanoseconds(self.started.elapsed()))
    }
}
