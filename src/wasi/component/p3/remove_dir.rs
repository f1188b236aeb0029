//! The same correction as for WASI 0.2.

use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::p3::bindings::filesystem::types::{ErrorCode, HostDescriptorWithStore};

use crate::wasi::component::interface::{p3, replace};
use crate::wasi::component::remove_dir::{REMOVE, without_slashes};
use crate::wasi::component::state::HasWasi;

/// Corrects the function of a linked interface.
pub(super) fn correct<T: HasWasi>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut types = replace(linker, p3!("wasi:filesystem/types"), &[REMOVE])?;
    types.func_wrap_concurrent(REMOVE, |accessor, (dir, path): (Resource<Descriptor>, String)| {
        Box::pin(async move {
            let files = accessor.with_getter::<WasiFilesystem>(|data| data.wasi().filesystem());
            let (again, name) = (Resource::new_borrow(dir.rep()), without_slashes(&path));
            let mut removed = WasiFilesystem::remove_directory_at(&files, dir, path).await;
            if let (Err(error), Some(name)) = (&removed, name)
                && matches!(error.downcast_ref(), Some(ErrorCode::Invalid))
            {
                removed = WasiFilesystem::remove_directory_at(&files, again, name).await;
            }
            Ok((match removed {
                Ok(()) => Ok(()),
                Err(error) => Err(error.downcast()?),
            },))
        })
    })
}
