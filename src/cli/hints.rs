//! Hints for common first mistakes, mainly of users of other WebAssembly runtimes.
//!
//! This code runs only after a failure.

use std::path::Path;

use wrun::component::lookup::short_names;
use wrun::component::similar::most_similar;
use wrun::escape::{Escaped, EscapedPath};
use wrun::runtime::text_abi;
use wrun::{Abi, Callable, CodeInfo};

use super::argv;
use super::failure::Failure;
use super::provenance::{Provenance, WithProvenance};
use super::settings::{Arguments, GrantSettings, GuestSettings, RunSettings};

/// The subcommands that the help lists.
pub(crate) const SUBCOMMANDS: [&str; 9] =
    ["inspect", "engines", "compile", "batch", "diff", "bench", "cache", "schema", "completions"];

/// How to run a module.
const USAGE: &str = "`wrun MODULE` runs a program, `wrun MODULE FUNCTION ARGS...` calls a function";

/// Subcommands of other runtimes, and what to use instead.
const COMMANDS: [(&[&str], &str); 10] = [
    (&["run", "exec", "call", "invoke"], USAGE),
    (&["help"], "`wrun --help` prints the help"),
    (&["version"], "`wrun --version` prints the version"),
    (&["validate", "explore", "objdump"], "`wrun inspect MODULE` checks and describes a module"),
    (
        &["create-exe", "create-obj", "gen-c-header", "aot", "wasmedgec"],
        "wrun does not create executables; `wrun compile MODULE` compiles into the cache",
    ),
    (&["config", "settings"], "`--explain` prints the settings of a run, `--policy FILE` reads them from a file"),
    (&["targets"], "`wrun engines` lists the engines and their features"),
    (&["completion"], "`wrun completions SHELL` prints a completion script"),
    (&["wast", "repl"], "wrun runs modules, not test scripts"),
    (&["serve", "publish", "deploy", "login", "package", "pkg"], "wrun is not a server or a package manager"),
];

pub(super) fn find(table: &[(&[&str], &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
}

/// Adds hints to a failure to read the module of a command line without a subcommand, or with this one.
pub(crate) fn for_module(
    mut failure: Failure,
    subcommand: Option<&str>,
    module: &Path,
    function: Option<&str>,
) -> Failure {
    if failure.kind != "module_not_found" {
        return failure;
    }
    let word = EscapedPath(module);
    let name = module.to_str().filter(|_| subcommand.is_none());
    match (name.and_then(|name| find(&COMMANDS, name)), function) {
        (Some(USAGE), Some(file)) => {
            return failure.hint(format!("there is no `wrun {word}`: use `wrun {}`", Escaped(file)));
        }
        (Some(_), Some(subcommand)) if name == Some("help") && SUBCOMMANDS.contains(&subcommand) => {
            return failure.hint(format!("there is no `wrun help`: use `wrun {subcommand} --help`"));
        }
        (Some(hint), _) => return failure.hint(format!("there is no `wrun {word}`: {hint}")),
        _ => {}
    }
    if let Some(similar) = name.and_then(similar_subcommand) {
        failure = failure.hint(did_you_mean(similar));
    }
    match function {
        Some(file) if Path::new(file).is_file() => {
            let command = ["wrun"].into_iter().chain(subcommand).collect::<Vec<_>>().join(" ");
            failure.hint(format!("the module comes first: `{command} {} {word}`", Escaped(file)))
        }
        _ => failure,
    }
}

/// Returns the subcommand that a word is probably meant to be, if it does not look like a file.
pub(super) fn similar_subcommand(word: &str) -> Option<&'static str> {
    if word.contains(['.', '/']) { None } else { most_similar(word, SUBCOMMANDS.into_iter()) }
}

pub(super) fn did_you_mean(subcommand: &str) -> String {
    format!("did you mean `wrun {subcommand}`?")
}

/// Adds hints to the error for a missing function or function name.
pub(crate) fn for_function(
    mut failure: Failure,
    info: &CodeInfo,
    settings: &GuestSettings,
    arguments: &Arguments,
) -> Failure {
    if failure.kind != "unknown_export" {
        return failure;
    }
    let is_program = match info {
        CodeInfo::Module(info) => info.function("_start").is_some(),
        CodeInfo::Component(_) => Callable::program(info).is_ok(),
    };
    if let (Some(name), true) = (settings.function.as_deref(), is_program) {
        let command = format!("wrun {} -- {}", EscapedPath(&settings.module), Escaped(name));
        failure.hints.insert(0, format!("arguments of a program go after `--`: `{command}`"));
    }
    if let Some((function, args)) = settings.function.as_deref().and_then(call_expression)
        && Callable::find(info, function).is_ok()
    {
        failure.hints.insert(0, separate_words(function, args));
    }
    if let (Some(word), Some(only)) = (settings.function.as_deref(), only_function(info))
        && word.parse::<f64>().is_ok()
    {
        let more: &[String] = if let Arguments::Typed(words) = arguments { words } else { &[] };
        let words = [only.as_str(), word].into_iter().chain(more.iter().map(String::as_str));
        let words: Vec<_> = words.map(|word| Escaped(word).to_string()).collect();
        let command = format!("wrun {} {}", EscapedPath(&settings.module), words.join(" "));
        failure.hints.insert(0, format!("the function comes before its arguments: `{command}`"));
    }
    if let (None, [_, name, args @ ..]) = (&settings.function, settings.capabilities.args.as_slice())
        && Callable::find(info, name).is_ok()
    {
        let words: Vec<_> = [name].into_iter().chain(args).map(|word| Escaped(word).to_string()).collect();
        let command = format!("wrun {} {}", EscapedPath(&settings.module), words.join(" "));
        failure.hints.insert(0, format!("the function and its arguments need no `--`: `{command}`"));
    }
    for_odd_names(failure, info)
}

/// Returns the name of the function if there is only one.
fn only_function(info: &CodeInfo) -> Option<String> {
    let names: Vec<_> = match info {
        CodeInfo::Module(info) => info.functions().map(|(name, _)| name.to_owned()).take(2).collect(),
        CodeInfo::Component(info) => short_names(info).map(|(name, _)| name.clone()).take(2).collect(),
    };
    <[String; 1]>::try_from(names).ok().map(|[name]| name)
}

/// Adds hints to the error for a missing function of a batch.
pub(crate) fn for_function_of_records(mut failure: Failure, info: &CodeInfo, guest: &GuestSettings) -> Failure {
    if failure.kind != "unknown_export" {
        return failure;
    }
    if Callable::program(info).is_ok() {
        let command = format!("wrun batch --abi stdio {}", EscapedPath(&guest.module));
        failure.hints.insert(0, format!("`{command}` runs the program for each record"));
    }
    for_odd_names(failure, info)
}

/// Adds hints for functions whose names cannot be written as a word on the command line.
fn for_odd_names(mut failure: Failure, info: &CodeInfo) -> Failure {
    let CodeInfo::Module(info) = info else { return failure };
    if let Some((name, _)) = info.functions().find(|(name, _)| argv::is_syntax(name)) {
        let name = Escaped(name);
        failure = failure.hint(format!("`--function={name}` calls the function with the name `{name}`"));
    }
    if info.function("").is_some() {
        failure = failure.hint("`--function=` calls the function with the empty name");
    }
    failure
}

/// Splits `greet("bob")`, as other runtimes write a call, into the function and its arguments.
fn call_expression(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix(')')?.split_once('(')
}

/// Says how to write arguments that are separated by commas.
fn separate_words(function: &str, args: &str) -> String {
    let word = |arg: &serde_json::Value| match arg {
        serde_json::Value::String(text) if text.chars().all(char::is_alphanumeric) && !text.is_empty() => text.clone(),
        serde_json::Value::String(text) => format!("'{text}'"),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => format!("'{arg}'"),
        other => other.to_string(),
    };
    let words = serde_json::from_str::<Vec<serde_json::Value>>(&format!("[{args}]"));
    let words = words.map(|args| args.iter().map(word).collect::<Vec<_>>().join(" "));
    let words = words.unwrap_or_else(|_| "ARGS...".to_owned());
    format!("arguments are separate words: `{} {}`", Escaped(function), Escaped(&words))
}

/// Adds a hint to a failure to read a module whose name looks like the value of `--capture` or `--deterministic`.
pub(crate) fn for_optional_value(mut failure: Failure, settings: &RunSettings) -> Failure {
    let is_size = settings.guest.module.as_os_str().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit);
    if failure.kind != "module_not_found" || !is_size {
        return failure;
    }
    if settings.captured.is_some() {
        return failure.hint("the size for `--capture` follows `=`: `--capture=SIZE`");
    }
    let WithProvenance { value, from } = settings.guest.engine.deterministic;
    if (value, from) == (Some(0), Provenance::Flag) {
        failure.hints.clear();
        return failure.hint("the seed for `--deterministic` follows `=`: `--deterministic=SEED`");
    }
    failure
}

