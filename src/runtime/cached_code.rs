//! Compiled code outside a runtime: serialized, and read back from the cache.
#![expect(unsafe_code, reason = "restored code runs unchecked, so its origin must be trusted")]

use std::fs::File;

use crate::component::info::CodeInfo;
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};

/// Compiled code in the engine's format.
#[derive(Debug)]
pub(crate) struct SerializedCode {
    pub(crate) code: Vec<u8>,
    /// By how many bytes the code section moved when the module was rewritten before compilation.
    pub(crate) code_shift: i64,
}

/// Compiled code from the cache, with the facts of its module or component. Only the cache creates it, so a runtime can trust it.
#[derive(Debug)]
pub(crate) struct CachedCode {
    config: RuntimeConfig,
    parts: CodeParts,
}

/// The parts from which a runtime restores a module or a component.
#[derive(Debug)]
pub(crate) struct CodeParts {
    pub(crate) info: CodeInfo,
    pub(crate) code: Code,
    #[cfg_attr(not(feature = "wasmtime-runtime"), expect(dead_code, reason = "modules for Wasmer are not rewritten"))]
    pub(crate) code_shift: i64,
}

impl CachedCode {
    /// Wraps code for a runtime with this configuration.
    ///
    /// # Safety
    /// `parts.code` must be exactly the bytes that a runtime with this configuration wrote, in the same build of this program
    /// and on a machine whose CPU features this machine has too. The other parts must be those of the same code. A file must
    /// not change while the code is in use.
    pub(crate) unsafe fn new(config: RuntimeConfig, parts: CodeParts) -> Self {
        Self { config, parts }
    }

    /// Returns the facts of the module or component.
    pub(crate) fn info(&self) -> &CodeInfo {
        &self.parts.info
    }

    /// Returns the parts, for a runtime with the same configuration.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the configuration differs.
    pub(crate) fn parts_for(self, config: &RuntimeConfig) -> Result<CodeParts> {
        if self.config == *config {
            return Ok(self.parts);
        }
        Err(Error::new(ErrorKind::InvalidArgument, "the code was compiled for a runtime with another configuration"))
    }
}

/// The location of serialized code.
#[derive(Debug)]
pub(crate) enum Code {
    /// In memory.
    Bytes(Vec<u8>),
    /// At the start of a file, with its length in bytes.
    File(File, u64),
}

impl Code {
    /// Returns the length in bytes.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }
}
