//! The threads of one program and its end, under one lock.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use wasmer_wasix::WasiEnv;
use wasmer_wasix::runtime::task_manager::block_on;
use wasmer_wasix::wasmer_wasix_types::types::Signal;
use wasmer_wasix::wasmer_wasix_types::wasi::ExitCode;

use crate::backends::wasmer::interrupt::StopFlag;
use crate::error::Error;
use crate::runtime::interrupt::InterruptHandle;

/// The number of the thread that calls the guest. WASIX numbers its threads from 1.
pub(super) const CALLER: u32 = 0;

/// The interval between two attempts to stop a thread. A thread that is just entering a wait misses the first.
const RETRY_INTERVAL: Duration = Duration::from_millis(1);

/// The exit code that WASIX records for a stopped program. The error of the call does not depend on it.
const STOPPED: u16 = 137;

thread_local! {
    /// Whether this thread closes the files of a program that has ended.
    static CLOSES_FILES: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether a sleep of this thread ends with its program.
pub(super) fn wakes_at_end() -> bool {
    !CLOSES_FILES.get()
}

/// The threads of one program. The program ends when a thread exits or traps, or when it is stopped from outside; that stops
/// all of its threads.
#[derive(derive_more::Debug, Default)]
#[debug("ThreadGroup({ended:?})")]
pub(super) struct ThreadGroup {
    ended: AtomicBool,
    end_notify: Notify,
    state: Mutex<GroupState>,
    thread_exited: Condvar,
}

#[derive(Default)]
struct GroupState {
    /// The flags that stop guest code, by thread. A flag is removed under this lock before its store is dropped.
    flags: BTreeMap<u32, StopFlag>,
    /// The number of running threads besides the caller's.
    threads: usize,
    /// The error that ended the program, if it was in one of these threads.
    error: Option<Error>,
    /// The program in WASIX, to end it there.
    env: Option<WasiEnv>,
}

impl ThreadGroup {
    fn state(&self) -> MutexGuard<'_, GroupState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the WASIX environment of the program.
    pub(super) fn set_env(&self, env: WasiEnv) {
        self.state().env = Some(env);
    }

    /// Returns whether the program has ended or is being stopped.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Waits for the end of the program.
    pub(super) async fn ended(self: Arc<Self>) {
        loop {
            // Create the future before the check, so that an end in between is not missed.
            let notified = self.end_notify.notified();
            if self.has_ended() {
                return;
            }
            notified.await;
        }
    }

    /// Sleeps without a timer, until `time` has passed or the program ends.
    pub(super) async fn sleep(&self, time: Duration) {
        let until = Instant::now().checked_add(time);
        let poll = |context: &mut Context<'_>| {
            if self.has_ended() || until.is_some_and(|until| until <= Instant::now()) {
                return Poll::Ready(());
            }
            // The same task also polls the future that this timeout limits.
            std::thread::sleep(RETRY_INTERVAL);
            context.waker().wake_by_ref();
            Poll::Pending
        };
        poll_fn(poll).await;
    }

    /// Counts a new thread until the guard is dropped; `None` if the program has ended.
    pub(super) fn register(self: &Arc<Self>) -> Option<ThreadGuard> {
        let mut state = self.state();
        if self.has_ended() {
            return None;
        }
        state.threads += 1;
        Some(ThreadGuard(Arc::clone(self)))
    }

    /// Adds the flag that stops a thread. Returns false, and adds nothing, if the program has ended.
    pub(super) fn add_flag(&self, thread: u32, flag: Option<StopFlag>) -> bool {
        let mut state = self.state();
        if self.has_ended() {
            return false;
        }
        if let Some(flag) = flag {
            state.flags.insert(thread, flag);
        }
        true
    }

    /// Removes the flag of a thread whose store is about to be dropped.
    pub(super) fn remove_flag(&self, thread: u32) {
        self.state().flags.remove(&thread);
    }

    /// Returns whether there are threads besides the caller's.
    pub(super) fn has_threads(&self) -> bool {
        self.state().threads > 0
    }

    /// Ends the program with the error of one of its threads.
    pub(super) fn end_with(&self, error: Error) {
        let mut state = self.state();
        if !self.has_ended() {
            state.error.get_or_insert(error);
        }
        drop(state);
        self.stop();
    }

    /// Takes the error with which a thread ended the program.
    pub(super) fn take_error(&self) -> Option<Error> {
        self.state().error.take()
    }

    /// Stops all threads, including the caller's, and ends their waits inside WASIX.
    pub(super) fn stop(&self) {
        let state = self.state();
        let first = !self.ended.swap(true, Ordering::SeqCst);
        for flag in state.flags.values() {
            flag.request_check();
        }
        let process = state.env.as_ref().map(|env| env.process.clone());
        let env = if first { state.env.clone() } else { None };
        drop(state);
        self.end_notify.notify_waiters();
        if let Some(process) = process {
            if first {
                process.terminate(ExitCode::from(STOPPED));
            }
            // This also ends waits on the shared memory.
            process.signal_process(Signal::Sigkill);
        }
        if let Some(env) = env {
            // Closing the files ends waits on pipes. It can block, so it gets its own thread; if that cannot be spawned,
            // waits on pipes continue.
            let close = move || {
                CLOSES_FILES.set(true);
                block_on(env.on_exit(Some(ExitCode::from(STOPPED))));
            };
            let _ = std::thread::Builder::new().name("wrun wasix".to_owned()).spawn(close);
        }
    }

    /// Waits at most `within` for all threads to end.
    pub(super) fn join(&self, within: Duration) {
        let start = Instant::now();
        let mut state = self.state();
        while state.threads > 0 && start.elapsed() < within {
            let waited = self.thread_exited.wait_timeout(state, RETRY_INTERVAL);
            let still_running = waited.unwrap_or_else(PoisonError::into_inner).0.threads > 0;
            if still_running {
                self.stop();
            }
            state = self.state();
        }
    }

    /// Ends the group of an instance that is being dropped.
    pub(super) fn clear(&self) {
        self.ended.store(true, Ordering::SeqCst);
        let mut state = self.state();
        state.flags.remove(&CALLER);
        let env = state.env.take();
        drop(state);
        drop(env);
    }
}

/// Counts one running thread.
pub(super) struct ThreadGuard(Arc<ThreadGroup>);

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        self.0.state().threads -= 1;
        self.0.thread_exited.notify_all();
    }
}

/// Interrupts a call by stopping all threads of its program.
#[derive(Debug)]
pub(super) struct ThreadGroupInterrupt {
    pub(super) thread_group: Arc<ThreadGroup>,
    /// Whether the program can start threads, which cannot be paused.
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

    fn runs_on(&self) -> bool {
        self.thread_group.has_threads()
    }
}
