//! Checks a module that imports WASIX.

use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::module::info::{ExternType, Import, ModuleInfo};
use crate::module::requirements;
use crate::runtime::host::HostImports;

/// The custom section of a dynamically linked module.
const DYNAMIC: &str = "dylink.0";

/// The import (module and name) by which the threads of a WASIX module share their memory.
pub(crate) const MEMORY: (&str, &str) = ("env", "memory");

/// Checks that WASIX is available to a module that imports it, and that the limits can be enforced.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`].
pub(super) fn check_wasix(kind: RuntimeKind, info: &ModuleInfo, imports: &HostImports, limits: Limits) -> Result<()> {
    let unsupported = |message: &str| Err(Error::new(ErrorKind::UnsupportedFeature, message));
    if kind == RuntimeKind::Wasmer && limits.fuel.is_some() && requirements::starts_threads(info) {
        return unsupported("the module can start threads, which do not share fuel, so it cannot have a fuel limit");
    }
    let Some(wasix) = &imports.wasix else { return Ok(()) };
    if kind != RuntimeKind::Wasmer || !cfg!(feature = "wasix") {
        return Err(unavailable(kind));
    }
    if wasix.capabilities.seed.is_some() {
        return unsupported("the module needs WASIX, whose clocks, random numbers and threads are not deterministic");
    }
    if info.custom_sections.iter().any(|section| section.name == DYNAMIC) {
        return unsupported(
            "the module is linked dynamically (it has a `dylink.0` section), but must be linked statically",
        );
    }
    if has_other_shared_memory(info) {
        return unsupported("the only shared memory of a WASIX module must be the import `env` `memory`");
    }
    Ok(())
}

/// The error for WASIX on an engine without it.
fn unavailable(kind: RuntimeKind) -> Error {
    let unsupported = |message: &str| Error::new(ErrorKind::UnsupportedFeature, message);
    let build = "build with `--features wasix`";
    match kind {
        RuntimeKind::Wasmtime => {
            let error = unsupported("the module needs WASIX, which wasmtime does not have");
            let error = error.with_hint("use `--runtime wasmer`");
            if cfg!(feature = "wasix") { error } else { error.with_hint(build) }
        }
        RuntimeKind::Wasmer => {
            unsupported("the module needs WASIX, which is not compiled into this wrun").with_hint(build)
        }
    }
}

/// Returns whether a module has a shared memory that its threads do not share. Nothing could end a wait on it.
fn has_other_shared_memory(info: &ModuleInfo) -> bool {
    let is_wasix_memory = |import: &&Import| (&*import.module, &*import.name) == MEMORY;
    let (wasix, others): (Vec<_>, Vec<_>) = info.imports.iter().partition(is_wasix_memory);
    let imported = others.into_iter().filter_map(|import| match &import.ty {
        ExternType::Memory(ty) => Some(ty),
        _ => None,
    });
    wasix.len() > 1 || imported.chain(&info.memories).any(|ty| ty.shared)
}
