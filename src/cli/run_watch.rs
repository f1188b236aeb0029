//! Watches runs that have a time limit each.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use wrun::limits::TimeLimit;
use wrun::session::{Event, nanoseconds};
use wrun::{Error, LimitExceeded, LimitKind};

use super::failure::Failure;
use super::output::printer;
use super::supervisor::Supervisor;

/// The time that a step may take in addition to its limit.
const GRACE: Duration = Duration::from_secs(1);

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
        let max = limit.saturating_mul(2).saturating_add(GRACE);
        let watcher = move || {
            if is_blocked(&reported, max) {
                supervisor.end_process(|| printer::failure(&blocked(limit, max, exit_code), false));
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

fn blocked(limit: Duration, max: Duration, exit_code: u8) -> Failure {
    let exceeded = LimitExceeded::new(LimitKind::Time, nanoseconds(limit), nanoseconds(max));
    let shown = TimeLimit(limit);
    let message = format!("a run did not stop at its time limit of {shown}, because a host function blocks");
    Failure { exit_code, message, ..Failure::from(Error::limit(exceeded)) }
}
