use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use strum::VariantNames;
use wrun::{Compiler, Optimization, RuntimeKind};

use crate::cli::argv;
use crate::cli::parse_values::parse_count;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Engine")]
pub(crate) struct EngineArgs {
    /// Engine to use [default: `WRUN_RUNTIME`, or the first engine compiled in]
    #[arg(short, long, value_name = "ENGINE", value_parser = one_of(RuntimeKind::ALL, RuntimeKind::as_str))]
    pub(crate) runtime: Option<RuntimeKind>,
    /// Compiler of the engine; singlepass needs wasmer [default: cranelift]
    #[arg(long, value_name = "COMPILER", value_parser = one_of(Compiler::ALL, Compiler::as_str))]
    pub(crate) compiler: Option<Compiler>,
    /// Optimization level of cranelift [default: speed]
    #[arg(long, value_name = "LEVEL", value_parser = one_of(Optimization::ALL, Optimization::as_str))]
    pub(crate) opt: Option<Optimization>,
    /// Make runs reproducible: fixed clocks, canonical NaNs, random bytes from SEED [default seed: 0]
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = argv::text_for(parse_count))]
    pub(crate) deterministic: Option<u64>,
}

/// Parses a variant of an enum by its name.
pub(crate) fn variant<T>() -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static> + VariantNames + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(T::VARIANTS).try_map(|name| name.parse())
}

/// Parses one of these values by its name.
fn one_of<T>(values: &'static [T], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = wrun::Error> + Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(values.iter().map(|value| name(*value))).try_map(|name| name.parse())
}
