use clap::Args;

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
