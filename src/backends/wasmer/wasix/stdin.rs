//! The process's standard input, awaited: one thread reads it ahead for all guests, a buffer at a time.

use std::io::{self, BufRead, Read};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

static STDIN: Mutex<Ahead> = Mutex::new(Ahead { state: State::Unknown, waiting: Vec::new() });
static ASKED: Condvar = Condvar::new();

/// What is known of the input, and who waits to know more.
struct Ahead {
    state: State,
    waiting: Vec<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing.
    Unknown,
    /// The thread is to find out, or is waiting for input.
    Reading,
    /// There are bytes in the buffer of [`io::stdin`], the input is at its end, or it failed: it can be read at once.
    Ready,
}

fn ahead() -> MutexGuard<'static, Ahead> {
    STDIN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether standard input can be read at once; where not, whoever asks is woken later.
pub(super) fn poll_ready(context: &mut Context<'_>) -> Poll<io::Result<()>> {
    let mut ahead = ahead();
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
        ASKED.notify_one();
    }
    Poll::Pending
}

/// Reads what is there, once it is ready.
pub(super) fn read(buffer: &mut [u8]) -> io::Result<usize> {
    let read = io::stdin().lock().read(buffer);
    // At its end, and where bytes are left, it is for the thread to say so again.
    ahead().state = State::Unknown;
    read
}

/// Has the thread run.
fn start() -> io::Result<()> {
    static STARTED: OnceLock<bool> = OnceLock::new();
    let spawn = || std::thread::Builder::new().name("wrun stdin".to_owned()).spawn(read_ahead).is_ok();
    if *STARTED.get_or_init(spawn) { Ok(()) } else { Err(io::Error::other("no thread to read standard input")) }
}

fn read_ahead() {
    loop {
        let mut asked = ahead();
        while asked.state != State::Reading {
            asked = ASKED.wait(asked).unwrap_or_else(PoisonError::into_inner);
        }
        drop(asked);
        // A failure is found again by whoever reads.
        let _ = io::stdin().lock().fill_buf();
        let mut ahead = ahead();
        ahead.state = State::Ready;
        ahead.waiting.drain(..).for_each(Waker::wake);
    }
}
