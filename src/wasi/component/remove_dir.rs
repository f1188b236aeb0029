//! Removes directories by paths that end in a slash, which wasmtime-wasi refuses as invalid.

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::types::{ErrorCode, HostDescriptor as _};

use super::interface::{p2, replace};
use super::state::HasWasi;

/// The function, in all versions.
pub(super) const REMOVE: &str = "[method]descriptor.remove-directory-at";

/// Returns a path without the slashes at its end; `None` if there are none, or nothing else.
pub(super) fn without_slashes(path: &str) -> Option<String> {
    let name = path.trim_end_matches('/');
    (name.len() < path.len() && !name.is_empty()).then(|| name.to_owned())
}

/// Corrects the function of a linked interface.
pub(super) fn correct<T: HasWasi>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut types = replace(linker, p2!("wasi:filesystem/types"), &[REMOVE])?;
    types.func_wrap_async(REMOVE, |mut store, (dir, path): (Resource<Descriptor>, String)| {
        Box::new(async move {
            let mut files = store.data_mut().wasi().filesystem();
            let (again, name) = (Resource::new_borrow(dir.rep()), without_slashes(&path));
            let mut removed = files.remove_directory_at(dir, path).await;
            if let (Err(error), Some(name)) = (&removed, name)
                && matches!(error.downcast_ref(), Some(ErrorCode::Invalid))
            {
                removed = files.remove_directory_at(again, name).await;
            }
            Ok((match removed {
                Ok(()) => Ok(()),
                Err(error) => Err(error.downcast()?),
            },))
        })
    })
}
