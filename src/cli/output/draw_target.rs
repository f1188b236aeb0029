//! Where indicatif draws its line: standard error, a terminal or not.

use std::io::{self, Write};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::TermLike;
use wrun::stdio::Blocking;

use super::printer;

/// Draws one line of indicatif on standard error.
///
/// indicatif pads each line to the width of the terminal. A typed `^C` would then be echoed on the next line, and the text
/// would not be cleared. So the padding is left out. Auto-wrap (mode 7) is off during the text, so that a narrow terminal cuts
/// it.
#[derive(Debug)]
pub(super) struct DrawTarget {
    /// The time between two lines, if standard error is not a terminal that can clear one.
    interval: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pending: String,
    visible_from: Instant,
}

impl DrawTarget {
    /// Creates a line on a terminal, which drops all output for `delay`.
    pub(super) fn terminal(delay: Duration) -> Self {
        Self::new(None, delay)
    }

    /// Creates a target that prints a new line after each `interval`, and drops all others.
    pub(super) fn lines(interval: Duration) -> Self {
        Self::new(Some(interval), interval)
    }

    fn new(interval: Option<Duration>, delay: Duration) -> Self {
        Self { interval, state: Mutex::new(State { pending: String::new(), visible_from: Instant::now() + delay }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TermLike for DrawTarget {
    fn width(&self) -> u16 {
        80
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let is_padding = text.trim().is_empty();
        if !is_padding {
            self.state().pending += &match self.interval {
                Some(_) => text.to_owned(),
                None => format!("\x1b[?7l{text}\x1b[?7h"),
            };
        }
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        if self.interval.is_none() {
            self.state().pending += "\r\x1b[K";
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let (mut state, now) = (self.state(), Instant::now());
        let text = mem::take(&mut state.pending);
        if now < state.visible_from || text.is_empty() {
            return Ok(());
        }
        let Some(interval) = self.interval else { return Blocking(io::stderr()).write_all(text.as_bytes()) };
        state.visible_from = now + interval;
        printer::progress(text.trim_end());
        Ok(())
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
