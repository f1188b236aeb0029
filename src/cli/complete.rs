//! Completion of the command line that is being typed: `source <(COMPLETE=bash wrun)`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use clap::{Args, Command, CommandFactory};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, CompleteEnv, Elvish, EnvCompleter, Fish, Powershell, Shells, Zsh};
use wrun::component::lookup::short_names;
use wrun::escape::Escaped;
use wrun::module::source::Binary;
use wrun::{ComponentInfo, ModuleInfo, extism};

use super::commands::run::RunArgs;
use super::failure::Failure;
use super::parser::{self, Cli};

/// The variable that names the shell which asks.
const VARIABLE: &str = "COMPLETE";

const SHELLS: Shells<'static> = Shells(&[&QuotingBash, &Elvish, &Fish, &Powershell, &Zsh]);

/// The size of the largest module that is read, in bytes.
const MAX_MODULE: u64 = 64 << 20;

/// The longest time that a shell waits for the functions of a module.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The most functions that are offered.
const MAX_FUNCTIONS: usize = 1000;

/// The most characters of a signature that are shown.
const MAX_SIGNATURE: usize = 100;

/// Answers a shell. Returns `None` if no shell asks: the variable is not set, or is meant for something else.
pub(crate) fn answer(args: &[OsString]) -> Option<Result<u8, Failure>> {
    let shell = env::var_os(VARIABLE)?;
    SHELLS.completer(Path::new(&shell).file_stem()?.to_str()?)?;
    // The words of the command line follow `--`. Without them, the shell asks for its function.
    let words = args.iter().position(|arg| arg == "--").map_or(&[][..], |at| &args[at + 1..]);
    let answered = CompleteEnv::with_factory(|| command(words))
        .var(VARIABLE)
        .shells(SHELLS)
        .try_complete(args.iter().cloned(), env::current_dir().ok().as_deref());
    Some(answered.map(|_| 0).map_err(|error| Failure::usage(error.to_string().trim_end())))
}

/// Bash, told that candidates may be files: it quotes those that need it, and adds a slash to directories. The names of files can
/// have spaces, or be `$(rm x)`.
struct QuotingBash;

/// Makes two words of `--opt=value`, which bash takes for three.
const DROP_EQUAL_SIGNS: &str = r#"
    local at kept=()
    for ((at = 0; at < ${#words[@]}; at++)); do
        if [[ $at -eq 0 || ${words[at]} != = || ${words[at-1]} != --* ]]; then
            kept+=("${words[at]}")
        elif [[ $at -eq $COMP_CWORD ]]; then
            kept+=("")
        elif [[ $at -lt $COMP_CWORD ]]; then
            _CLAP_COMPLETE_INDEX=$((_CLAP_COMPLETE_INDEX - 1))
        fi
    done
    words=("${kept[@]}")
"#;

impl EnvCompleter for QuotingBash {
    fn name(&self) -> &'static str {
        Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        Bash.is(name)
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let mut script = Vec::new();
        Bash.write_registration(var, name, bin, completer, &mut script)?;
        let script = String::from_utf8_lossy(&script)
            .replace("complete -o nospace", "complete -o filenames -o nospace")
            .replace("\n    COMPREPLY=(", &format!("{DROP_EQUAL_SIGNS}    COMPREPLY=("));
        buf.write_all(script.as_bytes())
    }

    fn write_complete(
        &self,
        cmd: &mut Command,
        args: Vec<OsString>,
        current_dir: Option<&Path>,
        buf: &mut dyn Write,
    ) -> io::Result<()> {
        let mut candidates = Vec::new();
        Bash.write_complete(cmd, args, current_dir, &mut candidates)?;
        let separator = env::var("_CLAP_IFS").unwrap_or_else(|_| "\n".to_owned());
        let candidates = String::from_utf8_lossy(&candidates).replace(&format!("/{separator}"), &separator);
        buf.write_all(candidates.strip_suffix('/').unwrap_or(&candidates).as_bytes())
    }
}

/// Returns the command that completes the last of these words.
fn command(words: &[OsString]) -> Command {
    let at = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
    let at = at.unwrap_or(words.len().saturating_sub(1)).min(words.len());
    let is_option = words.get(at).is_some_and(|word| word.as_encoded_bytes().starts_with(b"-"));
    let module = module(&words[..at]);
    let prepare = move |command: Command| prepared(command, module.as_deref(), is_option);
    let mut command = Cli::command();
    let mut run = RunArgs::augment_args(Command::new("wrun").version(env!("CARGO_PKG_VERSION")));
    // Building adds `--help`.
    command.build();
    run.build();
    let first = words.get(1).filter(|_| at > 1).and_then(|word| word.to_str());
    match first {
        None => prepare(command),
        // A subcommand comes first.
        Some(first) if command.find_subcommand(first).is_some() => command.mut_subcommand(first, prepare),
        Some(_) => prepare(run),
    }
}

/// Adds the functions of the module, and hides the options unless one is typed.
fn prepared(command: Command, module: Option<&Path>, is_option: bool) -> Command {
    command.mut_args(|arg| {
        let takes_function = matches!(arg.get_id().as_str(), "function" | "function_name");
        let hides = !arg.is_positional() && !is_option;
        let arg = if hides { arg.hide(true) } else { arg };
        match module.map(Path::to_owned).filter(|_| takes_function) {
            Some(module) => arg.add(ArgValueCompleter::new(move |typed: &OsStr| candidates(&module, typed))),
            None => arg,
        }
    })
}

/// Returns the module among the words before the one that is completed.
fn module(words: &[OsString]) -> Option<PathBuf> {
    let matches = parser::parse_before_error(words);
    let matches = matches.subcommand().map_or(&matches, |(_, matches)| matches);
    matches.try_get_one::<PathBuf>("module").ok().flatten().map(|module| expanded(module, env::home_dir()))
}

/// Returns the file that a shell makes of a word: bash and zsh pass words as they are typed, as in `~/my\\ module.wasm`.
fn expanded(word: &Path, home: Option<PathBuf>) -> PathBuf {
    let text = word.to_str().filter(|_| !word.exists());
    let Some(unquoted) = text.and_then(|text| shlex::split(text)?.into_iter().next()) else { return word.to_owned() };
    match (unquoted.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => unquoted.into(),
    }
}

/// Returns the functions of a module whose names begin with `typed`, with their signatures.
fn candidates(module: &Path, typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let functions = functions_in_time(module.to_owned()).unwrap_or_default().into_iter();
    let fitting = functions.filter(|(name, _)| name.starts_with(typed) && is_plain(name)).take(MAX_FUNCTIONS);
    fitting.map(|(name, signature)| CompletionCandidate::new(name).help(Some(clipped(&signature).into()))).collect()
}

/// Returns the functions of a module, unless that takes too long: its file system may not answer, or its text may be long. The
/// process ends without waiting for the thread.
fn functions_in_time(module: PathBuf) -> Option<Vec<(String, String)>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(functions(&module)));
    receiver.recv_timeout(TIMEOUT).ok().flatten()
}

