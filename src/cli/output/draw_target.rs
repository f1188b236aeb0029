//! Where indicatif draws its line: standard error, a terminal or not. Other text on the terminal clears the line first.

use std::io::{self, Write};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::TermLike;
use wrun::stdio::Blocking;

use super::printer;

/// Clears a line.
const CLEAR: &str = "\r\x1b[K";

/// Whether a terminal shows a line now.
static IS_SHOWN: Mutex<bool> = Mutex::new(false);

/// Writes to a stream that may share the terminal with a line of progress. Clears the line first. indicatif draws it again below
/// the text, so each write should end with a newline.
#[derive(Debug)]
pub(crate) struct AboveProgress<W>(pub(crate) W);

impl<W: Write> AboveProgress<W> {
    fn above_line<T>(&mut self, write: impl FnOnce(&mut W) -> T) -> T {
        let mut is_shown = IS_SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if mem::take(&mut *is_shown) {
            // If this fails, there is nothing to clear.
            let _ = Blocking(io::stderr()).write_all(CLEAR.as_bytes());
        }
        write(&mut self.0)
    }
}

impl<W: Write> Write for AboveProgress<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.above_line(|stream| stream.write(bytes))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.above_line(|stream| stream.write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

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
            self.state().pending += CLEAR;
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let (mut state, now) = (self.state(), Instant::now());
        let text = mem::take(&mut state.pending);
        if now < state.visible_from || text.is_empty() {
            return Ok(());
        }
        let Some(interval) = self.interval else {
            let mut is_shown = IS_SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
            *is_shown = !text.ends_with(CLEAR);
            return Blocking(io::stderr()).write_all(text.as_bytes());
        };
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
