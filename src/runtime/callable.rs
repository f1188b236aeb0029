//! Functions and programs that are called by name, with arguments as text, JSON or MessagePack: exports of modules and of
//! components alike.

use std::fmt;

use crate::component::info::CodeInfo;
use crate::component::types::{WitFunction, WitType};
use crate::component::value::WitValue;
use crate::component::{self, check};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::module::requirements::is_plugin_function;
use crate::runtime::lookup;
use crate::runtime::text_abi::{Abi, TextFunction, TextOptions};
use crate::value::types::{FuncType, ValType, Value};
use crate::value::{args, json, msgpack};

/// The exports that run a module as a program; the first of type `() -> ()` counts.
const START: [&str; 2] = ["_start", ""];

/// A function or a program, with the types of its values. It is found before any code is compiled, and can be called on any
/// instance of its module or component.
#[derive(Clone, Debug)]
pub struct Callable {
    name: String,
    ty: CallableType,
}

/// The kind of a callable, with its type.
#[derive(Clone, Debug)]
pub(crate) enum CallableType {
    /// A function of a module.
    Core(FuncType),
    /// A function of a component.
    Component(WitFunction),
    /// A component that is a program.
    Program,
    /// A function of a module, called by a convention for text.
    Text(TextFunction),
    /// A program, or a function without parameters and results, that takes text from its standard input and writes text to its
    /// standard output. Each call needs an instance.
    Stdio(TextFunction, Box<Callable>),
}

/// Arguments of a [`Callable`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallArgs {
    /// For a function of a module.
    Core(Vec<Value>),
    /// For a function of a component.
    Component(Vec<WitValue>),
}

impl Callable {
    /// Finds an exported function by name. A function of a component can be given in any form that
    /// [`lookup`](crate::component::lookup) accepts.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if there is no such function, or `name` fits several; [`ErrorKind::UnsupportedFeature`] if
    /// it has a type whose values cannot be written as text, JSON or MessagePack.
    pub fn find(info: &CodeInfo, name: &str) -> Result<Self> {
        match info {
            CodeInfo::Module(info) => {
                let ty = CallableType::Core(lookup::find_callable(info, name)?.clone());
                Ok(Self { name: name.to_owned(), ty })
            }
            CodeInfo::Component(info) => {
                let found = component::lookup::find_function(info, name)?;
                check::check_passable(&found.ty).map_err(|error| {
                    let refused = Error::new(error.kind(), format!("cannot call `{found}`: {error}"));
                    error.hints().iter().fold(refused, Error::with_hint)
                })?;
                Ok(Self { name: found.to_string(), ty: CallableType::Component(found.ty) })
            }
        }
    }

    /// Finds an exported function that is called as `options` say, or a program if there is no name.
    ///
    /// # Errors
    /// Those of [`Callable::find`] and [`Callable::program`]; [`ErrorKind::UnsupportedFeature`] if its type does not fit the
    /// convention.
    pub fn find_with(info: &CodeInfo, name: Option<&str>, options: &TextOptions) -> Result<Self> {
        if options.abi.is_none() && (options.alloc.is_some() || options.free.is_some()) {
            let message = "functions that allocate and free memory are for the conventions `packed` and `cstr`";
            return Err(
                Error::new(ErrorKind::InvalidArgument, message).with_hint("`--abi packed` or `--abi cstr` chooses one")
            );
        }
        match (options.abi, name) {
            (Some(Abi::Stdio), _) => {
                let program = match name {
                    None => Self::program(info)?,
                    Some(name) => Self::find(info, name)?.or_program(info),
                };
                if program.param_count() > 0 || !program.result_types().is_empty() {
                    let message =
                        format!("`{program}` does not fit the convention `stdio`: it has parameters or a result");
                    return Err(Error::new(ErrorKind::UnsupportedFeature, message));
                }
                let function = TextFunction::program(info, program.name(), options)?;
                Ok(Self { name: program.name.clone(), ty: CallableType::Stdio(function, Box::new(program)) })
            }
            (Some(abi), _) => {
                let function = TextFunction::find(info, name, abi, options)?;
                Ok(Self { name: function.name().to_owned(), ty: CallableType::Text(function) })
            }
            (None, Some(name)) if info.module().is_ok_and(|info| is_plugin_function(info, name)) => {
                let function = TextFunction::find(info, Some(name), Abi::Extism, options)?;
                Ok(Self { name: function.name().to_owned(), ty: CallableType::Text(function) })
            }
            (None, Some(name)) => Self::find(info, name),
            (None, None) => Self::program(info),
        }
    }

