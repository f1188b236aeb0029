//! Compiled code as the engine writes and reads it.
#![expect(unsafe_code, reason = "the engine runs the code it is given; it is its own, by the word of the cache")]

use wasmtime::{Engine, Module};

use crate::error::{Error, ErrorKind, Result};
use crate::module::file;
use crate::runtime::compiled_code::{self, Code};

/// What this backend has to do with the code that is made.
pub(crate) const CODE: u64 = compiled_code::fingerprint(&[
    include_bytes!("serialize.rs"),
    include_bytes!("fuel.rs"),
    include_bytes!("runtime.rs"),
    include_bytes!("deferred_start.rs"),
    include_bytes!("../../runtime/fuel.rs"),
]);

pub(super) fn write(compiled: &Module) -> Result<Vec<u8>> {
    compiled.serialize().map_err(|error| {
        Error::new(ErrorKind::Internal, format!("wasmtime cannot write the code it compiled: {error:#}"))
    })
}

/// Reads code that [`write()`] wrote. A file is mapped into memory, what follows the code in it is left alone; where the
/// system has it that no code is run from that file, its contents are copied.
pub(super) fn read(engine: &Engine, code: Code) -> Result<Module> {
    let failed = |error: wasmtime::Error| {
        Error::new(ErrorKind::Internal, format!("wasmtime cannot load the code it compiled earlier: {error:#}"))
    };
    let bytes = match code {
        Code::Bytes(bytes) => bytes,
        Code::File(file, length) => {
            let again = file.try_clone();
            // SAFETY: the code is the engine's own and stays as it is, as whoever made the `CachedCode` answered for.
            match unsafe { Module::deserialize_open_file(engine, file) } {
                Ok(module) => return Ok(module),
                Err(error) => {
                    let read = again.and_then(|file| file::read(&file, 0, length));
                    read.map_err(|_| failed(error))?
                }
            }
        }
    };
    // SAFETY: as above.
    unsafe { Module::deserialize(engine, bytes) }.map_err(failed)
}
