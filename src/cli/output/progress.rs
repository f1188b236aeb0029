//! A sign of life on standard error while a large module compiles.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wrun::session::Event;

use crate::cli::args::When;

/// How long a terminal is left alone.
const PATIENCE: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(100);
/// What compiles within [`PATIENCE`] on any machine, in bytes: no thread is started for less.
const SMALL: usize = 64 << 10;

/// What the spinner looks like, one tick after the other.
const LOOKS: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Shows events: a spinner on a terminal, plain lines elsewhere, nothing where nothing is wanted.
pub(crate) struct Progress {
    mode: Mode,
    line: Arc<Mutex<Line>>,
    running: Mutex<Option<Running>>,
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
    /// standard error is no terminal, or one that cannot take back what it shows; `auto` is nothing where only what fails is to
    /// be said.
    pub(crate) fn new(when: When, quiet: bool) -> Self {
        let mode = match (when, draws_on_stderr()) {
            (When::Auto, _) if quiet => Mode::Silent,
            (When::Never, _) | (When::Auto, false) => Mode::Silent,
            (When::Auto, true) => Mode::Spinner(PATIENCE),
            (When::Always, true) => Mode::Spinner(Duration::ZERO),
            (When::Always, false) => Mode::Lines,
        };
        Self { mode, line: Arc::default(), running: Mutex::default() }
    }

    /// Whether anything is drawn that would have to be wiped.
    pub(crate) fn may_draw(&self) -> bool {
        matches!(self.mode, Mode::Spinner(_))
    }

    /// Wipes what is drawn, and draws no more: for a process that ends in the midst of it. What a guest wrote stays.
    pub(crate) fn end(&self) {
        lock(&self.line).end();
    }

    /// Shows one event.
    pub(crate) fn show(&self, event: Event) {
        match event {
            Event::Compiling { bytes } => *lock(&self.running) = self.start(bytes),
            Event::Compiled => {
                let running = lock(&self.running).take();
                running.into_iter().for_each(Running::stop);
            }
            _ => {}
        }
    }

    fn start(&self, bytes: usize) -> Option<Running> {
        let what = format!("compiling {}", bytesize::ByteSize::b(bytes as u64));
        match self.mode {
            Mode::Silent => None,
            Mode::Spinner(patience) if patience > Duration::ZERO && bytes < SMALL => None,
            Mode::Spinner(patience) => Some(spin(patience, what, Arc::clone(&self.line))),
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

/// The terminal's last line, which the thread that spins and whoever ends the process both write to.
#[derive(Default)]
struct Line {
    drawn: bool,
    ended: bool,
}

impl Line {
    /// Draws over what is drawn. The cursor stays behind the text, so that a `^C` that is typed is shown there, and wiped with
    /// it; what does not fit is cut off (`?7` is the terminal's own wrapping), since a second line would stay.
    fn draw(&mut self, text: &str) {
        if !self.ended {
            self.drawn = true;
            write(&format!("\r\x1b[K\x1b[?7l{text}\x1b[?7h"));
        }
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.drawn) {
            write("\r\x1b[K");
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.wipe();
    }
}

/// Waits in a thread of its own, then spins until the sender is dropped.
fn spin(patience: Duration, what: String, line: Arc<Mutex<Line>>) -> Running {
    let (done, ended) = mpsc::channel::<()>();
    let since = Instant::now();
    let thread = std::thread::spawn(move || {
        let goes_on = |time| ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
        let mut looks = LOOKS.iter().cycle();
        let mut wait = patience;
        while goes_on(wait) {
            let look = looks.next().unwrap_or(&' ');
            lock(&line).draw(&format!("{look} {what}, {} s", since.elapsed().as_secs()));
            wait = TICK;
        }
        lock(&line).wipe();
    });
    Running::Spinner(done, thread)
}

/// Whether standard error is a terminal that can take back what it shows.
fn draws_on_stderr() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|kind| !kind.is_empty() && kind != "dumb")
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn say(line: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{line}");
}
