use std::path::PathBuf;

use clap::{Args, ValueHint};
use wrun::{DirGrant, NetRule};

use crate::cli::argv;
use crate::cli::parse_values::{parse_dir, parse_rule, parse_variable};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Grants")]
pub(crate) struct GrantArgs {
    /// Grant a directory, under its own path or as GUEST; `::ro` makes it read-only
    #[arg(long, value_name = "HOST[::GUEST][::ro]", value_hint = ValueHint::DirPath, value_parser = argv::text_for(parse_dir))]
    pub(crate) dir: Vec<DirGrant>,
    /// Grant an environment variable; without VALUE, copy it from wrun's environment
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = argv::text_for(parse_variable))]
    pub(crate) env: Vec<(String, String)>,
    /// Grant network access to a component, a WASIX program or an Extism plug-in: `[tcp:|udp:]HOST:PORTS` to connect, `in:[tcp:|udp:]HOST:PORTS` to listen,
    /// `dns[:NAME]` to resolve names
    #[arg(long, value_name = "RULE", value_parser = argv::text_for(parse_rule))]
    pub(crate) net: Vec<NetRule>,
}

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Grants")]
pub(crate) struct PolicyArgs {
    /// Read limits and grants from a TOML file or an Extism manifest; options take precedence
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = argv::path())]
    pub(crate) policy: Option<PathBuf>,
}
