//! Strings chosen by a guest, made safe to print.

use std::fmt::{self, Write as _};
use std::path::Path;

/// The maximum number of characters of a string that is displayed in full. Symbols of C++ and Rust are rarely longer.
const MAX_CHARS: usize = 256;

/// The number of characters at the start of a longer string that are displayed.
const HEAD_CHARS: usize = 160;

/// The number of characters at its end that are displayed.
const TAIL_CHARS: usize = 40;

/// Displays a guest's string with control and formatting characters escaped, so that it can neither control a terminal
/// nor imitate a line of wrun's own output. The middle of a long string is replaced by `…`, and its length follows:
/// `aaaa…aaaa (99000 bytes)`. The empty string is displayed as `""`.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'n>(pub &'n str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        if text.is_empty() {
            return f.write_str("\"\"");
        }
        if text.chars().nth(MAX_CHARS).is_none() {
            return write_escaped(f, text.chars());
        }
        write_escaped(f, text.chars().take(HEAD_CHARS))?;
        f.write_char('…')?;
        let tail = text.char_indices().rev().nth(TAIL_CHARS - 1).map_or(0, |(start, _)| start);
        write_escaped(f, text[tail..].chars())?;
        write!(f, " ({} bytes)", text.len())
    }
}

/// Displays a guest's text of several lines in full, with control and formatting characters escaped except line feeds.
#[derive(Clone, Copy, Debug)]
pub struct EscapedText<'t>(pub &'t str);

impl fmt::Display for EscapedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.split('\n').enumerate() {
            if index > 0 {
                f.write_char('\n')?;
            }
            write_escaped(f, line.chars())?;
        }
        Ok(())
    }
}

/// Displays a path in full, with control and formatting characters escaped.
#[derive(Clone, Copy, Debug)]
pub struct EscapedPath<'p>(pub &'p Path);

impl fmt::Display for EscapedPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(f, self.0.to_string_lossy().chars())
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: impl Iterator<Item = char>) -> fmt::Result {
    for c in text {
        if c.is_control() || is_formatting(c) {
            write!(f, "{}", c.escape_unicode())?;
        } else {
            f.write_char(c)?;
        }
    }
    Ok(())
}

/// Returns whether a character changes how others are displayed: direction marks, embeddings, overrides and isolates (Unicode
/// Standard Annex 9), line and paragraph separators, and characters of no width.
#[must_use]
pub fn is_formatting(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_control_and_formatting_characters_are_escaped() {
        assert_eq!(Escaped("add_größe").to_string(), "add_größe");
        assert_eq!(Escaped("\x1b[2J\n\0").to_string(), "\\u{1b}[2J\\u{a}\\u{0}");
        assert_eq!(Escaped("a\u{202e}b").to_string(), "a\\u{202e}b");
    }

    #[test]
    fn the_empty_string_is_visible() {
        assert_eq!(Escaped("").to_string(), "\"\"");
    }

    #[test]
    fn text_keeps_its_lines() {
        let long = "x".repeat(MAX_CHARS + 1);
        assert_eq!(EscapedText(&format!("{long}\n\n\x1b{{\r")).to_string(), format!("{long}\n\n\\u{{1b}}{{\\u{{d}}"));
    }

    #[test]
    fn the_middle_of_a_long_string_is_left_out() {
        let longest = "ß".repeat(MAX_CHARS);
        assert_eq!(Escaped(&longest).to_string(), longest);
        let long = format!("{}\n{}\x1b", "ß".repeat(99_000), "z".repeat(TAIL_CHARS - 1));
        let shown = format!("{}…{}\\u{{1b}} (198041 bytes)", "ß".repeat(HEAD_CHARS), "z".repeat(TAIL_CHARS - 1));
        assert_eq!(Escaped(&long).to_string(), shown);
    }
}
