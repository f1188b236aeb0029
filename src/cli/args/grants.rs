use std::path::PathBuf;

use clap::Args;
use wrun::{DirGrant, NetRule};

use crate::cli::argv;
use crate::cli::parse_values::{parse_dir, parse_rule, parse_variable};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Grants")]
pub(crate) struct GrantArgs {
    /// Grant a directory, under its own path or as GUEST; `::ro` makes it read-only
    #[arg(long, value_name = "HOST[::GUEST][::ro]", value_parser = argv::text_for(parse_dir))]
    pub(crate) dir: Vec<DirGrant>,
    /// Grant an environment variable; without VALUE, copy it from wrun's environment
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = argv::text_for(parse_variable))]
    pub(crate) env: Vec<(String, String)>,
    /// Grant network access to a WASIX program: to connect to 127.0.0.1:80, tcp:10.0.0.0/8:* or example.org:443, to
    /// listen on in:tcp:127.0.0.1:8080, to resolve dns:example.org
    #[arg(long, value_name = "RULE", value_parser = argv::text_for(parse_rule))]
    pub(crate) net: Vec<NetRule>,
}

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Grants")]
pub(crate) struct PolicyArgs {
    /// Read limits and grants from a TOML file; flags take precedence
    #[arg(long, value_name = "FILE", value_parser = argv::path())]
    pub(crate) policy: Option<PathBuf>,
}
