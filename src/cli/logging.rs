//! Log lines on standard error, where they are asked for.

use std::env::VarError;
use std::io;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use super::args::{LogArgs, LogFormat, When};
use super::failure::Failure;

/// Sets colour and logging for the process. Without `-v` or `WRUN_LOG` nothing is logged, and nothing is set up.
pub(crate) fn set_up(log: &LogArgs) -> Result<(), Failure> {
    match log.color {
        When::Auto => anstream::ColorChoice::Auto,
        When::Always => anstream::ColorChoice::Always,
        When::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    let asked = match std::env::var("WRUN_LOG") {
        Ok(filter) => Some(filter).filter(|filter| !filter.is_empty()),
        Err(VarError::NotPresent) => None,
        Err(VarError::NotUnicode(_)) => return Err(Failure::usage("WRUN_LOG is not UTF-8")),
    };
    if asked.is_none() && log.verbose == 0 {
        return Ok(());
    }
    let level = match log.verbose {
        0 | 1 => "wrun=info,warn",
        2 => "wrun=debug,info",
        _ => "trace",
    };
    let filter: Targets = asked
        .as_deref()
        .unwrap_or(level)
        .parse()
        .map_err(|error| Failure::usage(format!("WRUN_LOG is no filter: {error}")))?;
    let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(colour);
    let lines = match log.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    Ok(())
}
