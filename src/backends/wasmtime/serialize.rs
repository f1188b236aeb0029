//! Serialization of compiled code.
#![expect(unsafe_code, reason = "the engine runs deserialized code without checks")]

use std::hash::{DefaultHasher, Hash, Hasher};

use wasmtime::{Engine, Module};

use crate::error::{Error, ErrorKind, Result};
use crate::module::read_at;
use crate::runtime::compiled_code::{self, Code};

/// A fingerprint of the sources that determine the compiled code.
const SOURCES: u64 = compiled_code::fingerprint(&[
    include_bytes!("serialize.rs"),
    include_bytes!("fuel.rs"),
    include_bytes!("runtime.rs"),
    include_bytes!("deferred_start.rs"),
    include_bytes!("../../runtime/fuel.rs"),
]);

/// Hashes what compiled code depends on: the engine's version, target, settings and processor features, and this backend.
pub(super) fn code_compatibility(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    (engine.precompile_compatibility_hash(), SOURCES).hash(&mut hasher);
    hasher.finish()
}

pub(super) fn write(compiled: &Module) -> Result<Vec<u8>> {
    compiled.serialize().map_err(|error| {
        Error::new(ErrorKind::Internal, format!("wasmtime cannot serialize the compiled code: {error:#}"))
    })
}

/// Loads code that [`write()`] wrote. A file is mapped into memory, and anything after the code in it is ignored. If the
/// system does not allow code to run from that file, the code is copied to memory instead.
pub(super) fn read(engine: &Engine, code: Code) -> Result<Module> {
    let failed = |error: wasmtime::Error| {
        Error::new(ErrorKind::Internal, format!("wasmtime cannot load the cached code: {error:#}"))
    };
    let bytes = match code {
        Code::Bytes(bytes) => bytes,
        Code::File(file, length) => {
            let copy = file.try_clone();
            // SAFETY: `CachedCode::new` requires that this engine wrote the code and that the file does not change.
            match unsafe { Module::deserialize_open_file(engine, file) } {
                Ok(module) => return Ok(module),
                Err(error) => {
                    let read = copy.and_then(|file| read_at::read_range(&file, 0, length));
                    read.map_err(|_| failed(error))?
                }
            }
        }
    };
    // SAFETY: `CachedCode::new` requires that this engine wrote the code.
    unsafe { Module::deserialize(engine, bytes) }.map_err(failed)
}
