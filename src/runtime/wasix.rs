//! What is refused of WASIX before an engine is asked for it.

use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::module::info::{ExternType, ModuleInfo};
use crate::module::requirements;
use crate::runtime::host::HostImports;

/// The section of a module that is linked to others as it is loaded.
const DYNAMIC: &str = "dylink.0";

/// The import by which a module's threads share their memory.
pub(crate) const MEMORY: (&str, &str) = ("env", "memory");

/// Checks that what a module imports of WASIX can be had, and within its limits.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`].
pub(crate) fn check(kind: RuntimeKind, info: &ModuleInfo, imports: &HostImports, limits: Limits) -> Result<()> {
    let refused = |message: &str| Err(Error::new(ErrorKind::UnsupportedFeature, message));
    if kind == RuntimeKind::Wasmer && limits.fuel.is_some() && requirements::starts_threads(info) {
        return refused("the module can start threads, which do not share one tank: no fuel limit holds for it");
    }
    let Some(wasix) = imports.wasix() else { return Ok(()) };
    if kind != RuntimeKind::Wasmer || !cfg!(feature = "wasix") {
        return Err(absent(kind));
    }
    if wasix.capabilities.seed.is_some() {
        return refused("the module needs WASIX, whose clocks, random numbers and threads are never deterministic");
    }
    if info.custom_sections.iter().any(|section| section.name == DYNAMIC) {
        return refused(
            "the module is linked dynamically (it has a `dylink.0` section); WASIX modules must be static here",
        );
    }
    if shares_other_memory(info) {
        return refused("a WASIX module has at most one shared memory, which it imports as `env` `memory`");
    }
    Ok(())
}

/// How to get WASIX where it is not.
fn absent(kind: RuntimeKind) -> Error {
    let refused = |message: &str| Error::new(ErrorKind::UnsupportedFeature, message);
    let build = "build with `--features wasix`";
    match kind {
        RuntimeKind::Wasmtime if cfg!(feature = "wasix") => refused("the module needs WASIX: use --runtime wasmer"),
        RuntimeKind::Wasmtime => refused("the module needs WASIX: use --runtime wasmer").with_hint(build),
        RuntimeKind::Wasmer => refused("the module needs WASIX, which is not compiled into this wrun").with_hint(build),
    }
}

/// Whether a module has a shared memory that its threads would not share, and no wait on which could be ended.
fn shares_other_memory(info: &ModuleInfo) -> bool {
    let other = info.imports.iter().filter(|import| (&*import.module, &*import.name) != MEMORY);
    let imported = other.filter_map(|import| match &import.ty {
        ExternType::Memory(ty) => Some(ty),
        _ => None,
    });
    let twice = info.imports.iter().filter(|import| (&*import.module, &*import.name) == MEMORY).count() > 1;
    twice || imported.chain(&info.memories).any(|ty| ty.shared)
}
