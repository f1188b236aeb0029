//! The one thread of the process that looks after guests whose time is up, or that do not heed an order.

use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::runtime::life::Life;

/// Instances to look at, by when.
static ROUNDS: Mutex<BinaryHeap<Round>> = Mutex::new(BinaryHeap::new());
static SOONER: Condvar = Condvar::new();

/// One look at one instance. The soonest is the greatest, so that it is on top of the heap.
struct Round {
    at: Instant,
    life: Weak<Life>,
}

impl PartialEq for Round {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Round {}

impl PartialOrd for Round {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Round {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.at.cmp(&self.at)
    }
}

/// Has the thread run, from the first instance that needs it on.
///
/// # Errors
/// [`ErrorKind::Internal`] where the system has no thread to give.
pub(crate) fn start() -> Result<()> {
    static STARTED: OnceLock<std::io::Result<()>> = OnceLock::new();
    let spawn = || std::thread::Builder::new().name("wrun watchdog".to_owned()).spawn(keep_watch).map(drop);
    STARTED.get_or_init(spawn).as_ref().copied().map_err(|error| {
        Error::new(ErrorKind::Internal, format!("no thread to watch over guests can be started: {error}"))
    })
}

/// Looks at an instance at `at`.
pub(crate) fn watch(life: Weak<Life>, at: Instant) {
    let mut rounds = ROUNDS.lock().unwrap_or_else(PoisonError::into_inner);
    let sooner = rounds.peek().is_none_or(|next| at < next.at);
    rounds.push(Round { at, life });
    if sooner {
        SOONER.notify_one();
    }
}

fn keep_watch() {
    let mut rounds = ROUNDS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let now = Instant::now();
        rounds = match rounds.peek().map(|next| next.at) {
            None => SOONER.wait(rounds).unwrap_or_else(PoisonError::into_inner),
            Some(at) if at > now => SOONER.wait_timeout(rounds, at - now).unwrap_or_else(PoisonError::into_inner).0,
            Some(_) => {
                let due = rounds.pop();
                // The instance's own lock is taken without this one: its threads take them the other way round.
                drop(rounds);
                look(due, now);
                ROUNDS.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
    }
}

fn look(due: Option<Round>, now: Instant) {
    let Some(Round { life, .. }) = due else { return };
    let again = life.upgrade().and_then(|alive| alive.reins()?.look(now));
    if let Some(at) = again {
        watch(life, at);
    }
}
