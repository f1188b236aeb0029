//! Records that are one argument.

use crate::batch::chunk::Records;
use crate::batch::format::{Decode, Formats, Record};
use crate::component::types::{TypeKind, WitType};
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::CallArgs;

/// Decodes one argument, written as on the command line. A convention for bytes gets the record as it is. For a function without
/// parameters, a record is empty.
pub(super) struct LineDecoder<'a> {
    formats: &'a Formats<'a>,
    takes_bytes: bool,
}

impl<'a> LineDecoder<'a> {
    pub(super) fn new(formats: &'a Formats<'a>) -> Self {
        let takes_bytes = formats.callable.text().is_some_and(
            |text| matches!(text.ty().params(), [(_, ty)] if matches!(ty.kind(), Some(TypeKind::List(WitType::U8)))),
        );
        Self { formats, takes_bytes }
    }

    fn args(&self, record: &[u8]) -> Result<CallArgs> {
        if self.takes_bytes {
            return Ok(CallArgs::Component(vec![WitValue::Bytes(record.to_vec())]));
        }
        let callable = self.formats.callable;
        let text = utf8(record)?;
        if text.is_empty() && callable.param_count() == 0 {
            return callable.parse_args::<&str>(&[]);
        }
        callable.parse_args(&[text])
    }
}

impl Decode for LineDecoder<'_> {
    fn decode(&mut self, record: &mut Record<'_>, args: &mut CallArgs) -> Result<()> {
        *args = self.args(bytes_of(record, self.formats)?)?;
        Ok(())
    }
}

/// Returns the bytes of a record.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if the record is too long or malformed.
#[inline]
pub(in crate::batch) fn bytes_of<'c>(record: &Record<'c>, formats: &Formats<'_>) -> Result<&'c [u8]> {
    let Records::Bytes(records) = &record.chunk.records else { unreachable!("records of bytes") };
    records.get(record.index).ok_or_else(|| match records.malformed(record.index) {
        Some(reason) => Error::new(ErrorKind::InvalidArgument, reason),
        None => too_long(formats),
    })
}

/// The error of a record that was skipped.
pub(in crate::batch) fn too_long(formats: &Formats<'_>) -> Error {
    let message = format!("the record is longer than {} bytes", formats.options.max_record);
    Error::new(ErrorKind::InvalidArgument, message)
}

/// Returns text.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if it is not UTF-8.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let message = format!("the record is not valid UTF-8: {error}");
        Error::new(ErrorKind::InvalidArgument, message)
    })
}
