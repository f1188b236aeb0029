//! A sign of life on standard error while a large module compiles.

use std::cell::RefCell;
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wrun::session::Event;

use crate::cli::args::When;

/// How long a terminal is left alone.
const PATIENCE: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(100);
/// What compiles within [`PATIENCE`] on any machine, in bytes: no thread is started for less.
const SMALL: usize = 64 << 10;

/// Shows events: a spinner on a terminal, plain lines elsewhere, nothing where nothing is wanted.
pub(crate) struct Progress {
    mode: Mode,
    running: RefCell<Option<Running>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Silent,
    Spinner(Duration),
    Lines,
}

enum Running {
    Spinner(Sender<()>, JoinHandle<()>),
    Line(Instant),
}

impl Progress {
    /// Progress as asked for: `auto` is a spinner on a terminal after 300 ms, `always` one at once, or lines where
    /// standard error is no terminal.
    pub(crate) fn new(when: When) -> Self {
        let mode = match (when, std::io::stderr().is_terminal()) {
            (When::Never, _) | (When::Auto, false) => Mode::Silent,
            (When::Auto, true) => Mode::Spinner(PATIENCE),
            (When::Always, true) => Mode::Spinner(Duration::ZERO),
            (When::Always, false) => Mode::Lines,
        };
        Self { mode, running: RefCell::new(None) }
    }

    /// Whether anything is drawn that would have to be wiped.
    pub(crate) fn may_draw(when: When) -> bool {
        when != When::Never && std::io::stderr().is_terminal()
    }

    /// Wipes what is drawn, for a process that ends in the midst of it.
    pub(crate) fn wipe(when: When) {
        if Self::may_draw(when) {
            let _ = std::io::stderr().lock().write_all(b"\r\x1b[K");
        }
    }

    /// Shows one event.
    pub(crate) fn show(&self, event: Event) {
        match event {
            Event::Compiling(bytes) => *self.running.borrow_mut() = self.start(bytes),
            Event::Compiled => self.running.borrow_mut().take().into_iter().for_each(Running::stop),
            _ => {}
        }
    }

    fn start(&self, bytes: usize) -> Option<Running> {
        let what = format!("compiling {}", bytesize::ByteSize::b(bytes as u64));
        match self.mode {
            Mode::Silent => None,
            Mode::Spinner(patience) if patience > Duration::ZERO && bytes < SMALL => None,
            Mode::Spinner(patience) => Some(spin(patience, what)),
            Mode::Lines => {
                say(&what);
                Some(Running::Line(Instant::now()))
            }
        }
    }
}

impl Running {
    fn stop(self) {
        match self {
            Self::Spinner(done, thread) => {
                drop(done);
                let _ = thread.join();
            }
            Self::Line(since) => say(&format!("compiled in {:.1} s", since.elapsed().as_secs_f64())),
        }
    }
}

/// Waits in a thread of its own, then spins until the sender is dropped.
fn spin(patience: Duration, what: String) -> Running {
    let (done, ended) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        if ended.recv_timeout(patience) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
            bar.tick();
        }
        bar.finish_and_clear();
    });
    Running::Spinner(done, thread)
}

fn say(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}
