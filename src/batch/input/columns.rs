//! Which columns of rows are parameters, and which is the id.

use crate::batch::format::{Formats, Layout};
use crate::component::similar::most_similar;
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::runtime::callable::CallArgs;

/// The column of ids, unless it is a parameter.
const ID: &str = "id";

/// The most columns that an error lists.
const MAX_LISTED: usize = 20;

/// The hint for columns that do not fit the parameters.
const CHOOSE: &str = "`--columns NAME,...` chooses one column for each parameter";

/// Finds the columns of the parameters: those that the options name; else, if each parameter has the name of a column, those; else,
/// if no parameter has, all in order, except for the id.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if a column is missing or appears twice, or the number of columns differs from the number of
/// parameters.
pub(in crate::batch) fn layout_by_names(names: &[&str], formats: &Formats<'_>) -> Result<Layout> {
    let params = match &formats.options.columns {
        Some(wanted) => wanted.iter().map(|name| find(names, name)).collect::<Result<_>>()?,
        None if has_named_parameters(names, formats) => {
            let params = formats.callable.param_names().into_iter();
            let found: Result<_> = params.map(|name| find(names, name)).collect();
            found.map_err(|error| error.with_hint(CHOOSE))?
        }
        None => in_order(names, formats)?,
    };
    let id = names.iter().position(|name| *name == ID).filter(|column| !params.contains(column));
    Ok(Layout { has_ids: id.is_some(), id, params: Some(params), width: Some(names.len()), ..Layout::default() })
}

/// Takes the columns that the options give by their positions, or all in order; none for a function without parameters.
pub(in crate::batch) fn layout_by_position(formats: &Formats<'_>) -> Layout {
    let positions = |columns: &Vec<String>| {
        columns.iter().filter_map(|column| column.parse::<usize>().ok()?.checked_sub(1)).collect()
    };
    let none = || (formats.callable.param_count() == 0).then(Vec::new);
    Layout { params: formats.options.columns.as_ref().map(positions).or_else(none), ..Layout::default() }
}

/// Returns whether columns are named after parameters. For one parameter, only its exact name counts: there is no order to mistake.
fn has_named_parameters(names: &[&str], formats: &Formats<'_>) -> bool {
    let params = formats.callable.param_names();
    let is_column = |param: &&str| names.iter().any(|name| is_same_name(name, param));
    match params.len() {
        0 => false,
        1 => names.contains(&params[0]),
        _ => params.iter().any(is_column),
    }
}

/// Returns whether two names differ only in case, or in `_` and `-`.
fn is_same_name(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    one.bytes().map(plain).eq(other.bytes().map(plain))
}

/// Takes all columns in order, except for the id; none for a function without parameters.
fn in_order(names: &[&str], formats: &Formats<'_>) -> Result<Vec<usize>> {
    if formats.callable.param_count() == 0 {
        return Ok(Vec::new());
    }
    let callable = formats.callable;
    let columns: Vec<_> = (0..names.len()).filter(|column| names[*column] != ID).collect();
    if columns.len() == callable.param_count() {
        return Ok(columns);
    }
    let message = format!("the input has {} ({}) for {callable}", counted_columns(columns.len()), list(names));
    Err(invalid(message).with_hint(CHOOSE))
}

/// Refuses the header of a CSV stream that looks like its first record: no column has the name of a parameter, and its fields are
/// arguments of the function, with at least one number.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`].
pub(super) fn check_header(names: &[&str], layout: &Layout, formats: &Formats<'_>) -> Result<()> {
    if formats.options.columns.is_some() || layout.has_ids || has_named_parameters(names, formats) {
        return Ok(());
    }
    let fields: Vec<_> = layout.params.iter().flatten().map(|column| names[*column]).collect();
    if !formats.callable.parse_args(&fields).is_ok_and(|args| has_number(&args)) {
        return Ok(());
    }
    let message = format!(
        "the first row looks like a record, not a header: {} can be arguments of {}",
        list(names),
        formats.callable
    );
    let chosen = fields.join(",");
    let hint = format!("use `--no-header` if it is a record, or `--columns {}` if it is the header", Escaped(&chosen));
    Err(invalid(message).with_hint(hint))
}

fn has_number(args: &CallArgs) -> bool {
    use WitValue::{F32, F64, S8, S16, S32, S64, U8, U16, U32, U64};
    match args {
        CallArgs::Core(values) => !values.is_empty(),
        CallArgs::Component(values) => values.iter().any(|value| {
            matches!(value, S8(_) | U8(_) | S16(_) | U16(_) | S32(_) | U32(_) | S64(_) | U64(_) | F32(_) | F64(_))
        }),
    }
}

fn find(names: &[&str], wanted: &str) -> Result<usize> {
    let mut found = (0..names.len()).filter(|column| names[*column] == wanted);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column),
        (Some(_), Some(_)) => Err(invalid(format!("the input has two columns `{}`", Escaped(wanted)))),
        (None, _) => {
            let message = format!("the input has no column `{}`; its columns are: {}", Escaped(wanted), list(names));
            let same = names.iter().copied().find(|name| is_same_name(name, wanted));
            let similar = same.or_else(|| most_similar(wanted, names.iter().copied()));
            let error = invalid(message);
            Err(similar.iter().fold(error, |error, name| error.with_hint(format!("did you mean `{}`?", Escaped(name)))))
        }
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
