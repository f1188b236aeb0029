//! Shows on standard error that a large module is being compiled.

use std::io::{self, IsTerminal, Write};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use wrun::session::Event;
use wrun::stdio::Blocking;

use super::printer;
use crate::cli::args::When;

/// How long a compilation takes before `auto` shows a spinner.
const DELAY: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(100);
/// Modules of fewer bytes compile within [`DELAY`] on any machine, so `auto` starts no thread for them.
const SMALL: usize = 64 << 10;

/// Shows compilations: a spinner on a terminal, lines elsewhere, or nothing.
pub(crate) struct Progress {
    mode: Mode,
    state: Mutex<State>,
}

enum Mode {
    Silent,
    Spinner { delay: Duration },
    Lines,
}

enum State {
    Idle,
    Spinner(ProgressBar),
    Line { started: Instant },
    Ended,
}

impl Progress {
    /// `auto` is a spinner on a terminal after a delay, unless `quiet`. `always` is a spinner at once, or lines if standard
    /// error is not a terminal that can clear a line.
    pub(crate) fn new(when: When, quiet: bool) -> Self {
        let can_clear_line = io::stderr().is_terminal()
            && std::env::var_os("TERM").is_some_and(|kind| !kind.is_empty() && kind != "dumb");
        let mode = match (when, can_clear_line) {
            (When::Auto, true) if !quiet => Mode::Spinner { delay: DELAY },
            (When::Always, true) => Mode::Spinner { delay: Duration::ZERO },
            (When::Always, false) => Mode::Lines,
            (When::Auto | When::Never, _) => Mode::Silent,
        };
        Self { mode, state: Mutex::new(State::Idle) }
    }

    /// Returns whether a spinner may be drawn, which must be cleared before the process ends.
    pub(crate) fn may_draw(&self) -> bool {
        matches!(self.mode, Mode::Spinner { .. })
    }

    /// Updates the display from an event of a session.
    pub(crate) fn observe(&self, event: Event) {
        let mut state = self.state();
        match (event, &*state) {
            (Event::Compiling { bytes }, State::Idle) => *state = self.start(bytes),
            (Event::Compiled, State::Spinner(bar)) => {
                bar.finish_and_clear();
                *state = State::Idle;
            }
            (Event::Compiled, State::Line { started }) => {
                printer::progress(&format!("compiled in {:.1} s", started.elapsed().as_secs_f64()));
                *state = State::Idle;
            }
            _ => {}
        }
    }

    /// Clears the spinner and stops drawing.
    pub(crate) fn end(&self) {
        if let State::Spinner(bar) = mem::replace(&mut *self.state(), State::Ended) {
            bar.finish_and_clear();
        }
    }

    fn start(&self, bytes: usize) -> State {
        let size = bytesize::ByteSize::b(bytes as u64);
        match self.mode {
            Mode::Spinner { delay } if delay.is_zero() || bytes >= SMALL => {
                spinner(size.to_string(), delay).map_or(State::Idle, State::Spinner)
            }
            Mode::Lines => {
                printer::progress(&format!("compiling {size}"));
                State::Line { started: Instant::now() }
            }
            Mode::Silent | Mode::Spinner { .. } => State::Idle,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a spinner. Returns `None` if the system cannot create its thread: indicatif panics then.
fn spinner(size: String, delay: Duration) -> Option<ProgressBar> {
    let target = ProgressDrawTarget::term_like(Box::new(TerminalLine::visible_after(delay)));
    let bar = ProgressBar::with_draw_target(None, target);
    let style = ProgressStyle::with_template("{spinner} compiling {msg}, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()).tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
    bar.set_message(size);
    panic::catch_unwind(AssertUnwindSafe(|| bar.enable_steady_tick(TICK))).ok()?;
    Some(bar)
}

/// Draws one line of indicatif on standard error, a terminal.
///
/// indicatif pads each line to the width of the terminal. A typed `^C` would then be echoed on the next line, and the text
/// would not be cleared. So the padding is left out. Auto-wrap (mode 7) is off during the text, so that a narrow terminal cuts
/// it.
#[derive(Debug)]
struct TerminalLine {
    visible_from: Instant,
    pending: Mutex<String>,
}

impl TerminalLine {
    /// Creates a line that drops all output for `delay`.
    fn visible_after(delay: Duration) -> Self {
        Self { visible_from: Instant::now() + delay, pending: Mutex::default() }
    }

    fn pending(&self) -> MutexGuard<'_, String> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for TerminalLine {
    fn width(&self) -> u16 {
        80
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let is_padding = text.trim().is_empty();
        if !is_padding {
            *self.pending() += &format!("\x1b[?7l{text}\x1b[?7h");
        }
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        *self.pending() += "\r\x1b[K";
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let text = mem::take(&mut *self.pending());
        if Instant::now() < self.visible_from { Ok(()) } else { Blocking(io::stderr()).write_all(text.as_bytes()) }
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
}
