//! The command line as it was typed, put into the order clap reads.
//!
//! Two things a user may type are not clap's: a value that starts with `-` but is a number (`-inf`, `-0x10`), and a
//! subcommand after options (`wrun -v inspect …`).

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, ArgAction, ColorChoice, Command, Subcommand};

use super::args::{self, RunArgs};

/// What stands before a negative value on its way through clap; [`value`] takes it off.
const SHIELD: &str = " ";

/// Shields negative values among the positionals, and brings a subcommand to the front.
pub(crate) fn order(argv: impl Iterator<Item = OsString>, command: &Command) -> Vec<OsString> {
    let mut argv = argv;
    let mut ordered: Vec<OsString> = argv.next().into_iter().collect();
    let (mut seen_positional, mut takes_value, mut ended) = (false, false, false);
    for token in argv {
        let text = token.to_string_lossy();
        let text = text.as_ref();
        if ended || std::mem::take(&mut takes_value) {
            ordered.push(token);
        } else if text == "--" {
            ended = true;
            ordered.push(token);
        } else if is_negative_value(text) {
            seen_positional = true;
            ordered.push(shielded(&token));
        } else if is_option(text) {
            takes_value = wants_next(text, command);
            ordered.push(token);
        } else {
            let first = !std::mem::replace(&mut seen_positional, true);
            let at = if first && command.find_subcommand(text).is_some() { 1 } else { ordered.len() };
            ordered.insert(at, token);
        }
    }
    ordered
}

/// A call without options, as clap reads it, from the whole command line; `None` is all else, for clap to read. To make a
/// parser for every option takes a tenth of a short run.
pub(crate) fn plain(argv: &[OsString]) -> Option<RunArgs> {
    let mut positionals = argv.get(1..)?.iter().map(|token| {
        let text = token.to_str().filter(|text| !text.is_empty())?;
        match text {
            _ if is_negative_value(text) => shielded(token).into_string().ok(),
            _ if is_option(text) => None,
            _ => Some(text.to_owned()),
        }
    });
    let module = positionals.next()?.filter(|name| !args::Command::has_subcommand(name))?;
    let function = positionals.next().map_or(Some(None), |function| function.map(Some))?;
    let others = positionals.collect::<Option<_>>()?;
    Some(RunArgs { module: Some(module.into()), function, args: others, ..RunArgs::default() })
}

