//! A build without formats that store records by column.

use std::ops::Range;

use super::caller::Caller;
use super::chunk::Chunk;
use super::format::Encode;
use super::processed::Processed;
use crate::error::Result;

/// Calls nothing.
#[derive(Debug)]
pub(super) struct Rows;

impl Rows {
    pub(super) fn new(_: &dyn Encode) -> Self {
        Self
    }

    /// Returns `None`.
    #[expect(clippy::unused_self, reason = "the same signature as with columns")]
    pub(super) fn call(
        &mut self,
        _: &mut Caller<'_>,
        _: &mut dyn Encode,
        _: &Chunk,
        _: Range<usize>,
        _: &mut Processed,
    ) -> Option<(usize, Result<()>)> {
        None
    }
}
