//! Asynchronous standard input of the process: one thread fills its buffer for all guests.

use std::io::{self, BufRead, Read};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

static STDIN: Mutex<ReadAhead> = Mutex::new(ReadAhead { state: State::Unknown, waiting: Vec::new() });
static REQUESTED: Condvar = Condvar::new();

/// The state of the input and the tasks that wait for it.
struct ReadAhead {
    state: State,
    waiting: Vec<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Whether there is input is unknown.
    Unknown,
    /// The thread waits for input.
    Reading,
    /// A read returns at once: with bytes from the buffer of [`io::stdin`], the end of file, or an error.
    Ready,
}

fn lock() -> MutexGuard<'static, ReadAhead> {
    STDIN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether a read returns at once; if not, wakes the task later.
pub(super) fn poll_ready(context: &mut Context<'_>) -> Poll<io::Result<()>> {
    let mut ahead = lock();
    if ahead.state == State::Ready {
        return Poll::Ready(Ok(()));
    }
    if let Err(error) = start() {
        return Poll::Ready(Err(error));
    }
    if !ahead.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
        ahead.waiting.push(context.waker().clone());
    }
    if ahead.state == State::Unknown {
        ahead.state = State::Reading;
        REQUESTED.notify_one();
    }
    Poll::Pending
}

/// Reads after [`poll_ready`] returned ready.
pub(super) fn read(buffer: &mut [u8]) -> io::Result<usize> {
    let read = io::stdin().lock().read(buffer);
    // Bytes may be left, or the end reached; the thread finds out.
    lock().state = State::Unknown;
    read
}

/// Starts the thread on the first call.
fn start() -> io::Result<()> {
    static STARTED: OnceLock<bool> = OnceLock::new();
    let spawn = || std::thread::Builder::new().name("wrun stdin".to_owned()).spawn(read_ahead).is_ok();
    if *STARTED.get_or_init(spawn) {
        Ok(())
    } else {
        Err(io::Error::other("cannot spawn a thread to read standard input"))
    }
}

fn read_ahead() {
    loop {
        let mut ahead = lock();
        while ahead.state != State::Reading {
            ahead = REQUESTED.wait(ahead).unwrap_or_else(PoisonError::into_inner);
        }
        drop(ahead);
        // A read returns the error again.
        let _ = io::stdin().lock().fill_buf();
        let mut ahead = lock();
        ahead.state = State::Ready;
        ahead.waiting.drain(..).for_each(Waker::wake);
    }
}
