use clap::{ArgAction, Args, ValueEnum};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Messages")]
pub(crate) struct LogArgs {
    /// Log more to standard error (-vv: the engines too); `WRUN_LOG` takes a filter
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Print only errors, without hints
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Format of log lines
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) log_format: LogFormat,
    /// When to color messages; auto honors `NO_COLOR`
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: When,
}

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Messages")]
pub(crate) struct ProgressArgs {
    /// When to show progress on standard error; auto: on a terminal, after 300 ms
    #[arg(long, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) progress: When,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    #[default]
    Auto,
    Always,
    Never,
}
