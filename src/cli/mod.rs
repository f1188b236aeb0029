//! The command line: typed arguments, resolved settings, work, report.

pub(crate) mod args;
pub(crate) mod argv;
pub(crate) mod caching;
pub(crate) mod commands;
pub(crate) mod effective;
pub(crate) mod exit_status;
pub(crate) mod failure;
pub(crate) mod guard;
pub(crate) mod input;
pub(crate) mod logging;
pub(crate) mod policy;
pub(crate) mod printer;
pub(crate) mod quantity;
pub(crate) mod report;
pub(crate) mod settings;
pub(crate) mod signals;
pub(crate) mod start;
pub(crate) mod threads;