    /// Returns the program if this is the function that runs it, else this.
    fn or_program(self, info: &CodeInfo) -> Self {
        Self::program(info).ok().filter(|program| program.name == self.name).unwrap_or(self)
    }

    /// Returns a callable without parameters and results, for records that name their own functions.
    pub(crate) fn none() -> Self {
        Self { name: String::new(), ty: CallableType::Program }
    }

    /// Finds what runs a program: `_start` of a module, or `run` of a component's `wasi:cli/run`.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if it is not a program, with a list of its functions.
    pub fn program(info: &CodeInfo) -> Result<Self> {
        match info {
            CodeInfo::Module(info) => {
                let empty = FuncType::default();
                let start = START.into_iter().find(|name| info.function(name) == Some(&empty));
                let name = start.ok_or_else(|| {
                    not_a_program("module", "`_start` of type () -> ()", lookup::list_of_functions(info))
                })?;
                let name = name.to_owned();
                Ok(Self { name, ty: CallableType::Core(empty) })
            }
            CodeInfo::Component(info) => {
                let programs = info.programs();
                let (_, interface) = programs.first().ok_or_else(|| {
                    let functions = component::lookup::list_of_functions(info);
                    let error = not_a_program("component", "`wasi:cli/run`", functions);
                    match info.http_handler() {
                        Some(name) => {
                            error.with_hint(format!("it answers HTTP requests (`{name}`): wrun is not a server"))
                        }
                        None => error,
                    }
                })?;
                Ok(Self { name: format!("{interface}#run"), ty: CallableType::Program })
            }
        }
    }

    /// Returns the name; that of a component's function in full, such as `demo:shop/till@1.2.0#total`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn ty(&self) -> &CallableType {
        &self.ty
    }

    /// Returns whether this runs a component as a program.
    #[must_use]
    pub fn is_program(&self) -> bool {
        matches!(self.ty, CallableType::Program)
    }

    /// Returns the number of parameters.
    #[must_use]
    pub fn param_count(&self) -> usize {
        match &self.ty {
            CallableType::Core(ty) => ty.params().len(),
            _ => self.wit_type().map_or(0, |ty| ty.params().len()),
        }
    }

    /// Returns the names of the parameters. Those of a module's function have none.
    #[must_use]
    pub fn param_names(&self) -> Vec<&str> {
        self.wit_type().map_or_else(Vec::new, |ty| ty.params().iter().map(|(name, _)| &**name).collect())
    }

    /// Returns the type of a component's function, or the one that a convention for text gives a module's function.
    pub(crate) fn wit_type(&self) -> Option<&WitFunction> {
        match &self.ty {
            CallableType::Component(ty) => Some(ty),
            CallableType::Text(function) | CallableType::Stdio(function, _) => Some(function.ty()),
            CallableType::Core(_) | CallableType::Program => None,
        }
    }

    /// Returns the types of the results as text, as in the WebAssembly text format or in WIT.
    #[must_use]
    pub fn result_types(&self) -> Vec<String> {
        match &self.ty {
            CallableType::Core(ty) => ty.results().iter().map(ValType::to_string).collect(),
            _ => self.wit_type().and_then(WitFunction::result).map(WitType::to_string).into_iter().collect(),
        }
    }

    /// Returns whether the result is text or bytes, so that [`CallResult::bytes`](crate::CallResult::bytes) returns it.
    #[must_use]
    pub fn returns_bytes(&self) -> bool {
        self.wit_type().and_then(WitFunction::result).is_some_and(WitType::is_text_or_bytes)
    }

    /// Returns the function if it is called by a convention for text.
    #[must_use]
    pub fn text(&self) -> Option<&TextFunction> {
        match &self.ty {
            CallableType::Text(function) | CallableType::Stdio(function, _) => Some(function),
            _ => None,
        }
    }

    /// Returns whether the signature has types that it shows by their name only.
    #[must_use]
    pub fn has_named_types(&self) -> bool {
        match &self.ty {
            CallableType::Component(ty) => {
                ty.params().iter().map(|(_, ty)| ty).chain(ty.result()).any(WitType::is_shown_by_name)
            }
            _ => false,
        }
    }

    /// Parses arguments given as text, one string for each parameter.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if there are too few or too many, or one does not have its parameter's type.
    pub fn parse_args<T: AsRef<str>>(&self, args: &[T]) -> Result<CallArgs> {
        match &self.ty {
            CallableType::Core(ty) => args::parse_text(args, ty).map(CallArgs::Core),
            CallableType::Component(ty) => component::text::parse_args(args, ty).map(CallArgs::Component),
            CallableType::Text(function) | CallableType::Stdio(function, _) => {
                function.parse_args(args).map(CallArgs::Component)
            }
            CallableType::Program => args::parse_text(args, &FuncType::default()).map(CallArgs::Core),
        }
    }

    /// Decodes arguments from JSON: an array, or a bare value for one parameter.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if `bytes` is not JSON, or does not match the signature.
    pub fn decode_json(&self, bytes: &[u8]) -> Result<CallArgs> {
        match (&self.ty, self.wit_type()) {
            (CallableType::Core(ty), _) => json::decode_args(bytes, ty).map(CallArgs::Core),
            (_, Some(ty)) => component::json::decode_args(bytes, ty).map(CallArgs::Component),
            (_, None) => json::decode_args(bytes, &FuncType::default()).map(CallArgs::Core),
        }
    }

    /// As [`Callable::decode_json`], into arguments of an earlier call, whose memory is used again.
    ///
    /// # Errors
    /// Those of [`Callable::decode_json`].
    #[inline]
    pub fn decode_json_into(&self, bytes: &[u8], args: &mut CallArgs) -> Result<()> {
        match &self.ty {
            CallableType::Core(ty) => json::decode_args_into(bytes, ty, args.core_mut()),
            _ => self.decode_json(bytes).map(|decoded| *args = decoded),
        }
    }

    /// Decodes arguments from MessagePack of the same shape as [`Callable::decode_json`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if `bytes` is not MessagePack, or does not match the signature.
    pub fn decode_msgpack(&self, bytes: &[u8]) -> Result<CallArgs> {
        match (&self.ty, self.wit_type()) {
            (CallableType::Core(ty), _) => msgpack::decode_args(bytes, ty).map(CallArgs::Core),
            (_, Some(ty)) => component::msgpack::decode_args(bytes, ty).map(CallArgs::Component),
            (_, None) => msgpack::decode_args(bytes, &FuncType::default()).map(CallArgs::Core),
        }
    }
}

