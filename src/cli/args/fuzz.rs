use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use wrun::Feature;

use crate::cli::argv;
use crate::cli::parse_values::parse_count;

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Generated modules")]
pub(crate) struct FuzzArgs {
    /// Compare N generated modules; each difference is shrunk and written as by --repro [default DIR: fuzz-SEED]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = argv::text_for(parse_count),
        conflicts_with_all = ["module", "batch", "GrantArgs", "PolicyArgs", "TextArgs", "PluginArgs"])]
    pub(crate) fuzz: Option<u64>,
    /// Generate nothing that needs these features, by the names of `wrun engines`
    #[arg(long, value_name = "FEATURE,...", value_delimiter = ',', value_parser = feature())]
    pub(crate) without: Vec<Feature>,
    /// Seed of the generated modules and arguments [default: 0]
    #[arg(long, value_name = "SEED", allow_negative_numbers = true, value_parser = argv::text_for(parse_count))]
    pub(crate) seed: Option<u64>,
    /// Leave out the first N modules of the seed
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = argv::text_for(parse_count))]
    pub(crate) skip: Option<u64>,
}

fn feature() -> impl TypedValueParser<Value = Feature> {
    let features = || Feature::ALL.iter().copied().filter(|feature| !feature.is_of_components());
    PossibleValuesParser::new(features().map(Feature::as_str))
        .map(move |name| features().find(|feature| feature.as_str() == name).expect("a possible value"))
}
