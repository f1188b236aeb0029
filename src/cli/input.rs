//! Modules and arguments, read.

use std::error::Error as StdError;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use wrun::session::Session;
use wrun::value::{args, json, msgpack};
use wrun::{Cache, Error, ErrorKind, FuncType, ModuleFile, RuntimeConfig};

use super::args::InputFormat;
use super::failure::Failure;
use super::settings::Arguments;

/// Whether a module is read from standard input.
pub(crate) fn is_stdin(module: &Path) -> bool {
    module.as_os_str() == "-"
}

/// Whether the module, or the arguments for its function of type `ty`, are read from standard input, to its end: a guest
/// finds nothing there then, not even what a terminal or a growing file may still give.
pub(crate) fn is_spent(module: &Path, given: &Arguments, ty: &FuncType) -> bool {
    is_stdin(module) || are_on_stdin(given, ty)
}

/// The module: in a file, or of standard input for `-`.
pub(crate) fn module(path: &Path) -> Result<Module, Failure> {
    if is_stdin(path) {
        return Ok(Module::Bytes(stdin()?));
    }
    ModuleFile::open(path).map(Module::File).map_err(|error| Failure::module(path, &error))
}

/// A module as it was handed over.
#[derive(Debug)]
pub(crate) enum Module {
    Bytes(Vec<u8>),
    File(ModuleFile),
}

impl Module {
    /// All of it.
    pub(crate) fn bytes(&self) -> io::Result<&[u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::File(file) => file.bytes(),
        }
    }

    /// A session of it, with the cache where there is one.
    pub(crate) fn open(
        &self,
        path: &Path,
        config: &RuntimeConfig,
        cache: Option<&Cache>,
    ) -> Result<Session<'_>, Failure> {
        let opened = match self {
            Self::Bytes(bytes) => Session::open(config, bytes.as_slice(), cache),
            Self::File(file) => Session::open(config, file, cache),
        };
        opened.map_err(|error| match error.source().and_then(<dyn StdError>::downcast_ref) {
            Some(unread) if error.kind() == ErrorKind::Internal => Failure::module(path, unread),
            _ => error.into(),
        })
    }
}

/// What a module is called: its file's name, where it is a file.
pub(crate) fn label(path: &Path) -> Option<String> {
    let name = path.file_name().filter(|_| path.as_os_str() != "-")?;
    Some(name.to_string_lossy().into_owned())
}

/// The arguments for a function of type `ty`.
pub(crate) fn arguments(given: &Arguments, ty: &FuncType) -> Result<Vec<wrun::Value>, Failure> {
    let format = match given {
        Arguments::Typed(typed) => return Ok(args::parse_text(typed, ty)?),
        Arguments::Stdin(format) | Arguments::Unsaid(format) => *format,
    };
    if !are_on_stdin(given, ty) {
        return Ok(args::parse_text::<&str>(&[], ty)?);
    }
    let bytes = stdin()?;
    if bytes.is_empty() {
        return Err(Error::new(ErrorKind::InvalidArgument, "no arguments: standard input is empty").into());
    }
    Ok(match format {
        InputFormat::Json => json::decode_args(&bytes, ty)?,
        InputFormat::Msgpack => msgpack::decode_args(&bytes, ty)?,
    })
}

fn are_on_stdin(given: &Arguments, ty: &FuncType) -> bool {
    match given {
        Arguments::Typed(_) => false,
        Arguments::Stdin(_) => true,
        // Whoever sits at a terminal is not made to wait; the count is wrong and says so.
        Arguments::Unsaid(_) => !ty.params().is_empty() && !io::stdin().is_terminal(),
    }
}

fn stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Failure::io("cannot read standard input", &error))?;
    Ok(bytes)
}
