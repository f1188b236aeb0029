//! Hints for common first mistakes, mainly of users of other WebAssembly runtimes.
//!
//! This code runs only after a failure.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
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

const DIR: &str = "use `--dir HOST::GUEST`, or `--dir HOST::GUEST::ro` to grant a directory read-only";
const NET: &str = "use `--net RULE` for each permission, such as `--net example.com:443` or `--net dns`";
const ENV: &str = "use `--env NAME` for each variable that the program may read";
const ENGINE: &str = "use `--runtime wasmtime|wasmer` and `--compiler cranelift|singlepass`";
const FUNCTION: &str = "write the function after the module: `wrun MODULE FUNCTION ARGS...`";
const GRANTS: &str = "WASI is always available; use `--dir`, `--env` and `--net` to grant access";
const LIMITS: &str = "use `--fuel`, `--memory`, `--stack` and `--timeout` for limits; `wrun engines` lists the features of \
                      each engine";

/// Options of other runtimes, without dashes, and what to use instead.
const OPTIONS: [(&[&str], &str); 19] = [
    (&["mapdir", "map-dir", "volume", "mount", "preopen", "allow-path", "allow-read", "allow-write"], DIR),
    (
        &[
            "allow-net",
            "allow-host",
            "allow-http",
            "inherit-network",
            "addr-pool",
            "allow-resolve",
            "listen",
            "tcplisten",
        ],
        NET,
    ),
    (&["allow-env", "inherit-env", "env-inherit", "forward-host-env"], ENV),
    (&["invoke", "entrypoint", "reactor", "i", "e", "f"], FUNCTION),
    (&["S", "wasi", "wasi-modules", "allow-all", "A"], GRANTS),
    (&["W", "wasm", "wasm-features", "enable-all"], LIMITS),
    (&["C", "codegen", "cranelift", "singlepass", "llvm", "v8", "backend", "engine", "interp", "interpreter"], ENGINE),
    (&["llvm-jit", "fast-jit", "multi-tier-jit", "force-interpreter", "compilation-mode"], ENGINE),
    (&["O", "optimize", "opt-level"], "use `--opt none|speed|size`"),
    (&["D", "debug", "g", "debug-info", "hostlogging"], "use `-v` or `-vv` for log lines"),
    (&["gas-limit", "gas", "fuel-limit"], "use `--fuel N`; `--metrics` prints how much was used"),
    (&["time-limit", "wasm-timeout", "max-time"], "use `--timeout DURATION`, such as `--timeout 500ms`"),
    (
        &["max-memory", "max-memory-size", "memory-max", "memory-page-limit", "memory-limit", "heap-size"],
        "use `--memory SIZE`, such as `--memory 64MiB`",
    ),
    (&["stack-size", "max-wasm-stack", "max-stack"], "use `--stack SIZE`, such as `--stack 8MiB`"),
    (
        &["cache", "cachedir"],
        "modules are cached by default; `--cache-dir DIR` sets the directory, `--no-cache` disables it",
    ),
    (&["disable-cache"], "use `--no-cache`"),
    (
        &[
            "stats",
            "profile",
            "enable-all-statistics",
            "enable-time-measuring",
            "enable-gas-measuring",
            "enable-instruction-count",
        ],
        "use `--metrics` for times, memory and fuel",
    ),
    (&["enable-nan-canonicalization", "nan-canonicalization"], "use `--deterministic`"),
    (&["config"], "use `--policy FILE`"),
];

