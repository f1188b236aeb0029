//! The command line: typed arguments, resolved settings, work, report.

pub(crate) mod abort;
pub(crate) mod args;
pub(crate) mod argv;
pub(crate) mod batch_settings;
pub(crate) mod cache_settings;
pub(crate) mod commands;
mod complete;
pub(crate) mod exit_code;
pub(crate) mod failure;
pub(crate) mod hints;
pub(crate) mod input;
pub(crate) mod logging;
mod manifest;
pub(crate) mod output;
pub(crate) mod parse_values;
pub(crate) mod parser;
pub(crate) mod policy;
pub(crate) mod provenance;
pub(crate) mod records;
pub(crate) mod repro;
pub(crate) mod run_watch;
pub(crate) mod settings;
pub(crate) mod signals;
pub(crate) mod start;
pub(crate) mod stdin;
pub(crate) mod supervisor;
pub(crate) mod written_files;
