//! Errors if the system refuses memory, threads or files. Engines report this only in error texts and panics.

use std::any::Any;

use rustix::io::Errno;

use super::{Error, ErrorKind};
use crate::escape::Escaped;

impl Error {
    /// Creates an error from an engine's error text. If the text says that the system refused memory, a thread or a file, the
    /// error is [`ErrorKind::Io`], else it has the kind `otherwise`.
    pub(crate) fn of_engine(otherwise: ErrorKind, what: &str, text: &str) -> Self {
        let refused = refusal(text);
        let error = Self::new(refused.map_or(otherwise, |_| ErrorKind::Io), format!("{what}: {}", Escaped(text)));
        match refused {
            None => error,
            Some(Errno::NOMEM) => error.with_hint("raise the limit on address space (`ulimit -v`)"),
            Some(Errno::AGAIN) => error
                .with_hint("raise the limit on threads (`ulimit -u`, or that of the container)")
                .with_hint("or on address space (`ulimit -v`): a thread needs a stack"),
            Some(_) => error.with_hint("raise the limit on open files (`ulimit -n`)"),
        }
    }

    /// Like [`Error::of_engine`], for an operation that creates a linear memory.
    pub(crate) fn of_instantiation(otherwise: ErrorKind, what: &str, text: &str) -> Self {
        let error = Self::of_engine(otherwise, what, text);
        match refusal(text) {
            Some(Errno::NOMEM) => error.with_hint("each linear memory reserves several GiB, even if it is small"),
            _ => error,
        }
    }

    /// Creates an error for a caught panic: [`ErrorKind::Io`] if the system refused memory, a thread or a file, else
    /// [`ErrorKind::Internal`]. `what` describes the panic, as in "the compiler panicked".
    #[must_use]
    pub fn of_panic(what: &str, panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("no message");
        match refusal(text) {
            Some(errno) => Self::of_engine(ErrorKind::Io, what, &errno.to_string()),
            None => Self::new(ErrorKind::Internal, format!("{what}: {text}")),
        }
    }
}

/// Returns the errno in an engine's error text if the system refused memory, a thread or a file.
fn refusal(text: &str) -> Option<Errno> {
    // The `Display` and `Debug` formats of `io::Error`.
    let code = ["(os error ", "Os { code: "].iter().find_map(|before| {
        let (_, rest) = text.split_once(before)?;
        rest.split(|end: char| !end.is_ascii_digit()).next()?.parse::<i32>().ok()
    })?;
    [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE].into_iter().find(|errno| errno.raw_os_error() == code)
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
        let panicked = Error::of_panic("the compiler panicked", &format!("{out_of_memory:?}"));
        assert_eq!(
            (panicked.kind(), panicked.hints()),
            (ErrorKind::Io, &["raise the limit on address space (`ulimit -v`)".into()][..])
        );
        assert!(panicked.message().starts_with("the compiler panicked: "), "{panicked}");
        for code in ["0", "70000", "99999999999", "x", ""] {
            assert_eq!(refusal(&format!("(os error {code})")), None, "{code}");
        }
    }
}
