//! Which columns of rows are parameters, and which is the id.

use crate::batch::format::{Formats, Layout};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// The column of ids, unless it is a parameter.
const ID: &str = "id";

/// The most columns that an error lists.
const MAX_LISTED: usize = 20;

/// Finds the columns of the parameters: those that the options name; else, if each parameter has the name of a column, those; else
/// all in order, except for the id.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if a column is missing, has its name twice, or there is another number of columns than of
/// parameters.
pub(in crate::batch) fn layout_by_names(names: &[&str], formats: &Formats<'_>) -> Result<Layout> {
    let callable = formats.callable;
    let params = if let Some(wanted) = &formats.options.columns {
        wanted.iter().map(|name| find(names, name)).collect::<Result<Vec<_>>>()?
    } else {
        let params = callable.param_names();
        if params.iter().all(|name| names.contains(name)) && params.len() == callable.param_count() {
            params.iter().map(|name| find(names, name)).collect::<Result<_>>()?
        } else {
            let columns: Vec<_> = (0..names.len()).filter(|column| names[*column] != ID).collect();
            let count = callable.param_count();
            if columns.len() != count {
                let message =
                    format!("the input has {} ({}) for {callable}", counted_columns(columns.len()), list(names));
                return Err(invalid(message).with_hint("choose one column for each parameter"));
            }
            columns
        }
    };
    let id = names.iter().position(|name| *name == ID).filter(|column| !params.contains(column));
    Ok(Layout { has_ids: id.is_some(), id, params: Some(params), width: Some(names.len()), ..Layout::default() })
}

/// Takes the columns that the options give by their positions, or all in order.
pub(in crate::batch) fn layout_by_position(formats: &Formats<'_>) -> Layout {
    let positions = |columns: &Vec<String>| {
        columns.iter().filter_map(|column| column.parse::<usize>().ok()?.checked_sub(1)).collect()
    };
    Layout { params: formats.options.columns.as_ref().map(positions), ..Layout::default() }
}

fn find(names: &[&str], wanted: &str) -> Result<usize> {
    let mut found = (0..names.len()).filter(|column| names[*column] == wanted);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (Some(_), Some(_)) => Err(invalid(format!("the input has two columns `{wanted}`"))),
        (None, _) => Err(invalid(format!("the input has no column `{wanted}`; its columns are: {}", list(names)))),
    }
}

/// Formats a number of columns.
pub(in crate::batch) fn counted_columns(columns: usize) -> String {
    format!("{columns} column{}", if columns == 1 { "" } else { "s" })
}

/// Lists the first names.
fn list(names: &[&str]) -> String {
    let shown: Vec<_> = names.iter().take(MAX_LISTED).map(|name| format!("`{}`", Escaped(name))).collect();
    let more = names.len() - shown.len();
    let end = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &end
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
