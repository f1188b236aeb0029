//! The length of a row. With dictionaries and columns of nulls, a short message can have rows that do not fit into memory.

use super::column::Column;

/// The length of a value that is not text or binary data, in bytes.
const VALUE: usize = 8;

/// Returns a length that no row of these columns exceeds, if the values of text and binary data are in a body of this size.
/// `usize::MAX` if only the rows tell.
pub(super) fn bound(columns: &[Column], body: usize) -> usize {
    let bound = |column: &Column| match column {
        Column::List(..) | Column::Map(..) | Column::Struct(..) | Column::Dictionary(_) => usize::MAX,
        column if column.has_bytes() => VALUE.saturating_add(body),
        _ => VALUE,
    };
    columns.iter().map(bound).fold(0, usize::saturating_add)
}

/// Subtracts the length of the value in a row from `left`: 8 bytes for each value, and those of text and binary data. `None` if
/// it is longer.
pub(super) fn subtract(column: &Column, row: usize, left: usize) -> Option<usize> {
    let (column, row) = column.resolve(row);
    let left = left.checked_sub(VALUE)?;
    if column.is_null(row) {
        return Some(left);
    }
    match column {
        Column::List(nested, values) => {
            let (start, end) = nested.range(row);
            (start..end).try_fold(left, |left, row| subtract(values, row, left))
        }
        Column::Map(nested, entries) => {
            let (start, end) = nested.range(row);
            (start..end).try_fold(left, |left, row| subtract(&entries.1, row, subtract(&entries.0, row, left)?))
        }
        Column::Struct(_, fields) => fields.iter().try_fold(left, |left, (_, column)| subtract(column, row, left)),
        column => left.checked_sub(column.bytes(row).map_or(0, <[u8]>::len)),
    }
}
