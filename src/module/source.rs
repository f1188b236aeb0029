//! From what a user hands over to a binary module.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};

/// The bytes of a binary module: `input` itself where it is one, else the assembled text. The two are told apart by
/// content; a name or an ending plays no part.
///
/// # Errors
/// [`ErrorKind::InvalidModule`] where `input` is empty, neither form, or text that does not assemble;
/// [`ErrorKind::UnsupportedFeature`] where it is a component.
pub fn to_binary(input: &[u8]) -> Result<Cow<'_, [u8]>> {
    if wasmparser::Parser::is_component(input) {
        let message = "this is a WebAssembly component, not a core module; wrun runs core modules";
        let hint = "extract a core module from it, for example with `jco transpile` or `wasm-tools component unbundle`";
        return Err(Error::new(ErrorKind::UnsupportedFeature, message).with_hint(hint));
    }
    if input.starts_with(b"\0asm") {
        return Ok(Cow::Borrowed(input));
    }
    if input.is_empty() {
        return Err(not_a_module("the input is empty"));
    }
    let Some(text) = std::str::from_utf8(input).ok().filter(|text| looks_like_text_module(text)) else {
        let first: Vec<String> = input.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let first = first.join(" ");
        return Err(not_a_module(&format!(
            "it starts with {first}, not with the 00 61 73 6d (`\\0asm`) of a binary module or the `(` of a text one"
        )));
    };
    match wat::parse_str(text) {
        Ok(binary) => Ok(Cow::Owned(binary)),
        Err(error) => {
            let message = format!("the text does not assemble: {}", shorten(&error.to_string()));
            Err(Error::new(ErrorKind::InvalidModule, message))
        }
    }
}

/// An error with the line it is about; of a line that is no line for people, its start.
fn shorten(error: &str) -> String {
    const MOST: usize = 160;
    let lines = error.lines().map(|line| match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n").replace("<anon>", "text")
}

fn not_a_module(why: &str) -> Error {
    Error::new(ErrorKind::InvalidModule, format!("not a WebAssembly module: {why}"))
}

/// Whether the first thing that is neither white space nor a comment opens a list.
fn looks_like_text_module(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('(') || text.starts_with(";;")
}
