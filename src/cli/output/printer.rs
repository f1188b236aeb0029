//! Prints data to standard output and messages to standard error.

use std::io::{self, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use rustix::termios::tcgetwinsize;
use wrun::escape::EscapedText;
use wrun::stdio::Blocking;
use wrun::stdio::stdout_is_mid_line;

use crate::cli::args::OutputFormat;
use crate::cli::failure::Failure;
use crate::cli::output::backtrace;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// Writes data to standard output. A closed pipe is not a failure.
pub(crate) fn data(bytes: &[u8]) -> Result<(), Failure> {
    check(Blocking(io::stdout()).write_all(bytes))
}

/// Writes a result to standard output. Begins a new line if the guest's output did not end with one, except for MessagePack.
pub(crate) fn result(bytes: &[u8], format: OutputFormat) -> Result<(), Failure> {
    if begins_new_line(format) {
        data(b"\n")?;
    }
    data(bytes)
}

/// Returns whether a result in this format needs a line break first, because the guest's output did not end with one.
pub(crate) fn begins_new_line(format: OutputFormat) -> bool {
    format != OutputFormat::Msgpack && stdout_is_mid_line()
}

/// Returns the width of the terminal on standard output, if it is one.
pub(crate) fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_col > 0)?;
    Some(size.ws_col.into())
}

/// Checks the result of writing to standard output. A closed pipe is not a failure.
pub(crate) fn check(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Prints a note, unless `quiet`.
pub(crate) fn note(text: &str, quiet: bool) {
    if !quiet {
        message(&format!("{HINT}note:{HINT:#} {}\n", EscapedText(text)));
    }
}

/// Prints a line of progress.
pub(crate) fn progress(line: &str) {
    message(&format!("{line}\n"));
}

/// Prints an error with its backtrace and hints, or only the error if `quiet`. Returns the exit code.
pub(crate) fn failure(failure: &Failure, quiet: bool) -> u8 {
    let mut text = format!("{ERROR}error:{ERROR:#} {}\n", EscapedText(&failure.message));
    if !quiet {
        for frame in backtrace::lines(failure.error.as_ref().map(wrun::Error::backtrace).unwrap_or_default()) {
            text += &format!("  at {frame}\n");
        }
        if failure.error.as_ref().is_some_and(wrun::Error::backtrace_is_truncated) {
            text += "  and more frames\n";
        }
        for hint in &failure.hints {
            text += &format!("{HINT}hint:{HINT:#} {}\n", EscapedText(hint));
        }
    }
    message(&text);
    failure.exit_code
}

/// Prints a message with or without its colors. A failure to do so has no other place to be reported.
fn message(text: &str) {
    let text = match AutoStream::choice(&io::stderr()) {
        ColorChoice::Never => strip_str(text).to_string(),
        _ => text.to_owned(),
    };
    let _ = Blocking(io::stderr()).write_all(text.as_bytes());
}
