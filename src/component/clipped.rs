//! Shortens types in messages: a small component can declare a type whose text takes gigabytes.

use std::fmt::{self, Write as _};

/// The most bytes of a type or a name that are displayed.
pub(crate) const MAX_SHOWN: usize = 256;

/// Displays a type or a signature without the end of a very long one, which is not even formatted.
pub(crate) struct Clipped<'a, T>(pub(crate) &'a T);

impl<T: fmt::Display> fmt::Display for Clipped<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut start = Start(String::new());
        let is_whole = write!(start, "{}", self.0).is_ok();
        f.write_str(&start.0)?;
        if is_whole { Ok(()) } else { f.write_str("…") }
    }
}

/// Takes the start of a text, and fails when it is full.
struct Start(String);

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.floor_char_boundary(MAX_SHOWN - self.0.len());
        self.0.push_str(&text[..end]);
        if end == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}
