//! Standard input of the process, for all guests. Nothing is read ahead, so that other processes with the same input can read
//! the rest. A thread waits for input, but does not read it.

use std::io;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

static STDIN: Mutex<Waiting> = Mutex::new(Waiting { is_ready: false, thread_waits: false, tasks: Vec::new() });
/// Held during a read. The read blocks if another process takes the input first, so it must not hold the lock of `STDIN`.
static READING: Mutex<()> = Mutex::new(());
static REQUESTED: Condvar = Condvar::new();

/// The maximum number of waiting tasks. Some may be dropped already; at this number, all are woken and poll again.
const MAX_TASKS: usize = 1 << 10;

/// The tasks that wait for input.
struct Waiting {
    /// Whether a task has found input since the last read.
    is_ready: bool,
    thread_waits: bool,
    tasks: Vec<Waker>,
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
    if waiting.tasks.len() == MAX_TASKS {
        waiting.tasks.drain(..).for_each(Waker::wake);
    }
    if !waiting.tasks.iter().any(|waker| waker.will_wake(context.waker())) {
        waiting.tasks.push(context.waker().clone());
    }
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
    let Ok(_reading) = READING.try_lock() else { return Err(io::ErrorKind::WouldBlock.into()) };
    if !mem::take(&mut lock().is_ready) && !is_ready() {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    Ok(rustix::io::retry_on_intr(|| rustix::io::read(io::stdin(), &mut *buffer))?)
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
        waiting.tasks.drain(..).for_each(Waker::wake);
    }
}
