//! Arrow streams in a build without them: refused before a batch begins.

use std::io::Read;

use super::format::{Decode, Encode, Formats, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::Callable;

/// Always fails.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`], with a hint.
pub(super) fn check(_: &Callable) -> Result<()> {
    let message = "this build of wrun has no Arrow streams (feature `arrow`)";
    Err(Error::new(ErrorKind::UnsupportedFeature, message).with_hint("build with `--features arrow`"))
}

pub(super) fn source<'a, R: Read + Send + 'a>(_: &'a Formats<'a>, _: R) -> Box<dyn Source + 'a> {
    unreachable!("Arrow is refused")
}

pub(super) fn decoder<'a>(_: &'a Formats<'a>) -> Box<dyn Decode + 'a> {
    unreachable!("Arrow is refused")
}

pub(super) fn encoder<'a>(_: &'a Formats<'a>) -> Box<dyn Encode + 'a> {
    unreachable!("Arrow is refused")
}

pub(super) fn head(_: &Formats<'_>) -> Vec<u8> {
    unreachable!("Arrow is refused")
}

pub(super) fn tail() -> Vec<u8> {
    unreachable!("Arrow is refused")
}
