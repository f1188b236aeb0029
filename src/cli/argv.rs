//! Negative literals that clap would take for options: `-inf`, `-nan:0x1`, `-0x10`, `-.5`.
//!
//! They are escaped before clap parses the command line, and unescaped by the value parsers here.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, PathBufValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue};
use wrun::escape::Escaped;

/// Marks an escaped argument. No argument of a process contains NUL.
const ESCAPE: char = '\0';

/// Escapes the literals in front of `--` that clap does not know.
pub(crate) fn escape(args: impl IntoIterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut is_guest_arg = false;
    args.into_iter().map(move |arg| {
        is_guest_arg |= arg == "--";
        if is_guest_arg || !needs_escape(&arg) {
            return arg;
        }
        let mut escaped = OsString::from(ESCAPE.to_string());
        escaped.push(arg);
        escaped
    })
}

/// Whether clap, which knows numbers such as `-5` and `-1.5`, may take this literal for an option.
fn needs_escape(arg: &OsStr) -> bool {
    let Some(rest) = arg.to_str().and_then(|arg| arg.strip_prefix('-')) else { return false };
    match rest.chars().next() {
        Some('0'..='9') => rest.contains(|c: char| !c.is_ascii_digit()),
        Some('.') => true,
        _ => matches!(rest, "inf" | "nan") || rest.starts_with("nan:"),
    }
}

/// Returns whether a function of this name can only be called with `--function`: clap takes it for an option.
pub(crate) fn is_syntax(name: &str) -> bool {
    let is_number = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix('-').is_some_and(|rest| !is_number(rest)) && !needs_escape(OsStr::new(name))
}

fn unescape(text: &str) -> &str {
    text.strip_prefix(ESCAPE).unwrap_or(text)
}

/// Removes escapes from the arguments that an error quotes, and makes values safe to print.
pub(crate) fn unescape_error(error: &mut clap::Error) {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        if let Some(ContextValue::String(quoted)) = error.get(kind) {
            let mut quoted = quoted.replace(ESCAPE, "");
            if kind == ContextKind::InvalidValue && !quoted.is_empty() {
                quoted = Escaped(&quoted).to_string();
            }
            error.insert(kind, ContextValue::String(quoted));
        }
    }
}

/// Parses text, which must be UTF-8.
pub(crate) fn text() -> impl TypedValueParser<Value = String> {
    text_for(|text| Ok(text.to_owned()))
}

/// Parses text that `parse` understands.
pub(crate) fn text_for<T>(parse: fn(&str) -> Result<T, String>) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
{
    OsStringValueParser::new().try_map(move |text| match text.to_str() {
        Some(text) => parse(unescape(text)),
        None => Err(format!("`{}` is not UTF-8", text.as_encoded_bytes().escape_ascii())),
    })
}

/// Parses a path.
pub(crate) fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|path| path.to_str().map(|text| PathBuf::from(unescape(text))).unwrap_or(path))
}
