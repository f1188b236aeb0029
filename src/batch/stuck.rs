//! Calls that do not stop at their time limit, because a host function blocks.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::pipeline::threads;
use crate::component::info::CodeInfo;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind, Limits, TimeLimit};
use crate::session::{PreparedCode, nanoseconds};

/// The time that a record may take in addition to that of its guest.
const GRACE: Duration = Duration::from_secs(1);

/// Called with the number of a record, if it is known, and the error of its call.
pub type OnStuckCall<'a> = dyn FnMut(Option<u64>, Error) + Send + 'a;

/// The time limit of calls that a host function may block.
#[derive(Clone, Copy, Debug)]
pub(super) struct StuckLimit {
    limit: Duration,
}

impl StuckLimit {
    /// Returns the limit if there is one, and the guest imports something that may block.
    pub(super) fn new(code: &PreparedCode, limits: Limits) -> Option<Self> {
        let has_imports = match code.info() {
            CodeInfo::Module(info) => !info.imports.is_empty(),
            CodeInfo::Component(info) => !info.imports.is_empty(),
        };
        limits.time.filter(|_| has_imports).map(|limit| Self { limit })
    }

    /// Returns how long a record may take. A new instance and the call have the time limit each.
    pub(super) fn max_time(self) -> Duration {
        self.limit.saturating_mul(2).saturating_add(GRACE)
    }

    /// Returns the error of a call that does not return.
    pub(super) fn error(self) -> Error {
        let Self { limit } = self;
        let shown = TimeLimit(limit);
        let message = format!("the call did not stop at its time limit of {shown}, because a host function blocks");
        let exceeded = LimitExceeded::new(LimitKind::Time, nanoseconds(limit), nanoseconds(self.max_time()));
        Error::new(ErrorKind::Timeout, message).with_limit(exceeded)
    }

    /// Creates the first instance. Calls `on_stuck` if this takes too long.
    pub(super) fn watch<T>(
        self,
        on_stuck: Option<&mut OnStuckCall<'_>>,
        start: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Some(on_stuck) = on_stuck else { return start() };
        thread::scope(|scope| {
            let (started, waiting) = mpsc::channel::<()>();
            let watch = move || {
                if waiting.recv_timeout(self.max_time()) == Err(RecvTimeoutError::Timeout) {
                    on_stuck(None, self.error());
                }
            };
            threads::spawn(scope, "wrun watch", watch)?;
            let result = start();
            drop(started);
            result
        })
    }
}
