//! Turns user input (binary or text) into a binary module or component.

use std::borrow::Cow;

use wasmparser::Parser;

use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// A binary module or component. The content decides which it is.
#[derive(Clone, Debug)]
pub enum Binary<'a> {
    /// A core module.
    Module(Cow<'a, [u8]>),
    /// A component.
    Component(Cow<'a, [u8]>),
}

impl<'a> Binary<'a> {
    /// Takes `input` itself, or assembles it if it is text. The content decides which form it has; file names do not matter.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidModule`] if `input` is empty, in neither form, or text that does not assemble.
    pub fn new(input: &'a [u8]) -> Result<Self> {
        if input.is_empty() {
            return Err(not_a_module("the input is empty"));
        }
        let binary = if input.starts_with(b"\0asm") { Cow::Borrowed(input) } else { Cow::Owned(assemble(input)?) };
        Ok(if Parser::is_component(&binary) { Self::Component(binary) } else { Self::Module(binary) })
    }

    /// Returns the bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Module(binary) | Self::Component(binary) => binary,
        }
    }

    /// Returns the core module.
    ///
    /// # Errors
    /// Returns [`ErrorKind::UnsupportedFeature`] if it is a component.
    pub fn module(self) -> Result<Cow<'a, [u8]>> {
        match self {
            Self::Module(binary) => Ok(binary),
            Self::Component(_) => {
                let message = "this is a WebAssembly component, but a core module is needed here";
                let hint = "load it as a component, or extract a core module from it, for example with `jco transpile` or \
                            `wasm-tools component unbundle`";
                Err(Error::new(ErrorKind::UnsupportedFeature, message).with_hint(hint))
            }
        }
    }
}

/// Returns the binary form of a core module: `input` itself, or the assembled module if it is text.
///
/// # Errors
/// Those of [`Binary::new`] and [`Binary::module`].
pub fn to_binary(input: &[u8]) -> Result<Cow<'_, [u8]>> {
    Binary::new(input)?.module()
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
