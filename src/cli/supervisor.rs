//! Ends a command from outside: at its deadline, on SIGINT, and on SIGTERM.
//!
//! The library stops guest code at the deadline and reports more about it, so the supervisor gives it a head start. A
//! compilation, a blocked read, or a host function that does not return can only be stopped by ending the process. The
//! supervisor also owns the progress display, because an interrupted command must leave a clean terminal.

use std::ffi::c_int;
use std::io::{self, IsTerminal};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::SIGINT;
use strum::Display;
use wrun::batch::BatchCounters;
use wrun::limits::TimeLimit;
use wrun::session::{Event, nanoseconds};
use wrun::{Error, LimitExceeded, LimitKind};

use super::exit_code;
use super::failure::{self, Failure};
use super::output::printer;
use super::output::progress::Progress;
use super::signals;

/// How long after the deadline a command may still end normally.
const DEADLINE_GRACE: Duration = Duration::from_millis(10);
/// The same while guest code runs, which the library stops.
const GUEST_GRACE: Duration = Duration::from_millis(30);
/// How long the report of a timeout may take, for example if its reader does not read.
const REPORT_GRACE: Duration = Duration::from_secs(1);
/// A signal that repeats within this time counts as one: `timeout` sends its signal to the command and to its process group.
const REPEATED: Duration = Duration::from_millis(100);
/// How long after that a note says how to end the process at once.
const PATIENCE: Duration = Duration::from_millis(400);

/// The options of [`Supervisor::run`].
pub(crate) struct SupervisorOptions {
    pub(crate) progress: Progress,
    /// When the command started; `timeout` counts from here.
    pub(crate) started: Instant,
    pub(crate) timeout: Option<Duration>,
    /// Whether to report a signal before it ends the process. Timeouts are always reported.
    pub(crate) report_signals: bool,
    pub(crate) report: Report,
    /// Called instead of ending the process on a signal during [`Phase::ProcessingRecords`] or [`Phase::Fuzzing`]. The command then soon ends, and
    /// ends the process by the signal. The next signal ends it at once.
    pub(crate) stop: Option<Box<dyn FnOnce() + Send>>,
    /// Whether to leave out the note that the next signal ends the process at once.
    pub(crate) quiet: bool,
}

/// Reports why the process ends, and returns the exit code.
pub(crate) type Report = Box<dyn FnOnce(Failure) -> u8 + Send>;

impl SupervisorOptions {
    /// Options without a timeout or a report.
    pub(crate) fn new(progress: Progress) -> Self {
        let report = Box::new(|failure: Failure| failure.exit_code);
        Self {
            progress,
            started: Instant::now(),
            timeout: None,
            report_signals: false,
            report,
            stop: None,
            quiet: false,
        }
    }
}

/// The step that a command is at.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq)]
pub(crate) enum Phase {
    #[strum(to_string = "reading the policy")]
    ReadingPolicy,
    #[strum(to_string = "reading the module")]
    ReadingModule,
    #[strum(to_string = "reading the arguments")]
    ReadingArguments,
    #[strum(to_string = "loading the code")]
    LoadingCode,
    #[strum(to_string = "compiling")]
    Compiling,
    #[strum(to_string = "instantiating")]
    Instantiating,
    #[strum(to_string = "running the guest")]
    RunningGuest,
    #[strum(to_string = "processing records")]
    ProcessingRecords,
    #[cfg_attr(not(feature = "fuzz"), expect(dead_code, reason = "the command needs the feature"))]
    #[strum(to_string = "comparing generated modules")]
    Fuzzing,
}

impl Phase {
    /// Whether guest code may run.
    fn is_guest(self) -> bool {
        matches!(self, Self::Instantiating | Self::RunningGuest)
    }
}

/// Why the supervisor ends the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndReason {
    TimedOut,
    Signal(c_int),
}

/// Watches a running command, and ends the process if it has to stop.
pub(crate) struct Supervisor {
    progress: Progress,
    started: Instant,
    timeout: Option<Duration>,
    phase: Mutex<Phase>,
    /// Set by the side that reports: the command or the watcher thread.
    claimed: AtomicBool,
}

