//! Turns user input (binary or text) into a binary module.

use std::borrow::Cow;

use wasmparser::Parser;

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// Returns the binary form of a module: `input` itself, or the assembled module if it is text. The content decides which form
/// it is; file names do not matter.
///
/// # Errors
/// Returns [`ErrorKind::InvalidModule`] if `input` is empty, in neither form, or text that does not assemble, and
/// [`ErrorKind::UnsupportedFeature`] if it is a component.
pub fn to_binary(input: &[u8]) -> Result<Cow<'_, [u8]>> {
    if input.is_empty() {
        return Err(not_a_module("the input is empty"));
    }
    let binary = if input.starts_with(b"\0asm") { Cow::Borrowed(input) } else { Cow::Owned(assemble(input)?) };
    if Parser::is_component(&binary) {
        let message = "this is a WebAssembly component; wrun runs core modules only";
        let hint = "extract a core module from it, for example with `jco transpile` or `wasm-tools component unbundle`";
        return Err(Error::new(ErrorKind::UnsupportedFeature, message).with_hint(hint));
    }
    Ok(binary)
}

fn assemble(input: &[u8]) -> Result<Vec<u8>> {
    let Some(text) = std::str::from_utf8(input).ok().filter(|text| looks_like_text_module(text)) else {
        let first: Vec<String> = input.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let first = first.join(" ");
        return Err(not_a_module(&format!(
            "it starts with {first}, but a binary module starts with 00 61 73 6d (`\\0asm`) and a text module with `(`"
        )));
    };
    wat::parse_str(text).map_err(|error| {
        Error::new(
            ErrorKind::InvalidModule,
            format!("invalid WebAssembly text: {}", shorten(&error.to_string().replace('\t', " "))),
        )
    })
}

/// Shortens and escapes each line of an error message: the assembler quotes source lines of any length.
fn shorten(error: &str) -> String {
    const MAX_CHARS: usize = 160;
    let lines = error.lines().map(|line| match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", Escaped(&line[..end])),
        None if line.is_empty() => String::new(),
        None => Escaped(line).to_string(),
    });
    lines.collect::<Vec<_>>().join("\n").replace("<anon>", "text")
}

fn not_a_module(why: &str) -> Error {
    Error::new(ErrorKind::InvalidModule, format!("not a WebAssembly module: {why}"))
}

/// Whether the text starts with a list or a line comment.
fn looks_like_text_module(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('(') || text.starts_with(";;")
}
