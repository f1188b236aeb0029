//! Calls that do not stop at their time limit, because a host function blocks.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use super::pipeline::threads;
use crate::component::info::CodeInfo;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::session::{PreparedCode, StuckLimit};

/// Called with the number of a record, if it is known, and the error of its call.
pub type OnStuckCall<'a> = dyn FnMut(Option<u64>, Error) + Send + 'a;

/// Returns the limit if there is one, and the guest imports something that may block.
pub(super) fn limit(code: &PreparedCode, limits: Limits) -> Option<StuckLimit> {
    let has_imports = match code.info() {
        CodeInfo::Module(info) => !info.imports.is_empty(),
        CodeInfo::Component(info) => !info.imports.is_empty(),
    };
    limits.time.filter(|_| has_imports).map(StuckLimit::new)
}

/// Creates the first instance. Calls `on_stuck` if this takes too long.
pub(super) fn watch<T>(
    limit: StuckLimit,
    on_stuck: Option<&mut OnStuckCall<'_>>,
    start: impl FnOnce() -> Result<T>,
) -> Result<T> {
    let Some(on_stuck) = on_stuck else { return start() };
    thread::scope(|scope| {
        let (started, waiting) = mpsc::channel::<()>();
        let watch = move || {
            if waiting.recv_timeout(limit.max_time()) == Err(RecvTimeoutError::Timeout) {
                on_stuck(None, limit.error());
            }
        };
        threads::spawn(scope, "wrun watch", watch)?;
        let result = start();
        drop(started);
        result
    })
}
