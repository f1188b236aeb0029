//! Rows of a record batch.

use std::ops::Range;
use std::sync::Arc;

use super::column::Column;
use super::length;
use super::params::Params;
use crate::batch::id::Id;
use crate::error::Result;
use crate::runtime::callable::CallArgs;

/// Rows of a record batch, which are the arguments of calls.
#[derive(Debug)]
pub(in crate::batch) struct ArrowRecords {
    pub(super) columns: Arc<[Column]>,
    pub(super) ids: Option<Column>,
    pub(super) first: usize,
    pub(super) rows: usize,
    pub(super) bytes: usize,
    /// A length that no row exceeds: see [`length::bound`].
    pub(super) longest: usize,
}

impl ArrowRecords {
    /// Returns the number of rows.
    pub(in crate::batch) fn len(&self) -> usize {
        self.rows
    }

    /// Returns about the number of bytes of the rows.
    pub(in crate::batch) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether the arguments in a row are longer than this number of bytes.
    #[inline]
    pub(super) fn is_longer(&self, index: usize, max: usize) -> bool {
        self.longest > max && {
            let row = self.first + index;
            self.columns.iter().try_fold(max, |left, column| length::subtract(column, row, left)).is_none()
        }
    }

    /// Returns the arguments in rows by parameter, if all are numbers in the form of [`Column::numbers`] and no row may be longer than
    /// this number of bytes.
    pub(super) fn numbers(&self, params: &Params, indices: &Range<usize>, max: usize) -> Option<Vec<&[u8]>> {
        let rows = self.first + indices.start..self.first + indices.end;
        if self.longest > max { None } else { params.numbers(&self.columns, &rows) }
    }

    /// Overwrites the arguments with those in a row.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if a value is null or out of range.
    #[inline]
    pub(super) fn fill(&self, params: &Params, index: usize, args: &mut CallArgs) -> Result<()> {
        params.fill(&self.columns, self.first + index, args)
    }

    /// Returns whether the stream has a column with ids.
    #[inline]
    pub(super) fn has_ids(&self) -> bool {
        self.ids.is_some()
    }

    /// Returns the id of a row, if the stream has a column with ids and this row has one.
    pub(super) fn id(&self, index: usize) -> Option<Id<'_>> {
        let (ids, row) = self.ids.as_ref()?.resolve(self.first + index);
        if ids.is_null(row) {
            return None;
        }
        let integer = ids.integer(row).map(Id::Integer);
        integer.or_else(|| ids.text(row).map(Id::Text))
    }
}
