//! The imports of a WASIX module in one store.

use std::sync::Arc;

use wasmer::{AsStoreMut, Extern, Imports, Store};
use wasmer_wasix::{WasiFunctionEnv, WasiVersion, generate_import_object_from_env};

use super::corrections::{Guest, corrected};
use super::fs;
use super::overrides::replacement;
use crate::module::info::{Import, ModuleInfo};
use crate::runtime::host::Wasix;

/// Creates the functions of each WASI module that `info` imports from.
pub(super) fn functions(
    store: &mut impl AsStoreMut,
    env: &WasiFunctionEnv,
    info: &ModuleInfo,
    guest: &Arc<Guest>,
) -> Imports {
    let versions = [
        ("wasix_32v1", WasiVersion::Wasix32v1),
        ("wasi_snapshot_preview1", WasiVersion::Snapshot1),
        ("wasi_unstable", WasiVersion::Snapshot0),
        ("wasi", WasiVersion::Snapshot0),
    ];
    let mut all = Imports::new();
    for (module, version) in versions {
        if info.imports.iter().any(|import| import.module == module) {
            all.extend(&generate_import_object_from_env(store, &env.env, version));
        }
    }
    // Corrected functions call the original ones.
    let corrected: Vec<_> = info
        .imports
        .iter()
        .filter_map(|Import { module, name, .. }| {
            let original = |name: &str| match all.get_export(module, name)? {
                Extern::Function(function) => Some(function),
                _ => None,
            };
            let function = fs::corrected(store, &env.env, original, name)
                .or_else(|| fs::corrected_sync(store, &env.env, original, name))
                .or_else(|| fs::corrected_times(store, &env.env, original, name))
                .or_else(|| corrected(store, &env.env, original, (module, name), guest))?;
            Some((module, name, function))
        })
        .collect();
    for (module, name, function) in corrected {
        all.define(module, name, function);
    }
    all
}

/// Returns the function for an import; `None` if the host provides the import.
pub(super) fn provide(store: &mut Store, functions: &Imports, wasix: &Wasix, import: &Import) -> Option<Extern> {
    if !wasix.functions.contains_key(&(import.module.clone(), import.name.clone())) {
        return None;
    }
    let found = functions.get_export(&import.module, &import.name)?;
    Some(replacement(store, import).map_or(found, Extern::Function))
}
