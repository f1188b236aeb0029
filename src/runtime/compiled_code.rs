//! Compiled code outside of a runtime: as its engine writes it, and on its way back.
#![expect(unsafe_code, reason = "code that comes back is run as it is, so whoever brings it answers for it")]

use std::fs::File;
use std::sync::Arc;

use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::ModuleInfo;

/// Compiled code as its engine writes it. Only the backends make any.
#[derive(Debug)]
pub struct SerializedCode {
    /// What the engine wrote.
    pub(crate) code: Vec<u8>,
    /// How many bytes later the code stood, when it was compiled, than in the module as it came.
    pub(crate) code_shift: i64,
}

/// Compiled code on its way back, with the facts of its module. Only the cache makes any, so a runtime that is given one
/// may trust it.
#[derive(Debug)]
pub struct CachedCode {
    config: RuntimeConfig,
    parts: CodeParts,
}

/// What a runtime makes a module of.
#[derive(Debug)]
pub(crate) struct CodeParts {
    pub(crate) info: Arc<ModuleInfo>,
    pub(crate) code: Code,
    #[cfg_attr(not(feature = "wasmtime-runtime"), expect(dead_code, reason = "Wasmer's modules are not rewritten"))]
    pub(crate) code_shift: i64,
}

impl CachedCode {
    /// Code to be restored by a runtime of this configuration.
    ///
    /// # Safety
    /// `parts.code` is, to the byte, what a runtime of this configuration of this very program wrote, on a machine that
    /// can do no more than this one, and `parts` has the rest of what was known then. A file among it is not changed
    /// while the code is in use.
    pub(crate) unsafe fn new(config: RuntimeConfig, parts: CodeParts) -> Self {
        Self { config, parts }
    }

    /// The facts of the module.
    pub(crate) fn info(&self) -> &Arc<ModuleInfo> {
        &self.parts.info
    }

    /// What a runtime of the same configuration makes a module of.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] where `config` is another.
    pub(crate) fn parts_for(self, config: &RuntimeConfig) -> Result<CodeParts> {
        if self.config == *config {
            return Ok(self.parts);
        }
        Err(Error::new(ErrorKind::InvalidArgument, "the code was compiled for a runtime of another configuration"))
    }
}

/// Where code is.
#[derive(Debug)]
pub(crate) enum Code {
    /// In memory.
    Bytes(Vec<u8>),
    /// At the start of a file, this many bytes of it.
    File(File, u64),
}

impl Code {
    /// Its length in bytes.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }
}

/// A number that changes where any of these source files does. Code is made by what they say, so what they said before
/// is told from what they say now, whether or not somebody thought of it.
pub(crate) const fn fingerprint(sources: &[&[u8]]) -> u64 {
    // FNV-1a: it is computed by the compiler, and nobody gains by two sources that agree.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut sources = sources;
    while let [source, others @ ..] = sources {
        let mut rest = *source;
        while let [byte, others @ ..] = rest {
            hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
            rest = others;
        }
        sources = others;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn a_fingerprint_changes_with_any_byte() {
        let all = [fingerprint(&[b"ab", b"c"]), fingerprint(&[b"ab", b"d"]), fingerprint(&[b"bb", b"c"])];
        assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
        assert_eq!(fingerprint(&[b"a"]), 0xaf63_dc4c_8601_ec8c, "as published for FNV-1a");
    }
}
