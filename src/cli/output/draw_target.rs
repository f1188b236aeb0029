//! Where indicatif draws its line: standard error, a terminal or not. Other text on the terminal clears the line first.

use std::io::{self, IsTerminal};
use std::mem;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::TermLike;
use rustix::termios::tcgetwinsize;
use wrun::stdio::{Blocking, StandardStream, set_write_hook};

use super::printer;

/// Clears a line.
const CLEAR: &str = "\r\x1b[K";

/// The line of the terminal that has the cursor.
static TERMINAL: Mutex<Terminal> = Mutex::new(Terminal { shows_progress: false, is_mid_line: false });

struct Terminal {
    /// Whether it is progress.
    shows_progress: bool,
    /// Whether it is other text, such as a guest's message without a newline yet. Progress waits for its end.
    is_mid_line: bool,
}

fn terminal() -> MutexGuard<'static, Terminal> {
    TERMINAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clears progress before other text is written to the terminal. indicatif draws it again below the text.
fn write_above_progress(
    stream: StandardStream,
    bytes: &[u8],
    write: &mut dyn FnMut() -> io::Result<usize>,
) -> io::Result<usize> {
    static STDOUT_IS_TERMINAL: LazyLock<bool> = LazyLock::new(|| io::stdout().is_terminal());
    if stream == StandardStream::Output && !*STDOUT_IS_TERMINAL {
        return write();
    }
    let mut terminal = terminal();
    if mem::take(&mut terminal.shows_progress) {
        // If this fails, there is nothing to clear.
        let _ = Blocking(io::stderr()).write_all_unhooked(CLEAR.as_bytes());
    }
    let written = write()?;
    if let Some(last) = bytes[..written].last() {
        terminal.is_mid_line = *last != b'\n';
    }
    Ok(written)
}

/// Draws one line of indicatif on standard error.
///
/// indicatif pads each line to the width of the terminal. A typed `^C` would then be echoed on the next line, and the text
/// would not be cleared. So the padding is left out, and the text is cut to leave room for `^C`. Auto-wrap (mode 7) is off
/// during the text, since the terminal may have become narrower.
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
        set_write_hook(write_above_progress);
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

/// Returns the maximum length of progress. Each of its characters takes one column.
fn max_columns() -> usize {
    match tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col).saturating_sub("^C".len()),
        _ => usize::MAX,
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
                None => format!("\x1b[?7l{}\x1b[?7h", text.chars().take(max_columns()).collect::<String>()),
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
            let mut terminal = terminal();
            let shows_progress = !text.ends_with(CLEAR);
            if terminal.is_mid_line || (!shows_progress && !terminal.shows_progress) {
                return Ok(());
            }
            terminal.shows_progress = shows_progress;
            return Blocking(io::stderr()).write_all_unhooked(text.as_bytes());
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
