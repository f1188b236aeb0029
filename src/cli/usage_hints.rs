//! Hints for options and values that clap refuses, mainly of users of other WebAssembly runtimes.
//!
//! This code runs only after a failure.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use wrun::escape::{Escaped, EscapedPath};

use super::hints::{did_you_mean, find, similar_subcommand};

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

/// Removes clap's suggestions.
pub(crate) fn remove_suggestions(error: &mut clap::Error) {
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
