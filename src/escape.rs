//! Strings chosen by a guest, made safe to print.

use std::fmt;

/// Displays a guest's string with control and formatting characters escaped, so that it can neither control a terminal
/// nor imitate a line of wrun's own output.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'n>(pub &'n str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for c in self.0.chars() {
            if c.is_control() || is_formatting(c) {
                write!(f, "{}", c.escape_unicode())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Whether a character changes how others are displayed: direction marks, embeddings, overrides and isolates (Unicode
/// Standard Annex 9), line and paragraph separators, and characters of no width.
fn is_formatting(c: char) -> bool {
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
}
