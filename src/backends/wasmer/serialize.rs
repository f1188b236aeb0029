//! Serialization of compiled code.
#![expect(unsafe_code, reason = "the engine runs deserialized code without checks")]

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::AsRawFd;

use wasmer::sys::{NativeEngineExt, Target};
use wasmer::{DeserializeError, Engine, Module};

use crate::error::{Error, ErrorKind, Result};
use crate::module::read_at;
use crate::runtime::cached_code::Code;

/// Hashes what compiled code depends on: the target with its processor features.
pub(super) fn code_compatibility() -> u64 {
    let mut hasher = DefaultHasher::new();
    Target::default().hash(&mut hasher);
    hasher.finish()
}

pub(super) fn write(compiled: &Module) -> Result<Vec<u8>> {
    compiled
        .serialize()
        .map(Vec::from)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("wasmer cannot serialize the compiled code: {error}")))
}

/// Loads code that [`write()`] wrote into an engine without a compiler. A file is mapped into memory if possible, and
/// anything after the code in it is ignored.
pub(super) fn read(code: Code) -> Result<(Module, Engine)> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Internal, format!("wasmer cannot load the cached code: {error}"))
    };
    let engine = Engine::headless();
    let bytes = match code {
        Code::Bytes(bytes) => bytes,
        Code::File(file, length) => match map(&engine, &file) {
            Ok(module) => return Ok((module, engine)),
            Err(_) => read_at::read_range(&file, 0, length).map_err(|error| failed(&error))?,
        },
    };
    // SAFETY: `CachedCode::new` requires that this engine wrote the code. This variant validates the layout nonetheless,
    // since bytes in memory, unlike a mapped file, may not be aligned as the engine requires.
    let module = unsafe { Module::deserialize(&engine, bytes) }.map_err(|error| failed(&error))?;
    Ok((module, engine))
}

/// Maps an open file. The engine only takes a path; `/dev/fd/N` names the open file itself, even if it was renamed or removed.
fn map(engine: &Engine, file: &File) -> std::result::Result<Module, DeserializeError> {
    let path = format!("/dev/fd/{}", file.as_raw_fd());
    // SAFETY: `CachedCode::new` requires that this engine wrote the code and that the file does not change.
    unsafe { engine.deserialize_from_mmapped_file_unchecked(path.as_ref()) }
}
