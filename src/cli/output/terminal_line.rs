//! The line of a terminal that shows progress.

use std::io::{self, Write};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::TermLike;

/// Draws one line of indicatif on standard error, a terminal.
///
/// indicatif pads each line to the width of the terminal. A typed `^C` would then be echoed on the next line, and the text would
/// not be cleared. So the padding is left out. Auto-wrap (mode 7) is off during the text, so that a narrow terminal cuts it.
#[derive(Debug)]
pub(crate) struct TerminalLine {
    visible_from: Instant,
    pending: Mutex<String>,
}

impl TerminalLine {
    /// Creates a line that drops all output for `delay`.
    pub(crate) fn visible_after(delay: Duration) -> Self {
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
        if Instant::now() < self.visible_from { Ok(()) } else { io::stderr().write_all(text.as_bytes()) }
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