fn find(table: &[(&[&str], &'static str)], name: &str) -> Option<&'static str> {
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
fn similar_subcommand(word: &str) -> Option<&'static str> {
    if word.contains(['.', '/']) { None } else { most_similar(word, SUBCOMMANDS.into_iter()) }
}

fn did_you_mean(subcommand: &str) -> String {
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
        CodeInfo::Component(info) => short_names(info).map(|(name, _)| name.to_owned()).take(2).collect(),
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

/// Removes clap's suggestions.
pub(crate) fn remove_from_usage_error(error: &mut clap::Error) {
    use ContextKind::{Suggested, SuggestedArg, SuggestedSubcommand, SuggestedValue};
    for kind in [Suggested, SuggestedArg, SuggestedSubcommand, SuggestedValue] {
        error.remove(kind);
    }
}

/// Replaces clap's suggestions with better ones. `module` and `function` are those on the command line `args` in front of the
/// error, if there are any.
pub(crate) fn for_usage_error(
    error: &mut clap::Error,
    args: &[OsString],
    module: Option<&Path>,
    function: Option<&str>,
) {
    // clap suggests `--` in front of values, which would pass them to the guest.
    error.remove(ContextKind::Suggested);
    if error.kind() == ErrorKind::MissingRequiredArgument && args.iter().any(|arg| arg == "--") {
        let tip = StyledStr::from("MODULE comes before `--`; a file such as `-x.wasm` is written as `./-x.wasm`");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    let Some(ContextValue::String(invalid)) = error.get(ContextKind::InvalidArg).cloned() else { return };
    let invalid = invalid.as_str();
    // For `-mount=x`, clap reports `-m`.
    let position = args.iter().skip(1).position(|arg| arg.to_str().is_some_and(|arg| arg.starts_with(invalid)));
    let word = position.and_then(|position| args[position + 1].to_str()).unwrap_or(invalid);
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    let known = if is_unknown { for_option(word).or_else(|| for_cluster(invalid)) } else { for_value(error, invalid) };
    let is_after_module =
        is_unknown && args.iter().take_while(|arg| *arg != word).any(|arg| module == Some(Path::new(arg)));
    let has_similar = error.get(ContextKind::SuggestedArg).is_some();
    let mut tips = match known {
        Some(hint) => {
            // Clap's suggestions name the most similar option.
            error.remove(ContextKind::SuggestedArg);
            error.remove(ContextKind::Usage);
            vec![hint.to_owned()]
        }
        None if is_unknown && !word.starts_with('-') && args.get(1).is_some_and(|command| command == "batch") => {
            vec!["the arguments of each call are a record on standard input".to_owned()]
        }
        None if is_unknown && !has_similar && word.starts_with('-') && is_module(word) => {
            vec![format!("a module file of that name is written as `./{word}`")]
        }
        None => Vec::new(),
    };
    let meant = module.filter(|module| is_after_module && !module.exists()).and_then(Path::to_str);
    if let Some(similar) = meant.and_then(similar_subcommand) {
        tips = vec![did_you_mean(similar)];
    } else if is_after_module && let (Some(module), Some(function)) = (module, function) {
        tips.push(argument_from_stdin(word, module, function));
    } else if is_after_module {
        let is_explained = has_similar || !tips.is_empty();
        tips.push(format!("`-- {word}` passes it to a program"));
        if !is_explained {
            tips.push(format!("`--function={word}` calls an exported function of that name"));
        }
    }
    if tips.is_empty() {
        return;
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips.into_iter().map(StyledStr::from).collect()));
}

/// Tells how to pass an argument of a function that looks like an option.
fn argument_from_stdin(word: &str, module: &Path, function: &str) -> String {
    let json = serde_json::json!([word]).to_string().replace('\'', r"'\''");
    format!(
        "to pass `{word}` as an argument, use standard input: `echo '{json}' | wrun {} {}`",
        EscapedPath(module),
        Escaped(function)
    )
}

/// Returns what to use instead of an option that wrun does not have.
fn for_option(word: &str) -> Option<&'static str> {
    let name = word.trim_start_matches('-').split('=').next().unwrap_or_default();
    let is_proposal = ["--enable-", "--disable-"].iter().any(|start| word.starts_with(start));
    find(&OPTIONS, name).or_else(|| is_proposal.then_some(LIMITS))
}

/// Returns what to use instead of one of Wasmtime's option groups with its value, such as `-Wfuel=1`.
fn for_cluster(letter: &str) -> Option<&'static str> {
    letter.bytes().all(|byte| byte == b'-' || byte.is_ascii_uppercase()).then(|| for_option(letter)).flatten()
}

/// Returns a hint for a value that an option does not accept.
fn for_value(error: &clap::Error, option: &str) -> Option<&'static str> {
    let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) else { return None };
    match option {
        "--net <RULE>" if value.is_empty() || is_module(value) => Some(NET),
        "--output <FORMAT>" if value.contains('.') => {
            Some("`--output` is a format, not a file; `wrun compile` writes to the cache")
        }
        _ => None,
    }
}

fn is_module(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "wasm" || end == "wat")
}
