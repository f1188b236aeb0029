//! What ends the process from outside: its time, Ctrl-C, a polite kill. Guest code is stopped by the library, with more
//! to tell; compilation, a blocked read, or a host function that does not return only end with the process.

use std::io::Read;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::pipe;

use super::exit_code;
use super::failure::Failure;
use super::signals;

/// How much longer than its time a command may take to end by itself, with more to tell; and how much longer still while the
/// library is about to stop its guest.
const GRACE: Duration = Duration::from_millis(10);
const GRACE_OF_GUEST: Duration = Duration::from_millis(90);
/// How long the report of a timeout may take, where whoever reads it does not.
const GRACE_OF_REPORT: Duration = Duration::from_secs(1);

/// Ends the process once its time is up or it is told to end, with a report; until [`Supervisor::disarm`].
pub(crate) struct Supervisor {
    claim: Claim,
    waker: UnixStream,
}

/// Who tells what came of the command: the command itself, or the guard. Only one does.
#[derive(Clone, Default)]
struct Claim(Arc<Mutex<bool>>);

impl Claim {
    /// Whether nobody had it before.
    fn take(&self) -> bool {
        !std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), true)
    }
}

impl Supervisor {
    /// Has the process end at once, with the right code and not a word, when it is told to end: all that a command
    /// needs which reports nothing, and no thread.
    pub(crate) fn without_report() {
        for (signal, code) in [(SIGINT, exit_code::INTERRUPTED), (SIGTERM, exit_code::TERMINATED)] {
            if !signals::is_ignored(signal) {
                // Where the system refuses a handler, its default ends the process too.
                let _ = flag::register_conditional_shutdown(signal, code.into(), Arc::new(AtomicBool::new(true)));
            }
        }
    }

    /// Has `end` report and end the process, on a thread of its own, `timeout` after `started` or when it is told to end.
    ///
    /// # Errors
    /// A failure of the system to give a thread, a socket, or a handler for signals.
    pub(crate) fn set(
        started: Instant,
        timeout: Option<Duration>,
        guest_runs: impl Fn() -> bool + Send + 'static,
        end: impl FnOnce(Ending) + Send + 'static,
    ) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::io("cannot watch over the call", &error);
        let (waker, mut woken) = UnixStream::pair().map_err(failed)?;
        let told = Arc::new(AtomicUsize::new(0));
        for signal in [SIGINT, SIGTERM] {
            if !signals::is_ignored(signal) {
                let number = usize::try_from(signal).unwrap_or_default();
                flag::register_usize(signal, Arc::clone(&told), number).map_err(failed)?;
                pipe::register(signal, waker.try_clone().map_err(failed)?).map_err(failed)?;
            }
        }
        let deadline = timeout.and_then(|timeout| started.checked_add(timeout)?.checked_add(GRACE));
        let claim = Claim::default();
        let theirs = claim.clone();
        let watch = move || {
            let mut ending = wait(&mut woken, deadline, &told);
            if ending == Some(Ending::TimedOut) && guest_runs() {
                ending = wait(&mut woken, Instant::now().checked_add(GRACE_OF_GUEST), &told);
            }
            if let Some(ending) = ending
                && theirs.take()
            {
                // The report may block for ever, as on a pipe that nobody reads.
                Self::without_report();
                if ending == Ending::TimedOut {
                    exit_soon();
                }
                end(ending);
            }
        };
        thread::Builder::new().name("wrun guard".to_owned()).spawn(watch).map_err(failed)?;
        Ok(Self { claim, waker })
    }

    /// Leaves the report to the command, which has ended by itself; does not return where the guard reports already.
    pub(crate) fn disarm(self) {
        if self.claim.take() {
            // What is printed from now on may block for ever, as on a pipe that nobody reads.
            Self::without_report();
            // Only a thread that nobody waits for would learn of a failure.
            let _ = self.waker.shutdown(Shutdown::Both);
        } else {
            loop {
                thread::park();
            }
        }
    }
}

/// Has the process end though its report is not read: its time is up.
#[expect(clippy::exit, reason = "the main thread may be blocked for ever")]
pub(crate) fn exit_soon() {
    let end = || {
        thread::sleep(GRACE_OF_REPORT);
        std::process::exit(exit_code::TIMEOUT.into());
    };
    // Where the system has no thread left, the report is waited for.
    let _ = thread::Builder::new().name("wrun end".to_owned()).spawn(end);
}

/// Why the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    TimedOut,
    Interrupted,
    Terminated,
}

/// Waits for the first reason to end the process; none where the guard is disarmed.
fn wait(woken: &mut UnixStream, deadline: Option<Instant>, told: &AtomicUsize) -> Option<Ending> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Some(Ending::TimedOut);
        }
        woken.set_read_timeout(left).ok()?;
        let read = woken.read(&mut [0]);
        match i32::try_from(told.load(Ordering::SeqCst)) {
            Ok(SIGINT) => return Some(Ending::Interrupted),
            Ok(SIGTERM) => return Some(Ending::Terminated),
            _ if matches!(read, Ok(0)) => return None,
            _ => {}
        }
    }
}