/// Returns the functions that a module or a component exports, with their signatures, without an engine.
fn functions(module: &Path) -> Option<Vec<(String, String)>> {
    // Other files than regular ones may block.
    fs::metadata(module).ok().filter(|found| found.is_file() && found.len() <= MAX_MODULE)?;
    let mut bytes = Vec::new();
    File::open(module).ok()?.take(MAX_MODULE).read_to_end(&mut bytes).ok()?;
    let functions = match Binary::new(&bytes).ok()? {
        Binary::Module(binary) => {
            let info = ModuleInfo::read(&binary).ok()?;
            let is_plugin = extism::is_plugin(&info);
            let functions = info.functions().filter(|(name, _)| !is_plugin || extism::is_plugin_function(&info, name));
            functions.map(|(name, ty)| (name.to_owned(), ty.to_string())).collect()
        }
        Binary::Component(binary) => {
            let info = ComponentInfo::read(&binary).ok()?;
            short_names(&info).map(|(name, ty)| (name, ty.to_string())).collect()
        }
    };
    Some(functions)
}

/// Returns whether a shell takes a name literally, and wrun does not take it for an option. The shell inserts names as they are, so
/// a name such as `$(rm x)` must not be offered.
fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:@#+%,".contains(c);
    name.starts_with(|c: char| c.is_alphanumeric() || "_./@+%".contains(c)) && name.chars().all(is_plain)
}

fn clipped(signature: &str) -> String {
    let signature = Escaped(signature).to_string();
    match signature.char_indices().nth(MAX_SIGNATURE) {
        Some((end, _)) => format!("{}…", &signature[..end]),
        None => signature,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_shell_takes_literally_are_offered() {
        for name in ["add", "till#total", "demo:shop/till#total", "_start", "größe", "a.b-c"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "-v", "#a", "a b", "$(rm x)", "a;b", "a`b`", "a\nb", "'", "a*", "~x", "a&", "a>b", "a\\b", "="]
        {
            assert!(!is_plain(name), "{name}");
        }
    }

    #[test]
    fn words_are_expanded_as_a_shell_does() {
        for (word, file) in [
            ("no such", "no"),
            (r"my\ module.wasm", "my module.wasm"),
            (r#""a b"/'c d'.wasm"#, "a b/c d.wasm"),
            ("~/a.wasm", "/home/me/a.wasm"),
            ("~you/a.wasm", "~you/a.wasm"),
            ("'a", "'a"),
            ("", ""),
            ("Cargo.toml", "Cargo.toml"),
        ] {
            assert_eq!(expanded(word.as_ref(), Some("/home/me".into())), Path::new(file), "{word}");
        }
    }

    #[test]
    fn long_signatures_are_clipped() {
        assert_eq!(clipped("(i32) -> i32"), "(i32) -> i32");
        assert_eq!(clipped(&"ä".repeat(101)), format!("{}…", "ä".repeat(100)));
    }
}