/// Adds hints to the error for arguments that do not fit the signature.
pub(crate) fn for_arguments(
    failure: Failure,
    info: &CodeInfo,
    callable: &Callable,
    guest: &GuestSettings,
    arguments: &Arguments,
) -> Failure {
    // Not that standard input cannot be read.
    if failure.kind != "invalid_argument" {
        return failure;
    }
    let mut failure = failure.hint(format!("signature: {callable}"));
    if callable.has_named_types() {
        failure = failure.hint(format!("`wrun inspect {}` shows the types", EscapedPath(&guest.module)));
    }
    let Arguments::Typed(words) = arguments else { return failure };
    if guest.function_is_option && words.first() == guest.function.as_ref() {
        failure = failure.hint("with `--function`, all words after MODULE are ARGS");
    }
    if let ([word], Ok(_), None) = (words.as_slice(), info.module(), callable.text())
        && callable.param_count() > 1
        && word.contains(',')
    {
        let args = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
        failure = failure.hint(separate_words(callable.name(), args));
    }
    match text_convention(info, callable, words) {
        Some(abi) => failure.hint(format!("`--abi {abi}` passes text through linear memory")),
        None => failure,
    }
}

/// Returns a convention for text that fits a function of a module, if the arguments are text.
fn text_convention(info: &CodeInfo, callable: &Callable, words: &[String]) -> Option<Abi> {
    let is_number = |word: &String| word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    if callable.text().is_some() || words.iter().all(is_number) {
        return None;
    }
    let info = info.module().ok()?;
    text_abi::fitting(info, info.function(callable.name())?).first().copied()
}

/// Adds a hint to a refused directory that looks like `HOST:GUEST`.
pub(crate) fn for_grant(failure: Failure, grants: &GrantSettings) -> Failure {
    let is_odd = |host: &Path| !host.exists() && host.to_string_lossy().contains(':');
    if failure.kind == "grant" && grants.dirs.iter().any(|dir| is_odd(&dir.value.host)) {
        return failure.hint("`::` separates the directory from its guest path: `--dir HOST::GUEST`");
    }
    failure
}