/// Formats the signature: `add(i32, i32) -> i32`, or `greet: func(name: string) -> string` in a component.
impl fmt::Display for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Escaped(&self.name);
        match &self.ty {
            CallableType::Core(ty) => write!(f, "{name}{ty}"),
            CallableType::Component(ty) => write!(f, "{name}: {}", component::lookup::signature(ty)),
            CallableType::Program => write!(f, "{name}: func() -> result"),
            CallableType::Text(function) | CallableType::Stdio(function, _) => {
                write!(f, "{name}: {}", component::lookup::signature(function.ty()))
            }
        }
    }
}

fn not_a_program(code: &str, start: &str, functions: String) -> Error {
    let message = format!("no function given, and the {code} is not a program: it does not export {start}");
    Error::new(ErrorKind::UnknownExport, message).with_hint(functions)
}

impl CallArgs {
    /// Returns arguments for a function of a module, to be replaced. Those of a component are dropped.
    #[inline]
    pub(crate) fn core_mut(&mut self) -> &mut Vec<Value> {
        if let Self::Component(_) = self {
            *self = Self::Core(Vec::new());
        }
        match self {
            Self::Core(values) => values,
            Self::Component(_) => unreachable!("replaced"),
        }
    }

    /// Returns arguments for a function of a component, to be replaced. Those of a module are dropped.
    #[cfg(feature = "arrow")]
    pub(crate) fn component_mut(&mut self) -> &mut Vec<WitValue> {
        if let Self::Core(_) = self {
            *self = Self::Component(Vec::new());
        }
        match self {
            Self::Component(values) => values,
            Self::Core(_) => unreachable!("replaced"),
        }
    }
}

impl From<Vec<Value>> for CallArgs {
    fn from(args: Vec<Value>) -> Self {
        Self::Core(args)
    }
}

impl From<Vec<WitValue>> for CallArgs {
    fn from(args: Vec<WitValue>) -> Self {
        Self::Component(args)
    }
}
