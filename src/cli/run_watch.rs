//! Watches runs that have a time limit each.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use wrun::session::{Event, StuckLimit};

use super::failure::Failure;
use super::output::printer;
use super::supervisor::Supervisor;

/// Runs `work`, which reports the steps of each run. Ends the process with `exit_code` if a step takes much longer than its time
/// limit, because a host function blocks.
///
/// # Errors
/// If the system cannot create a thread.
pub(crate) fn watch<T>(
    supervisor: &Supervisor,
    limit: Option<Duration>,
    exit_code: u8,
    work: impl FnOnce(&dyn Fn(Event)) -> T,
) -> Result<T, Failure> {
    let Some(limit) = limit else { return Ok(work(&|_| {})) };
    thread::scope(|scope| {
        let (steps, reported) = mpsc::channel();
        let limit = StuckLimit::new(limit);
        let watcher = move || {
            if is_blocked(&reported, limit.max_time()) {
                supervisor.end_process(|| printer::failure(&Failure { exit_code, ..limit.error().into() }, false));
            }
        };
        let spawned = thread::Builder::new().name("wrun watch".to_owned()).spawn_scoped(scope, watcher);
        spawned.map_err(|error| Failure::io("cannot enforce the time limit without a thread", &error))?;
        let result = work(&|event| {
            let runs = matches!(event, Event::Instantiating | Event::Calling);
            if runs || matches!(event, Event::Instantiated { .. } | Event::Called { .. }) {
                // The watcher is gone only if the process ends.
                let _ = steps.send(runs);
            }
        });
        drop(steps);
        Ok(result)
    })
}

/// Watches the steps until they end. Returns `true` as soon as a step takes longer than `max`.
fn is_blocked(steps: &Receiver<bool>, max: Duration) -> bool {
    loop {
        match steps.recv() {
            Err(_) => return false,
            Ok(false) => {}
            Ok(true) => match steps.recv_timeout(max) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            },
        }
    }
}
