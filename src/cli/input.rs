//! Reading modules and arguments.

use std::error::Error as StdError;
use std::io::{self, IsTerminal};
use std::path::Path;

use wrun::session::Session;
use wrun::{Cache, CallArgs, Callable, Error, ErrorKind, ModuleFile, RuntimeConfig};

use super::args::InputFormat;
use super::failure::Failure;
use super::settings::Arguments;
use super::stdin;

/// Returns whether this module is read from standard input: `-`, or another name for it.
pub(crate) fn is_stdin(module: &Path) -> bool {
    module.as_os_str() == "-" || stdin::is_named_by(module)
}

/// Reads a module from a file, or from standard input if [`is_stdin`] found so. `quiet` leaves out the note about waiting.
pub(crate) fn module(path: &Path, is_stdin: bool, quiet: bool) -> Result<Module, Failure> {
    if is_stdin {
        return Ok(Module::Bytes(stdin::read("the module", quiet)?));
    }
    ModuleFile::open(path).map(Module::File).map_err(|error| Failure::module(path, &error))
}

/// A module before it is compiled.
#[derive(Debug)]
pub(crate) enum Module {
    Bytes(Vec<u8>),
    File(ModuleFile),
}

impl Module {
    pub(crate) fn bytes(&self) -> io::Result<&[u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::File(file) => file.bytes(),
        }
    }

    /// Opens a session for the module, with a cache if there is one. The file name labels the cache entry.
    pub(crate) fn open(
        &self,
        path: &Path,
        config: &RuntimeConfig,
        cache: Option<Cache>,
    ) -> Result<Session<'_>, Failure> {
        let opened = match self {
            Self::Bytes(bytes) => Session::open(config, bytes.as_slice(), cache.as_ref()),
            Self::File(file) => {
                let label = path.file_name().map(|name| name.to_string_lossy());
                let cache = cache.map(|cache| label.into_iter().fold(cache, Cache::with_label));
                Session::open(config, file, cache.as_ref())
            }
        };
        opened.map_err(|error| match error.source().and_then(<dyn StdError>::downcast_ref) {
            Some(io_error) if error.kind() == ErrorKind::Io => Failure::module(path, io_error),
            _ => error.into(),
        })
    }
}

/// Reads the arguments of a function. `quiet` leaves out the note about waiting.
pub(crate) fn arguments(arguments: &Arguments, callable: &Callable, quiet: bool) -> Result<CallArgs, Failure> {
    let format = match arguments {
        Arguments::Typed(typed) => return Ok(callable.parse_args(typed)?),
        Arguments::Stdin(format) | Arguments::Omitted(format) => *format,
    };
    if !are_on_stdin(arguments, callable) {
        return Ok(callable.parse_args::<&str>(&[])?);
    }
    decode(format, &read_arguments(format, quiet)?, callable)
}

/// Reads encoded arguments from standard input. `quiet` leaves out the note about waiting.
pub(crate) fn read_arguments(format: InputFormat, quiet: bool) -> Result<Vec<u8>, Failure> {
    let (name, is_empty): (_, fn(&[u8]) -> bool) = match format {
        InputFormat::Json => ("JSON", |bytes| bytes.trim_ascii().is_empty()),
        InputFormat::Msgpack => ("MessagePack", <[u8]>::is_empty),
    };
    let bytes = stdin::read(&format!("the arguments ({name})"), quiet)?;
    if is_empty(&bytes) {
        return Err(Error::new(ErrorKind::InvalidArgument, "no arguments: standard input is empty").into());
    }
    Ok(bytes)
}

/// Decodes the arguments of a function.
pub(crate) fn decode(format: InputFormat, bytes: &[u8], callable: &Callable) -> Result<CallArgs, Failure> {
    Ok(match format {
        InputFormat::Json => callable.decode_json(bytes)?,
        InputFormat::Msgpack => callable.decode_msgpack(bytes)?,
    })
}

/// Whether the arguments of a function come from standard input.
pub(crate) fn are_on_stdin(arguments: &Arguments, callable: &Callable) -> bool {
    match arguments {
        Arguments::Typed(_) => false,
        Arguments::Stdin(_) => true,
        // On a terminal, an error about missing arguments is better than waiting for input.
        Arguments::Omitted(_) => callable.param_count() > 0 && !io::stdin().is_terminal(),
    }
}
