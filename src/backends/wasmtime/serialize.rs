//! Serialization of compiled code.
#![expect(unsafe_code, reason = "the engine runs deserialized code without checks")]

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
#[cfg(feature = "components")]
use std::os::fd::AsRawFd;

#[cfg(feature = "components")]
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::error::{Error, ErrorKind, Result};
use crate::module::read_at;
use crate::runtime::cached_code::Code;

/// Hashes what compiled code depends on: the engine's version, target, settings and processor features.
pub(super) fn code_compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}

/// Returns serialized code, or converts the error.
pub(super) fn write(serialized: wasmtime::Result<Vec<u8>>) -> Result<Vec<u8>> {
    serialized.map_err(|error| {
        Error::new(ErrorKind::Internal, format!("wasmtime cannot serialize the compiled code: {error:#}"))
    })
}

/// Loads the code of a module. A file is mapped into memory, and anything after the code in it is ignored.
pub(super) fn read(engine: &Engine, code: Code) -> Result<Module> {
    // SAFETY: `CachedCode::new` requires that this engine wrote the code and that the file does not change.
    let map = |file| unsafe { Module::deserialize_open_file(engine, file) };
    // SAFETY: as above.
    load(code, map, |bytes| unsafe { Module::deserialize(engine, bytes) })
}

/// Loads the code of a component, like [`read()`].
#[cfg(feature = "components")]
pub(super) fn read_component(engine: &Engine, code: Code) -> Result<Component> {
    // The engine only maps files by path. This path opens the file again, which is still open when it is mapped.
    let map = |file: File| {
        let path = format!("/dev/fd/{}", file.as_raw_fd());
        // SAFETY: `CachedCode::new` requires that this engine wrote the code and that the file does not change.
        unsafe { Component::deserialize_file(engine, path) }
    };
    // SAFETY: as above.
    load(code, map, |bytes| unsafe { Component::deserialize(engine, bytes) })
}

/// Loads code that [`write()`] wrote. If the system does not allow code to run from a file, the code is copied to memory
/// instead.
fn load<T>(
    code: Code,
    map: impl FnOnce(File) -> wasmtime::Result<T>,
    copy: impl FnOnce(Vec<u8>) -> wasmtime::Result<T>,
) -> Result<T> {
    let failed = |error: wasmtime::Error| {
        Error::new(ErrorKind::Internal, format!("wasmtime cannot load the cached code: {error:#}"))
    };
    let bytes = match code {
        Code::Bytes(bytes) => bytes,
        Code::File(file, length) => {
            let duplicate = file.try_clone();
            match map(file) {
                Ok(loaded) => return Ok(loaded),
                Err(error) => {
                    let read = duplicate.and_then(|file| read_at::read_range(&file, 0, length));
                    read.map_err(|_| failed(error))?
                }
            }
        }
    };
    copy(bytes).map_err(failed)
}