/// When clap is to colour what it says, which is before it has read that.
pub(crate) fn colour(argv: &[OsString]) -> ColorChoice {
    let options = argv.iter().skip(1).map_while(|token| token.to_str().filter(|text| *text != "--"));
    let options: Vec<&str> = options.collect();
    let mut said = options.iter().enumerate().filter_map(|(at, option)| match *option {
        "--color" => options.get(at + 1).copied(),
        _ => option.strip_prefix("--color="),
    });
    match said.next_back() {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// A positional as it was typed.
pub(crate) fn value(shielded: &str) -> &str {
    shielded.strip_prefix(SHIELD).filter(|text| is_negative_value(text)).unwrap_or(shielded)
}

/// A path among the positionals as it was typed.
pub(crate) fn path(shielded: PathBuf) -> PathBuf {
    match shielded.to_str() {
        Some(text) => PathBuf::from(value(text)),
        None => shielded,
    }
}

fn shielded(token: &OsStr) -> OsString {
    let mut shielded = OsString::from(SHIELD);
    shielded.push(token);
    shielded
}

/// `-5`, `-1.5e3`, `-.5`, `-0x10`, `-inf`, `-nan`, `-nan:0x1`: no short option starts so.
fn is_negative_value(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('-') else { return false };
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || matches!(rest, "inf" | "nan")
        || rest.starts_with("nan:")
}

fn is_option(text: &str) -> bool {
    text.len() > 1 && text.starts_with('-')
}

/// Whether the token after this option is its value.
fn wants_next(text: &str, command: &Command) -> bool {
    if let Some(long) = text.strip_prefix("--") {
        return !long.contains('=') && takes_value(command, |arg| arg.get_long() == Some(long));
    }
    let mut shorts = text.chars().skip(1);
    while let Some(short) = shorts.next() {
        if takes_value(command, |arg| arg.get_short() == Some(short)) {
            return shorts.next().is_none();
        }
    }
    false
}

/// Whether an option, of the command or else of its subcommands, takes a value: those that share a name agree on that.
fn takes_value(command: &Command, is_meant: impl Fn(&Arg) -> bool) -> bool {
    // clap's own, which no command has before it is built.
    let own = [Arg::new("help").short('h').long("help"), Arg::new("version").short('V').long("version")];
    if own.iter().any(&is_meant) {
        return false;
    }
    let find = |command: &Command| {
        let mut options = command.get_arguments().filter(|arg| !arg.is_positional());
        options
            .find(|arg| is_meant(arg))
            .map(|arg| matches!(arg.get_action(), ArgAction::Set | ArgAction::Append) && !arg.is_require_equals_set())
    };
    let of_subcommands = || {
        // They get their options only when the command is built.
        let mut whole = command.clone();
        whole.build();
        whole.get_subcommands().find_map(find)
    };
    find(command).or_else(of_subcommands).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::args::Cli;

    #[test]
    fn a_plain_call_is_read_as_clap_reads_it() {
        let lines = [
            "wrun m.wasm",
            "wrun m.wasm f",
            "wrun m.wasm f 1 2 3",
            "wrun - f -",
            "wrun m.wasm f -5 -inf 0x10 -.5",
            "wrun -5 -6 -7",
            "wrun ./inspect f",
            "wrun m.wasm inspect cache",
            "wrun m.wasm f help --5",
            "wrun m.wasm f ␣-5 a␣b é",
        ];
        for line in lines {
            let argv: Vec<_> = line.split(' ').map(|token| OsString::from(token.replace('␣', " "))).collect();
            let ordered = order(argv.iter().cloned(), &Cli::command());
            let by_clap = Cli::try_parse_from(ordered).ok().filter(|cli| cli.command.is_none()).map(|cli| cli.run);
            assert_eq!(format!("{:?}", plain(&argv)), format!("{by_clap:?}"), "{line}");
        }
        for line in [
            "wrun",
            "wrun inspect",
            "wrun cache list",
            "wrun m.wasm f -r wasmer",
            "wrun m.wasm -- a",
            "wrun  f",
            "wrun -v m.wasm",
        ] {
            let argv: Vec<_> = line.split(' ').map(OsString::from).collect();
            assert!(plain(&argv).is_none(), "{line}");
        }
    }

    fn ordered(line: &str) -> String {
        let argv = line.split(' ').map(OsString::from);
        let ordered = order(argv, &Cli::command());
        let shown: Vec<_> = ordered.iter().map(|token| token.to_str().unwrap().replace(' ', "␣")).collect();
        shown.join(" ")
    }

    #[test]
    fn negative_values_are_shielded_and_options_are_not() {
        assert_eq!(ordered("wrun m.wasm f -5 -inf -0x10 -r wasmer"), "wrun m.wasm f ␣-5 ␣-inf ␣-0x10 -r wasmer");
        assert_eq!(ordered("wrun m.wasm f -nan:0x1 -.5 -v"), "wrun m.wasm f ␣-nan:0x1 ␣-.5 -v");
        assert_eq!(ordered("wrun m.wasm f - -- -5"), "wrun m.wasm f - -- -5");
    }

    #[test]
    fn a_subcommand_comes_first_and_only_as_the_first_positional() {
        assert_eq!(ordered("wrun -v -o json inspect m.wasm"), "wrun inspect -v -o json m.wasm");
        assert_eq!(ordered("wrun m.wasm inspect"), "wrun m.wasm inspect");
        assert_eq!(ordered("wrun -r wasmer ./inspect"), "wrun -r wasmer ./inspect");
        assert_eq!(ordered("wrun --memory inspect m.wasm"), "wrun --memory inspect m.wasm");
        assert_eq!(ordered("wrun -vo json engines"), "wrun engines -vo json");
        assert_eq!(ordered("wrun --max-size 5MB cache prune"), "wrun cache --max-size 5MB prune");
        assert_eq!(ordered("wrun --remove cache verify"), "wrun cache --remove verify");
    }
}
