//! `wrun diff --fuzz N` of a build without the cargo feature `fuzz`.

use std::path::PathBuf;

use wrun::compare::Variant;

use crate::cli::args::{FuzzArgs, ReportArgs};
use crate::cli::failure::Failure;
use crate::cli::settings::GuestSettings;
use crate::cli::supervisor::SupervisorOptions;

pub(super) fn main(
    _: &FuzzArgs,
    _: Vec<Variant>,
    _: Option<PathBuf>,
    _: GuestSettings,
    _: ReportArgs,
    _: SupervisorOptions,
) -> Result<u8, Failure> {
    Err(Failure::usage("this wrun cannot generate modules").hint("build it with the cargo feature `fuzz`"))
}
