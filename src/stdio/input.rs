//! Standard input of the process, for all guests. Nothing is read ahead, so that other processes with the same input can read
//! the rest. A thread waits for input, but does not read it.

use std::io;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

static STDIN: Mutex<Waiting> =
    Mutex::new(Waiting { is_ready: false, is_read: false, thread_waits: false, tasks: Vec::new() });
static REQUESTED: Condvar = Condvar::new();

/// The maximum number of waiting tasks. Some may be dropped already; at this number, all are woken and poll again.
const MAX_TASKS: usize = 1 << 10;

/// The tasks that wait for input.
struct Waiting {
    /// Whether a task has found input since the last read.
    is_ready: bool,
    /// Whether a read runs. It blocks if another process takes the input first, so it does not hold the lock.
    is_read: bool,
    thread_waits: bool,
    tasks: Vec<Waker>,
}

impl Waiting {
    fn add(&mut self, context: &Context<'_>) {
        if self.tasks.len() == MAX_TASKS {
            self.wake_all();
        }
        if !self.tasks.iter().any(|waker| waker.will_wake(context.waker())) {
            self.tasks.push(context.waker().clone());
        }
    }

    fn wake_all(&mut self) {
        self.tasks.drain(..).for_each(Waker::wake);
    }
}

fn lock() -> MutexGuard<'static, Waiting> {
    STDIN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns ready if a read returns at once, with bytes, end of file or an error. If not, wakes the task later.
///
/// # Errors
/// If the thread cannot be started.
pub(crate) fn poll_ready(context: &mut Context<'_>) -> Poll<io::Result<()>> {
    let mut waiting = lock();
    waiting.is_ready = is_ready();
    if waiting.is_ready {
        return Poll::Ready(Ok(()));
    }
    if let Err(error) = start() {
        return Poll::Ready(Err(error));
    }
    waiting.add(context);
    if !waiting.thread_waits {
        waiting.thread_waits = true;
        REQUESTED.notify_one();
    }
    Poll::Pending
}

/// Reads at most as many bytes as fit.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] if there is no input, for example because another thread has read it.
pub(crate) fn read(buffer: &mut [u8]) -> io::Result<usize> {
    let mut waiting = lock();
    if waiting.is_read || (!mem::take(&mut waiting.is_ready) && !is_ready()) {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    waiting.is_read = true;
    drop(waiting);
    let read = rustix::io::retry_on_intr(|| rustix::io::read(io::stdin(), &mut *buffer));
    let mut waiting = lock();
    waiting.is_read = false;
    waiting.wake_all();
    Ok(read?)
}

/// Wakes a task, once no other thread reads: its own read would have blocked.
pub(crate) fn wake_after_read(context: &Context<'_>) {
    let mut waiting = lock();
    if waiting.is_read {
        waiting.add(context);
    } else {
        context.waker().wake_by_ref();
    }
}

/// Returns whether a read returns at once.
fn is_ready() -> bool {
    poll_input(Some(&Timespec::default()))
}

/// Waits for input for at most `time`, and returns whether there is any. An error counts as input, since a read reports it.
fn poll_input(time: Option<&Timespec>) -> bool {
    loop {
        match poll(&mut [PollFd::new(&io::stdin(), PollFlags::IN)], time) {
            Err(Errno::INTR) => {}
            Ok(ready) => return ready > 0,
            Err(_) => return true,
        }
    }
}

/// Starts the thread on the first call.
fn start() -> io::Result<()> {
    static STARTED: OnceLock<bool> = OnceLock::new();
    let spawn = || std::thread::Builder::new().name("wrun stdin".to_owned()).spawn(wait_for_input).is_ok();
    if *STARTED.get_or_init(spawn) {
        Ok(())
    } else {
        Err(io::Error::other("cannot spawn a thread to wait for standard input"))
    }
}

fn wait_for_input() {
    loop {
        let mut waiting = lock();
        while !waiting.thread_waits {
            waiting = REQUESTED.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        drop(waiting);
        poll_input(None);
        let mut waiting = lock();
        waiting.thread_waits = false;
        waiting.wake_all();
    }
}
