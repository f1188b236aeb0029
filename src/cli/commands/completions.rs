//! `wrun completions SHELL`

use clap::{Args, Command, ValueHint};
use clap_complete::{Shell, generate};

use super::run::RunArgs;
use crate::cli::args::LogArgs;
use crate::cli::failure::Failure;
use crate::cli::output::printer;

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// Shell to print the script for
    pub(crate) shell: Shell,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// Also completes files, unlike clap's script, and completes options only after `-`. A file can stand wherever `--help` can, except
/// after some subcommands. bash takes `--opt=value` for three words.
const BASH: &str = r#"
_wrun_with_files() {
    local cur="$2" prev="$3" word words=()
    [[ $cur == = ]] && cur=""
    [[ $prev == = && $COMP_CWORD -gt 1 ]] && prev="${COMP_WORDS[COMP_CWORD-2]}"
    _wrun "$1" "" "$prev"
    local offered=" ${COMPREPLY[*]} "
    _wrun "$1" "$cur" "$prev"
    if [[ $cur == -* || $offered != *" --help "* ]] ||
        [[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} == @(WITHOUT_FILES) ]]; then
        return 0
    fi
    if [[ $COMP_CWORD -eq 1 ]]; then
        for word in "${COMPREPLY[@]}"; do
            [[ $word == -* ]] || words+=("$word")
        done
    fi
    local IFS=$'\n'
    COMPREPLY=("${words[@]}" $(compgen -f -- "$cur"))
    compopt -o filenames 2>/dev/null
    return 0
}

complete -F _wrun_with_files -o bashdefault -o default wrun
"#;

/// Replaces a function of clap's script that fails after an option whose value is missing. A subcommand comes first.
const FISH: &str = r#"
function __fish_wrun_needs_command
    set -l words (commandline -opc)
    if contains -- "$words[2]" SUBCOMMANDS
        echo $words[2]
        return 1
    end
end

function __fish_wrun_is_first
    test (count (commandline -opc)) -eq 1
end
"#;

/// Chooses between the functions for a run, `_wrun-run`, and for the subcommands. A subcommand comes first.
const ZSH: &str = r#"
_wrun() {
    local -a subcommands=(DESCRIPTIONS)
    if (( ${words[(I)--]} && ${words[(I)--]} < CURRENT )); then
        _files
    elif (( CURRENT == 2 )); then
        [[ $words[2] == -* ]] || _describe -t commands 'wrun command' subcommands
        _wrun-run "$@"
    elif (( ${subcommands[(I)$words[2]:*]} )); then
        local function=_wrun-$words[2]
        shift words
        (( CURRENT-- ))
        $function "$@"
    else
        _wrun-run "$@"
    fi
}

if [ "$funcstack[1]" = "_wrun" ]; then
    _wrun "$@"
else
    compdef _wrun wrun
fi
"#;

/// Prints the completion script of `wrun` for a shell. The directory `completions/` has these scripts.
pub(crate) fn main(args: &CompletionsArgs, wrun: &Command) -> Result<u8, Failure> {
    let mut wrun = visible(wrun);
    let script = match args.shell {
        Shell::Bash => bash(&mut wrun),
        Shell::Fish => fish(&mut wrun),
        Shell::Zsh => zsh(&wrun),
        shell => script(shell, &mut wrun, "wrun"),
    };
    printer::data(script.as_bytes())?;
    Ok(0)
}

/// Returns the command without its hidden subcommands, which clap's script for bash would offer.
fn visible(wrun: &Command) -> Command {
    Command::new("wrun")
        .version(env!("CARGO_PKG_VERSION"))
        .about(wrun.get_about().cloned().unwrap_or_default())
        .disable_help_subcommand(true)
        .args(wrun.get_arguments().cloned())
        .subcommands(wrun.get_subcommands().filter(|command| !command.is_hide_set()).cloned())
}

/// Generates the script for a command under this name.
fn script(shell: Shell, command: &mut Command, name: &str) -> String {
    let mut script = Vec::new();
    generate(shell, command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn bash(wrun: &mut Command) -> String {
    // Adds the arguments of the subcommands.
    let script = script(Shell::Bash, wrun, "wrun");
    let takes_file =
        |command: &Command| command.get_positionals().any(|arg| arg.get_value_hint() == ValueHint::FilePath);
    let without = wrun.get_subcommands().filter(|command| !takes_file(command)).map(Command::get_name);
    script + &BASH.replace("WITHOUT_FILES", &without.collect::<Vec<_>>().join("|"))
}

fn fish(wrun: &mut Command) -> String {
    let script = script(Shell::Fish, wrun, "wrun");
    let names: Vec<_> = wrun.get_subcommands().map(Command::get_name).collect();
    // Subcommands and files can come first.
    script.replace(r#"-n "__fish_wrun_needs_command" -f -a"#, r#"-n "__fish_wrun_is_first" -a"#)
        + &FISH.replace("SUBCOMMANDS", &names.join(" "))
}

fn zsh(wrun: &Command) -> String {
    let run = RunArgs::augment_args(Command::new("run").version(env!("CARGO_PKG_VERSION")));
    let (mut functions, mut descriptions) = (String::new(), String::new());
    for mut command in wrun.get_subcommands().cloned().chain([run]) {
        let name = command.get_name().to_owned();
        let script = script(Shell::Zsh, &mut command, &format!("wrun-{name}"));
        // Drop the lines that define the completion of a command `wrun-NAME`.
        let function = script.split_once("\n\n").map_or("", |(_, rest)| rest);
        functions += function.split("\nif [ \"$funcstack").next().unwrap_or_default();
        if let Some(about) = command.get_about().filter(|_| name != "run") {
            descriptions += &format!("\n        '{name}:{about}'");
        }
    }
    format!("#compdef wrun\n\n{functions}{}", ZSH.replace("DESCRIPTIONS", &format!("{descriptions}\n    ")))
}
