use clap::Args;

use crate::cli::argv;
use crate::cli::parse_values::parse_config;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Grants")]
pub(crate) struct PluginArgs {
    /// Set a configuration value of an Extism plug-in
    #[arg(long, value_name = "NAME=VALUE", value_parser = argv::text_for(parse_config))]
    pub(crate) config: Vec<(String, String)>,
}
