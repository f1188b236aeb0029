//! Errors for what the system refuses: memory, threads, files. Engines report it in texts and panics.

use std::any::Any;

use rustix::io::Errno;

use super::{Error, ErrorKind};
use crate::escape::Escaped;

impl Error {
    /// Creates an error for something that failed with a text from an engine. If the text says that the system refused
    /// memory, a thread or a file, the error is [`ErrorKind::Io`], else it has the kind `otherwise`.
    pub(crate) fn of_engine(otherwise: ErrorKind, what: &str, text: &str) -> Self {
        let refused = refusal(text);
        let error = Self::new(refused.map_or(otherwise, |_| ErrorKind::Io), format!("{what}: {}", Escaped(text)));
        match refused {
            None => error,
            Some(Errno::NOMEM) => error.with_hint(
                "raise the limit on address space (`ulimit -v`): each linear memory reserves several GiB, even if it is small",
            ),
            Some(Errno::AGAIN) => error.with_hint("raise the limit on threads (`ulimit -u`, or that of the container)"),
            Some(_) => error.with_hint("raise the limit on open files (`ulimit -n`)"),
        }
    }

    /// Creates an error for a caught panic: [`ErrorKind::Io`] if it panicked because the system refused memory, a thread or
    /// a file, else [`ErrorKind::Internal`]. `what` says where it panicked, as in "the compiler panicked".
    #[must_use]
    pub fn of_panic(what: &str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("no message");
        match refusal(text) {
            Some(errno) => Self::of_engine(ErrorKind::Io, "the system has too few resources", &errno.to_string()),
            None => Self::new(ErrorKind::Internal, format!("{what}: {text}")),
        }
    }
}

/// Finds in an engine's text that the system refused memory, a thread or a file.
fn refusal(text: &str) -> Option<Errno> {
    // As `Display` and `Debug` write an `io::Error`.
    let code = ["(os error ", "Os { code: "].iter().find_map(|before| {
        let (_, rest) = text.split_once(before)?;
        rest.split(|end: char| !end.is_ascii_digit()).next()?.parse().ok()
    })?;
    let errno = Errno::from_raw_os_error(code);
    matches!(errno, Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE).then_some(errno)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn refusals_of_the_system_are_found_in_texts() {
        let out_of_memory = io::Error::from(Errno::NOMEM);
        for text in [format!("cannot map: {out_of_memory}"), format!("`Err` value: Broken({out_of_memory:?})")] {
            assert_eq!(refusal(&text), Some(Errno::NOMEM), "{text}");
        }
        assert_eq!(refusal(&io::Error::from(Errno::NOENT).to_string()), None);
        assert_eq!(refusal("(os error 12) "), Some(Errno::NOMEM));
        assert_eq!(refusal("(os error x)"), None);
    }
}
