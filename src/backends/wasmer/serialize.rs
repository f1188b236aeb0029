//! Compiled code as the engine writes and reads it.
#![expect(unsafe_code, reason = "the engine runs the code it is given; it is its own, by the word of the cache")]

use std::fs::File;

use wasmer::sys::NativeEngineExt;
use wasmer::{DeserializeError, Engine, Module};

use crate::error::{Error, ErrorKind, Result};
use crate::module::file;
use crate::runtime::compiled_code::{self, Code};

/// What this backend has to do with the code that is made.
pub(crate) const CODE: u64 = compiled_code::fingerprint(&[
    include_bytes!("serialize.rs"),
    include_bytes!("fuel_charges.rs"),
    include_bytes!("middleware.rs"),
    include_bytes!("runtime.rs"),
    include_bytes!("../../limits.rs"),
    include_bytes!("../../runtime/fuel.rs"),
]);

pub(super) fn write(compiled: &Module) -> Result<Vec<u8>> {
    compiled
        .serialize()
        .map(Vec::from)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("wasmer cannot write the code it compiled: {error}")))
}

/// Reads code that [`write()`] wrote, into an engine without a compiler. Of a file that is mapped into memory, what follows
/// the code is left alone.
pub(super) fn read(code: Code) -> Result<(Module, Engine)> {
    let failed = |why: &dyn std::fmt::Display| {
        Error::new(ErrorKind::Internal, format!("wasmer cannot load the code it compiled earlier: {why}"))
    };
    let engine = Engine::headless();
    let bytes = match code {
        Code::Bytes(bytes) => bytes,
        Code::File(file, length) => match map(&engine, &file) {
            Some(Ok(module)) => return Ok((module, engine)),
            _ => file::read(&file, 0, length).map_err(|error| failed(&error))?,
        },
    };
    // SAFETY: the code is the engine's own, as whoever made the `CachedCode` answered for. How it is laid out is checked all
    // the same, since memory need not be aligned as the engine wants it; a mapped file is.
    let module = unsafe { Module::deserialize(&engine, bytes) }.map_err(|error| failed(&error))?;
    Ok((module, engine))
}

/// Maps an open file, by the one name under which the engine finds just that file again.
#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere there is no such name")]
fn map(engine: &Engine, file: &File) -> Option<std::result::Result<Module, DeserializeError>> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: the code is the engine's own and stays as it is, as whoever made the `CachedCode` answered for.
    Some(unsafe { engine.deserialize_from_mmapped_file_unchecked(path.as_ref()) })
}

#[cfg(not(target_os = "linux"))]
fn map(_: &Engine, _: &File) -> Option<std::result::Result<Module, DeserializeError>> {
    None
}
