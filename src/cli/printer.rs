//! The one place that writes: data to standard output, talk to standard error.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::failure::Failure;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// Writes data to standard output, all of it, at once. A reader that has gone is no failure.
pub(crate) fn data(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// What came of writing to standard output. A reader that has gone is no failure.
pub(crate) fn written(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Says something worth knowing that is no failure; `quiet` leaves it.
pub(crate) fn note(text: &str, quiet: bool) {
    if !quiet {
        let _ = writeln!(anstream::stderr().lock(), "{HINT}note:{HINT:#} {text}");
    }
}

/// Says what failed, where, and what can be done; `quiet` leaves it at what failed. Nobody is left to tell where
/// standard error is gone.
pub(crate) fn failure(failure: &Failure, quiet: bool) {
    let mut text = format!("{ERROR}error:{ERROR:#} {}\n", failure.message);
    if !quiet {
        let frames = failure.error.iter().flat_map(wrun::Error::backtrace);
        for frame in frames {
            text += &format!("  at {frame}\n");
        }
        for hint in &failure.hints {
            text += &format!("{HINT}hint:{HINT:#} {hint}\n");
        }
    }
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
