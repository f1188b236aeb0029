//! Functions that are called by one of the conventions.

use crate::component::args;
use crate::component::info::CodeInfo;
use crate::component::text;
use crate::component::types::{WitFunction, WitType};
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::info::ModuleInfo;
use crate::module::requirements;
use crate::runtime::lookup;
use crate::runtime::text_abi::buffers::Buffers;
use crate::runtime::text_abi::{Abi, Payload, TextOptions, payload, signature};

/// A function that takes and returns text or bytes by a convention.
#[derive(Clone, Debug)]
pub struct TextFunction {
    abi: Abi,
    payload: Payload,
    name: String,
    /// The types of arguments and result, as a component would have them.
    ty: WitFunction,
    /// Where the text is, if it is in linear memory.
    buffers: Option<Buffers>,
}

impl TextFunction {
    /// Wraps a program, or a function without parameters and results, so that it takes and returns text: by [`Abi::Stdio`].
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFeature`] if `info` is a module without standard streams, [`ErrorKind::InvalidArgument`] if an option
    /// does not fit the convention.
    pub(crate) fn program(info: &CodeInfo, name: &str, options: &TextOptions) -> Result<Self> {
        let (abi, payload) = (Abi::Stdio, options.payload);
        check_no_allocator(abi, options)?;
        if info.module().is_ok_and(|info| !requirements::imports_wasi(info)) {
            let message = "the module has no standard streams: it does not import WASI";
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
        let ty = payload::function(payload);
        Ok(Self { abi, payload, name: name.to_owned(), ty, buffers: None })
    }

    /// Finds a function that is called by another convention than [`Abi::Stdio`].
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if there is no such function, [`ErrorKind::UnsupportedFeature`] if it or its module does not fit
    /// the convention, [`ErrorKind::InvalidArgument`] if an option does not.
    pub(crate) fn find(info: &CodeInfo, name: Option<&str>, abi: Abi, options: &TextOptions) -> Result<Self> {
        let payload = options.payload;
        match abi {
            Abi::Stdio => {
                let message = "a call by the convention `stdio` needs a program";
                Err(Error::new(ErrorKind::InvalidArgument, message))
            }
            Abi::Packed | Abi::Cstr => {
                let info = info.module().map_err(|_| {
                    let message = format!("`{abi}` is a convention of modules, and this is a component");
                    Error::new(ErrorKind::UnsupportedFeature, message)
                        .with_hint("a component has strings: call its functions without `--abi`")
                })?;
                Self::find_in_memory(info, name, abi, options)
            }
            Abi::Extism => {
                check_no_allocator(abi, options)?;
                let name = signature::plugin(info, name)?.to_owned();
                Ok(Self { abi, payload, name, ty: payload::function(payload), buffers: None })
            }
        }
    }

    fn find_in_memory(info: &ModuleInfo, name: Option<&str>, abi: Abi, options: &TextOptions) -> Result<Self> {
        let Some(name) = name else {
            let message = format!("no function given: a call by the convention `{abi}` needs one");
            return Err(Error::new(ErrorKind::UnknownExport, message).with_hint(lookup::list_of_functions(info)));
        };
        let found = lookup::find_callable(info, name)?;
        let memory = signature::memory(info)?;
        let ty = match abi {
            Abi::Packed => signature::packed(name, found, &memory.1, options.payload)?,
            _ => signature::cstr(name, found, &memory.1, options.payload)?,
        };
        let buffers = Buffers::find(info, memory, options)?;
        // Only `cstr` can do without: its arguments can all be numbers.
        if buffers.alloc.is_none() && ty.params().iter().any(|(_, ty)| ty.is_text_or_bytes()) {
            return Err(Buffers::no_allocator());
        }
        tracing::info!(function = %Escaped(name), %abi, %buffers, "convention chosen");
        Ok(Self { abi, payload: options.payload, name: name.to_owned(), ty, buffers: Some(buffers) })
    }

    /// Returns the convention.
    #[must_use]
    pub fn abi(&self) -> Abi {
        self.abi
    }

    /// Returns what its arguments and results are.
    #[must_use]
    pub fn payload(&self) -> Payload {
        self.payload
    }

    /// Returns the types of its arguments and its result, as a component would have them.
    #[must_use]
    pub fn ty(&self) -> &WitFunction {
        &self.ty
    }

    /// Returns the name of the export.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn buffers(&self) -> Option<&Buffers> {
        self.buffers.as_ref()
    }

    /// Parses arguments given as text.
    ///
    /// # Errors
    /// As [`Callable::parse_args`](crate::Callable::parse_args).
    pub(crate) fn parse_args<T: AsRef<str>>(&self, args: &[T]) -> Result<Vec<WitValue>> {
        // If only one parameter can be a string, its argument is a string, even if it looks like an integer.
        let strings = self.ty.params().iter().filter(|(_, ty)| *ty == WitType::StringOrInteger).count();
        if strings != 1 {
            return text::parse_args(args, &self.ty);
        }
        args::count(args.len(), &self.ty)?;
        let parsed = args.iter().zip(self.ty.params()).map(|(arg, (_, ty))| match ty {
            WitType::StringOrInteger => Ok(WitValue::String(arg.as_ref().to_owned())),
            ty => text::parse(arg.as_ref(), ty),
        });
        parsed.collect()
    }

    /// Returns the bytes of the only argument.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if there are more or fewer, or it has another type.
    pub(crate) fn input(&self, args: &[WitValue]) -> Result<Vec<u8>> {
        args::count(args.len(), &self.ty)?;
        payload::bytes(&args[0]).map(<[u8]>::to_vec)
    }

    /// Returns the result for these bytes.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidResult`] if they are not of the payload's format.
    pub(crate) fn result(&self, output: Vec<u8>) -> Result<WitValue> {
        payload::decode(self.payload, output, &self.name)
    }
}

fn check_no_allocator(abi: Abi, options: &TextOptions) -> Result<()> {
    if options.alloc.is_none() && options.free.is_none() {
        return Ok(());
    }
    let message = format!("the convention `{abi}` has no functions that allocate and free memory");
    Err(Error::new(ErrorKind::InvalidArgument, message))
}
