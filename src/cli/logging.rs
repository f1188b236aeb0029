//! Log lines on standard error, if `-v` or `WRUN_LOG` asks for them.

use std::io;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;
use wrun::stdio::Blocking;

use super::args::{LogArgs, LogFormat, When};
use super::failure::Failure;
use super::parse_values::environment;

/// Sets up color and logging for the process.
pub(crate) fn set_up(log: &LogArgs) -> Result<(), Failure> {
    match log.color {
        When::Auto => anstream::ColorChoice::Auto,
        When::Always => anstream::ColorChoice::Always,
        When::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    let filter = environment("WRUN_LOG")?;
    let filter = match (filter.as_deref(), log.verbose) {
        (Some(filter), _) => filter,
        (None, 0) => return Ok(()),
        (None, 1) => "wrun=info,extism=info,warn",
        (None, 2) => "wrun=debug,extism=debug,info",
        (None, _) => "trace",
    };
    let invalid = |error| Failure::usage(format!("invalid filter in WRUN_LOG: {error}"));
    let filter: Targets = filter.parse().map_err(invalid)?;
    let color = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let lines = fmt::layer().with_writer(|| Blocking(io::stderr())).with_ansi(color);
    let lines = match log.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).init();
    Ok(())
}
