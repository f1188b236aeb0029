//! What `wrun diff` and `wrun bench` share: one call on several engines, compilers and levels.

use wrun::compare::{CompareOptions, CompareSessions, Comparer};
use wrun::component::info::CodeInfo;
use wrun::runtime::preflight;
use wrun::{Callable, Error, ErrorKind};

use crate::cli::args::TextArgs;
use crate::cli::failure::Failure;
use crate::cli::input::Module;
use crate::cli::settings::{GuestSettings, check_payload};
use crate::cli::supervisor::Supervisor;
use crate::cli::{hints, input};

/// Returns the chosen variants, the limits and the grants.
pub(super) fn options(guest: &GuestSettings, text: &TextArgs) -> Result<CompareOptions, Failure> {
    let mut options = CompareOptions::default();
    (options.limits, options.max_stack) = (guest.limits.limits(), guest.limits.stack.value);
    options.capabilities = guest.capabilities.clone();
    (options.plugin, options.text) = (guest.plugin.options(), text.options());
    let (compiler, opt) = (guest.engine.compiler.value, guest.engine.opt.value);
    options.variants.retain(|variant| variant.fits(guest.engine.chosen_runtime(), compiler, opt));
    if options.variants.is_empty() {
        // Says why: the engine is not compiled in, or has no such compiler.
        preflight::check_config(&guest.config)?;
    }
    Ok(options)
}

/// Reads the module for this subcommand.
pub(super) fn read_module(subcommand: &str, guest: &GuestSettings, is_stdin: bool) -> Result<Module, Failure> {
    input::module(&guest.module, is_stdin, guest.quiet)
        .map_err(|failure| hints::for_module(failure, Some(subcommand), &guest.module, guest.function.as_deref()))
}

/// Checks that the command line fits the module and the function, before anything is compiled.
pub(super) fn check(
    guest: &GuestSettings,
    text: &TextArgs,
    info: &CodeInfo,
    callable: &Callable,
) -> Result<(), Failure> {
    guest.check_args(info)?;
    guest.plugin.check(info)?;
    check_payload(&text.options(), callable)
}

/// Compiles on each variant.
///
/// # Errors
/// If no variant can have the grants.
pub(super) fn compile(sessions: CompareSessions<'_>, supervisor: &Supervisor) -> Result<Comparer, Failure> {
    let comparer = sessions.compile(&|event| supervisor.observe(event));
    match comparer.refusal().filter(|refusal| refusal.kind == ErrorKind::Grant) {
        Some(refusal) => Err(Error::new(refusal.kind, refusal.message.clone()).into()),
        None => Ok(comparer),
    }
}
