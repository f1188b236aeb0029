//! The words after MODULE, which `wrun`, `wrun diff` and `wrun bench` share.

use crate::cli::args::InputFormat;
use crate::cli::settings::Arguments;

/// Splits the words after MODULE: FUNCTION and ARGS, or only ARGS if `--function` names the function.
pub(super) fn function_and_args(
    option: Option<String>,
    word: Option<String>,
    args: Vec<String>,
) -> (Option<String>, Vec<String>) {
    match option {
        Some(name) => (Some(name), word.into_iter().chain(args).collect()),
        None => (word, args),
    }
}

/// Returns where the arguments of the function come from.
pub(super) fn arguments(words: Vec<String>, format: InputFormat) -> Arguments {
    match words.as_slice() {
        [] => Arguments::Omitted(format),
        [dash] if dash == "-" => Arguments::Stdin(format),
        _ => Arguments::Typed(words),
    }
}
