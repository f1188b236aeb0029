//! The threads of one program, and its end: one lock for all of them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use wasmer_wasix::WasiEnv;
use wasmer_wasix::runtime::task_manager::block_on;
use wasmer_wasix::wasmer_wasix_types::types::Signal;
use wasmer_wasix::wasmer_wasix_types::wasi::ExitCode;

use crate::backends::wasmer::interrupt::StopFlag;
use crate::error::Error;
use crate::runtime::interrupt::InterruptHandle;

/// The number of the thread that calls into the guest, among those that can be stopped: WASIX gives it to none.
pub(super) const CALLER: u32 = 0;

/// How often a thread that is to end is reminded: one can be on its way into a wait when it is told first.
const AGAIN: Duration = Duration::from_millis(1);

/// What WASIX believes a program exited with that was stopped. Nobody is told: why it ended is known better here.
const STOPPED: u16 = 137;

thread_local! {
    /// Whether this thread closes what a program has open: its time for that does not end with the program.
    static CLOSES: Cell<bool> = const { Cell::new(false) };
}

/// Whether a sleep of this thread ends when its program does.
pub(super) fn wakes_at_the_end() -> bool {
    !CLOSES.get()
}

/// The threads of one program. It is over when one of them exits or traps, or when it is stopped from outside: all are
/// then made to end.
pub(super) struct ThreadGroup {
    over: AtomicBool,
    bell: Notify,
    state: Mutex<GroupState>,
    changed: Condvar,
}

#[derive(Default)]
struct GroupState {
    /// The flags by which guest code is stopped, by thread. Each is taken out, under this lock, before its store is dropped.
    flags: BTreeMap<u32, StopFlag>,
    /// Threads that run, the caller's not counted.
    alive: usize,
    /// How the program ended in one of them.
    verdict: Option<Error>,
    /// The program as WASIX knows it, to be ended there.
    env: Option<WasiEnv>,
}

impl ThreadGroup {
    /// A program that has not begun.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            over: AtomicBool::new(false),
            bell: Notify::new(),
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, GroupState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells what WASIX knows the program by.
    pub(super) fn know(&self, env: WasiEnv) {
        self.state().env = Some(env);
    }

    /// Whether the program has ended, or is to.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Waits until the program is to end.
    pub(super) async fn over(self: Arc<Self>) {
        loop {
            // It hears the bell from here on, so that none is missed between the look and the wait.
            let bell = self.bell.notified();
            if self.is_over() {
                return;
            }
            bell.await;
        }
    }

    /// Waits for this long where there is no clock to wait by, or until the program is to end.
    pub(super) fn doze(&self, time: Duration) {
        let until = Instant::now().checked_add(time);
        while !self.is_over() && until.is_none_or(|until| Instant::now() < until) {
            std::thread::sleep(AGAIN);
        }
    }

    /// Counts a thread that begins, until what is returned is dropped; `None` where the program is over.
    pub(super) fn enlist(self: &Arc<Self>) -> Option<ThreadGuard> {
        let mut state = self.state();
        if self.is_over() {
            return None;
        }
        state.alive += 1;
        Some(ThreadGuard(Arc::clone(self)))
    }

    /// Gives a thread the flag it is stopped by; whether it may run.
    pub(super) fn register(&self, thread: u32, flag: Option<StopFlag>) -> bool {
        let mut state = self.state();
        if self.is_over() {
            return false;
        }
        if let Some(flag) = flag {
            state.flags.insert(thread, flag);
        }
        true
    }

    /// Takes the flag of a thread away, whose store is to be dropped.
    pub(super) fn leave(&self, thread: u32) {
        self.state().flags.remove(&thread);
    }

    /// Whether there are threads besides the caller's.
    pub(super) fn has_threads(&self) -> bool {
        self.state().alive > 0
    }

    /// Ends the program, as one of its threads did.
    pub(super) fn end_with(&self, verdict: Error) {
        let mut state = self.state();
        if !self.is_over() {
            state.verdict.get_or_insert(verdict);
        }
        drop(state);
        self.stop();
    }

    /// How one of its threads ended the program, where one did and it was not asked before.
    pub(super) fn take_verdict(&self) -> Option<Error> {
        self.state().verdict.take()
    }

    /// Makes all threads end, the caller's included; what waits inside of WASIX is woken.
    pub(super) fn stop(&self) {
        let state = self.state();
        let first = !self.over.swap(true, Ordering::SeqCst);
        for flag in state.flags.values() {
            flag.request_check();
        }
        let process = state.env.as_ref().map(|env| env.process.clone());
        let env = if first { state.env.clone() } else { None };
        drop(state);
        self.bell.notify_waiters();
        if let Some(process) = process {
            if first {
                process.terminate(ExitCode::from(STOPPED));
            }
            // Ends waits on the shared memory, too.
            process.signal_process(Signal::Sigkill);
        }
        if let Some(env) = env {
            // Ends waits on pipes, whose other ends are closed. What is closed may block, but only a thread of its own;
            // without one, a wait on a pipe goes on.
            let close = move || {
                CLOSES.set(true);
                block_on(env.on_exit(Some(ExitCode::from(STOPPED))));
            };
            let _ = std::thread::Builder::new().name("wrun wasix".to_owned()).spawn(close);
        }
    }

    /// Waits until all threads have ended, at most for `within`.
    pub(super) fn wait(&self, within: Duration) {
        let begun = Instant::now();
        let mut state = self.state();
        while state.alive > 0 && begun.elapsed() < within {
            let waited = self.changed.wait_timeout(state, AGAIN);
            let lasting = waited.unwrap_or_else(PoisonError::into_inner).0.alive > 0;
            if lasting {
                self.stop();
            }
            state = self.state();
        }
    }

    /// Forgets the program, whose instance is being dropped.
    pub(super) fn clear(&self) {
        self.over.store(true, Ordering::SeqCst);
        let mut state = self.state();
        state.flags.remove(&CALLER);
        let env = state.env.take();
        drop(state);
        drop(env);
    }
}

impl fmt::Debug for ThreadGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").field("over", &self.over).finish_non_exhaustive()
    }
}

/// One thread, counted.
pub(super) struct ThreadGuard(Arc<ThreadGroup>);

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        self.0.state().alive -= 1;
        self.0.changed.notify_all();
    }
}

/// Stops all threads of a program whose call is to stop.
#[derive(Debug)]
pub(super) struct ThreadGroupInterrupt {
    pub(super) thread_group: Arc<ThreadGroup>,
    /// Whether there may be threads, which nothing pauses.
    pub(super) starts_threads: bool,
}

impl InterruptHandle for ThreadGroupInterrupt {
    fn request_check(&self) {
        self.thread_group.stop();
    }

    fn can_resume(&self) -> bool {
        false
    }

    fn can_pause(&self) -> bool {
        !self.starts_threads
    }
}