impl Supervisor {
    /// Runs `work`, and returns its result. At the deadline or on a signal, the process ends with the report in `options`,
    /// and this does not return. A panic becomes a failure. If the result is a timeout, the process ends within a second
    /// even if the caller cannot write its report.
    ///
    /// Starts a thread only if there is something to report or a progress line to clear.
    ///
    /// # Errors
    /// Those of `work`, and a failure if there is a time limit but the system provides no thread, socket, or signal handler.
    pub(crate) fn run<T>(
        options: SupervisorOptions,
        work: impl FnOnce(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let SupervisorOptions { progress, started, timeout, report_signals, report, stop, quiet } = options;
        let catches_signals = report_signals || stop.is_some() || progress.may_draw();
        let (phase, claimed) = (Mutex::new(Phase::ReadingModule), AtomicBool::new(false));
        let supervisor = Arc::new(Self { progress, started, timeout, phase, claimed });
        let needs_watcher = catches_signals || timeout.is_some();
        let start = || Arc::clone(&supervisor).start(catches_signals, report_signals, report, stop, quiet);
        let started = needs_watcher.then(start).transpose();
        let waker = match started {
            Err(error) => {
                // The handlers may be installed, but no thread reads their signals.
                signals::end_at_once();
                if timeout.is_some() {
                    return Err(Failure::io("cannot enforce the time limit without a supervisor thread", &error));
                }
                tracing::info!("no progress, and no report of signals: cannot start the supervisor thread: {error}");
                supervisor.progress.end();
                None
            }
            Ok(waker) => waker,
        };
        let result = failure::catch_panic(|| work(&supervisor));
        if waker.is_some() {
            supervisor.stop();
        }
        supervisor.progress.end();
        if result.as_ref().is_err_and(|failure| failure.exit_code == exit_code::TIMEOUT) {
            exit_after_report_grace();
        }
        result
    }

    /// Ends the process with a report that returns the exit code, while the command is blocked.
    pub(crate) fn end_process(&self, report: impl FnOnce() -> u8) -> ! {
        self.stop();
        exit_after_report_grace();
        self.progress.end();
        exit(report())
    }

    /// Sets the current phase. Does not return if the watcher is already ending the process.
    pub(crate) fn enter(&self, phase: Phase) {
        let mut current = self.phase();
        if self.claimed.load(Ordering::SeqCst) {
            drop(current);
            park_forever();
        }
        *current = phase;
        drop(current);
        tracing::debug!("{phase}");
    }

    /// Shows the progress of a batch.
    pub(crate) fn count_records(&self, counters: &Arc<BatchCounters>) {
        self.progress.count_records(counters);
    }

    /// Shows a text that counts something.
    #[cfg(feature = "fuzz")]
    pub(crate) fn count(&self, text: impl Fn() -> String + Send + Sync + 'static) {
        self.progress.count(text);
    }

    /// Shows the step that a long command is at.
    pub(crate) fn show_step(&self, step: String) {
        self.progress.show_step(step);
    }

    /// Updates phase and progress from an event of a session.
    pub(crate) fn observe(&self, event: Event) {
        match event {
            Event::Compiling { .. } => self.enter(Phase::Compiling),
            Event::Instantiating => self.enter(Phase::Instantiating),
            Event::Calling => self.enter(Phase::RunningGuest),
            _ => {}
        }
        self.progress.observe(event);
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the caller is the first to claim the report.
    fn claim(&self) -> bool {
        !self.claimed.swap(true, Ordering::SeqCst)
    }

    /// Starts the watcher thread. Dropping the returned socket ends it, unless it watches signals too.
    fn start(
        self: Arc<Self>,
        catches_signals: bool,
        report_signals: bool,
        report: Report,
        stop: Option<Box<dyn FnOnce() + Send>>,
        quiet: bool,
    ) -> io::Result<UnixStream> {
        let (waker, wakeups) = UnixStream::pair()?;
        if catches_signals {
            signals::catch(&waker)?;
        }
        let watch = move || {
            let Some(reason) = self.wait_for_end(&wakeups) else { return };
            let phase = self.phase();
            if let (EndReason::Signal(signal), Phase::ProcessingRecords | Phase::Fuzzing, Some(stop)) =
                (reason, *phase, stop)
            {
                drop(phase);
                self.progress.end();
                stop();
                thread::sleep(REPEATED);
                signals::end_at_once();
                thread::sleep(PATIENCE);
                let is_waiting = !self.claimed.load(Ordering::SeqCst);
                if is_waiting && signal == SIGINT && io::stderr().is_terminal() {
                    printer::note("waiting for running calls; a second Ctrl-C ends wrun at once", quiet);
                }
                return;
            }
            // With the lock, so that the command does not begin to process records.
            let reports = self.claim();
            drop(phase);
            // The report can block, here or in the command.
            signals::end_at_once();
            match reason {
                EndReason::TimedOut if reports => {
                    exit_after_report_grace();
                    self.progress.end();
                    exit(report(self.timed_out()))
                }
                EndReason::TimedOut => {}
                EndReason::Signal(signal) => {
                    self.progress.end();
                    let failure = ended_by(signal, *self.phase());
                    let exit_code = failure.exit_code;
                    if reports && report_signals {
                        report(failure);
                    }
                    signals::end_by(signal);
                    exit(exit_code)
                }
            }
        };
        thread::Builder::new().name("wrun supervisor".to_owned()).spawn(watch)?;
        Ok(waker)
    }

    /// Leaves the report to the command, which has ended. Does not return if the watcher is already reporting.
    fn stop(&self) {
        if self.claim() {
            // Printing can block.
            signals::end_at_once();
        } else {
            park_forever();
        }
    }

    /// Waits for a reason to end the process. Returns `None` if the command ends first.
    fn wait_for_end(&self, wakeups: &UnixStream) -> Option<EndReason> {
        let deadline = self.timeout.and_then(|timeout| self.started.checked_add(timeout));
        let after = |grace| deadline.and_then(|deadline| deadline.checked_add(grace));
        let reason = wait(wakeups, after(DEADLINE_GRACE))?;
        let guest_runs = self.phase().is_guest();
        if reason == EndReason::TimedOut && guest_runs { wait(wakeups, after(GUEST_GRACE)) } else { Some(reason) }
    }

    /// Returns the failure of a command that timed out. While the guest runs, the message is the library's.
    pub(crate) fn timed_out(&self) -> Failure {
        let limit = self.timeout.unwrap_or_default();
        let used = nanoseconds(self.started.elapsed());
        let exceeded = LimitExceeded::new(LimitKind::Time, nanoseconds(limit), used);
        let failure = Failure::from(Error::limit(exceeded));
        let phase = *self.phase();
        if phase.is_guest() {
            return failure;
        }
        Failure { message: format!("timed out after {} while {phase}", TimeLimit(limit)), ..failure }
    }
}

/// Returns the failure of a command that a signal ends.
pub(crate) fn ended_by(signal: c_int, phase: Phase) -> Failure {
    let (kind, exit_code) = match signal {
        SIGINT => ("interrupted", exit_code::INTERRUPTED),
        _ => ("terminated", exit_code::TERMINATED),
    };
    Failure::new(kind, exit_code, format!("{kind} while {phase}"))
}

fn park_forever() -> ! {
    loop {
        thread::park();
    }
}

/// Waits for a signal or the deadline. Returns `None` if the other end of `wakeups` is closed.
fn wait(wakeups: &UnixStream, deadline: Option<Instant>) -> Option<EndReason> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Some(EndReason::TimedOut);
        }
        // Linux may end a poll late, by up to 0.5 % of its timeout. So the first polls end well before the deadline.
        let timeout = left.map(|left| if left > Duration::from_secs(1) { left / 2 } else { left });
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let woken = poll(&mut [PollFd::new(wakeups, PollFlags::IN)], timeout.as_ref());
        match (signals::caught(), woken) {
            (Some(signal), _) => return Some(EndReason::Signal(signal)),
            // No signal wrote a byte, so this is end of file.
            (None, Ok(1..)) => return None,
            (None, Ok(0)) => {}
            // Probably interrupted by a signal handler on this thread.
            (None, Err(_)) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Ends the process after [`REPORT_GRACE`], even if the report of the timeout is blocked.
fn exit_after_report_grace() {
    let end = || {
        thread::sleep(REPORT_GRACE);
        exit(exit_code::TIMEOUT)
    };
    // Without a thread, the process waits for its report.
    let _ = thread::Builder::new().name("wrun exit".to_owned()).spawn(end);
}

#[expect(clippy::exit, reason = "the main thread can be blocked, so it cannot return from `main`")]
fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}
