use clap::{Arg, Args};

use super::{EngineArgs, GrantArgs, LimitArgs, PluginArgs, PolicyArgs};

// A doc comment would replace the description of the command.
#[derive(Args, Debug, Default)]
pub(crate) struct GuestArgs {
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) grants: GrantArgs,
    #[command(flatten)]
    pub(crate) plugin: PluginArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// Describes the limits of a command that applies them to each `unit`, such as "call". For `mut_args`: `mut_arg` would move an
/// option to the end of the help.
pub(crate) fn limit_each(unit: &str, arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "timeout" => arg.help(format!("Maximum time of each {unit}, such as 500ms, 1.5s or 2m")),
        "fuel" => {
            arg.help(format!("Maximum fuel of each {unit}, about one unit per operator, such as 500000, 10M or 2G"))
        }
        _ => arg,
    }
}

/// Describes the options of a command that does something with several engines unless one is chosen. `verb` says what.
pub(crate) fn choose_variants(verb: &str, arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "runtime" => arg.help(format!("{verb} only this engine")),
        "compiler" => arg.help(format!("{verb} only this compiler")),
        "opt" => arg.help(format!("{verb} only this optimization level of cranelift; singlepass has none")),
        _ => arg,
    }
}
