//! The code that `wrun diff` compares.

use wrun::compare::{CompareOptions, CompareSessions};

use crate::cli::failure::Failure;
use crate::cli::input::Module;
use crate::cli::settings::{GuestSettings, check_payload};
use crate::cli::{hints, input};

/// Reads the module.
pub(super) fn read_module(guest: &GuestSettings, is_stdin: bool) -> Result<Module, Failure> {
    input::module(&guest.module, is_stdin, guest.quiet)
        .map_err(|failure| hints::for_module(failure, &guest.module, guest.function.as_deref()))
}

/// Opens the code on each variant, after checking everything that can be checked before it is compiled.
pub(super) fn open<'a>(
    code: &'a [u8],
    guest: &GuestSettings,
    options: CompareOptions,
) -> Result<CompareSessions<'a>, Failure> {
    let text = options.text.clone();
    let sessions = CompareSessions::open(code, guest.function.as_deref(), options)?;
    guest.check_args(sessions.info())?;
    guest.plugin.check(sessions.info())?;
    check_payload(&text, sessions.callable())?;
    Ok(sessions)
}
