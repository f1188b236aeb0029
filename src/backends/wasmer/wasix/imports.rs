//! The imports of a WASIX module in one store.

use wasmer::{AsStoreMut, Extern, Imports, Store};
use wasmer_wasix::{WasiFunctionEnv, WasiVersion, generate_import_object_from_env};

use super::overrides::{GUARDED, guard, replacement};
use crate::module::info::{Import, ModuleInfo};
use crate::runtime::host::Wasix;

/// Creates the functions of each WASI module that `info` imports from.
pub(super) fn functions(store: &mut impl AsStoreMut, env: &WasiFunctionEnv, info: &ModuleInfo) -> Imports {
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
    for Import { module, name, .. } in &info.imports {
        let Some((_, path)) = GUARDED.iter().find(|(guarded, _)| guarded == name) else { continue };
        if let Some(Extern::Function(function)) = all.get_export(module, name) {
            all.define(module, name, guard(store, &env.env, *path, name == "path_rename", function));
        }
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
