use std::time::Duration;

use clap::Args;

use crate::cli::argv;
use crate::cli::parse_values::{parse_count, parse_duration, parse_fuel, parse_size};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Maximum linear memory, all memories together, such as 64MiB or 1GB
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = argv::text_for(parse_size))]
    pub(crate) memory: Option<u64>,
    /// Maximum guest stack, from 64KiB to 1GiB [default: 1MiB]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = argv::text_for(parse_size))]
    pub(crate) stack: Option<u64>,
    /// Maximum number of elements in each table, and in all tables of a component together
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = argv::text_for(parse_count))]
    pub(crate) table_elements: Option<u64>,
    /// Maximum time from reading the module to the result, such as 500ms, 1.5s or 2m
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = argv::text_for(parse_duration))]
    pub(crate) timeout: Option<Duration>,
    /// Maximum fuel, about one unit per operator, such as 500000, 10M or 2G
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = argv::text_for(parse_fuel))]
    pub(crate) fuel: Option<u64>,
}
