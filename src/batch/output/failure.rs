//! The error of a record.

use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// The error of a record, as it is written.
#[derive(Debug, Serialize)]
pub(in crate::batch) struct RecordError<'a> {
    /// [`ErrorKind`] as text.
    pub(in crate::batch) kind: &'static str,
    /// Why the guest trapped, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::batch) trap: Option<&'static str>,
    pub(in crate::batch) message: &'a str,
    /// The number of the record, counted from 1.
    pub(in crate::batch) record: u64,
}

impl<'a> RecordError<'a> {
    pub(in crate::batch) fn new(error: &'a Error, record: u64) -> Self {
        let trap = error.trap_code().map(crate::Trap::as_str);
        Self { kind: ErrorKind::as_str(error.kind()), trap, message: error.message(), record }
    }
}

/// The error of a result that a format does not have.
pub(super) fn cannot_encode(reason: &dyn std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("cannot write the result: {reason}"))
}
