//! The bytes of a module or component: in memory or in a file.

use std::io;

use crate::error::{Error, ErrorKind, Result};
use crate::module::file::ModuleFile;
use crate::module::hash;

/// A module or component to open, in the binary or the text format.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ModuleSource<'a> {
    /// In memory.
    Bytes(&'a [u8]),
    /// In a file, which is read only if it must be compiled.
    File(&'a ModuleFile),
}

impl<'a> ModuleSource<'a> {
    /// Returns all bytes.
    pub(super) fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::File(file) => file.bytes().map_err(unreadable),
        }
    }

    /// Returns the length in bytes.
    pub(super) fn len(self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(file) => file.len(),
        }
    }

    /// Hashes all bytes.
    pub(super) fn hash(self) -> Result<blake3::Hash> {
        match self {
            Self::Bytes(bytes) => Ok(hash::contents(bytes)),
            Self::File(file) => file.hash().map_err(unreadable),
        }
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot read the module: {error}")).with_source(error)
}

impl<'a> From<&'a [u8]> for ModuleSource<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for ModuleSource<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a ModuleFile> for ModuleSource<'a> {
    fn from(file: &'a ModuleFile) -> Self {
        Self::File(file)
    }
}
