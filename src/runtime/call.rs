//! Calls of a [`Callable`] on a live module or component.

use serde::{Serialize, Serializer};

use crate::component::types::{WitFunction, WitType};
use crate::component::value::WitValue;
use crate::component::{encode, text};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::{CallArgs, Callable, CallableType};
use crate::runtime::code::CodeInstance;
use crate::runtime::component::WasmComponentFunction;
use crate::runtime::text_abi::{Abi, ResolvedPlugin, ResolvedText};
use crate::runtime::traits::WasmFunctionCaller;
use crate::value::serial::Results;
use crate::value::types::Value;

/// The result of a [`Callable`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallResult {
    /// The results of a module's function, or none of a program.
    Core(Vec<Value>),
    /// The result of a component's function of this type.
    Component(Option<WitValue>, WitFunction),
}

impl CallResult {
    /// Returns whether a component's function returned the `err` of a `result`.
    #[must_use]
    pub fn is_err(&self) -> bool {
        matches!(self, Self::Component(Some(WitValue::Result(Err(_))), _))
    }

    /// Returns the bytes of a result that is text or bytes; none for the null pointer of a C string. `None` for any other result.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        let Self::Component(value, ty) = self else { return None };
        match value {
            Some(WitValue::String(text)) => Some(text.as_bytes()),
            Some(WitValue::Bytes(bytes)) => Some(bytes),
            None if ty.result().is_some_and(WitType::is_text_or_bytes) => Some(&[]),
            _ => None,
        }
    }

    /// Formats the result for people: `null` without results, one line for each result of a module, a component's string as it
    /// is.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Core(values) if values.is_empty() => "null".to_owned(),
            Self::Core(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"),
            Self::Component(value, ty) => match value.as_ref().zip(ty.result()) {
                Some((value, ty)) => text::format(value, ty)
                    .unwrap_or_else(|error| unreachable!("a callable's result that text cannot express: {error}")),
                None => "null".to_owned(),
            },
        }
    }
}

/// Serializes null for no result, the value itself for one, an array for several.
impl Serialize for CallResult {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Core(values) => Results(values).serialize(serializer),
            Self::Component(value, ty) => encode::TypedResult::new(value.as_ref(), ty.result()).serialize(serializer),
        }
    }
}

impl From<Vec<Value>> for CallResult {
    fn from(values: Vec<Value>) -> Self {
        Self::Core(values)
    }
}

/// A [`Callable`] resolved in one instance, for any number of calls.
#[derive(Debug)]
pub struct ResolvedCallable {
    function: Function,
    /// The buffer for results.
    result: CallResult,
}

#[derive(Debug)]
enum Function {
    Core(Box<dyn WasmFunctionCaller>),
    Component(Box<dyn WasmComponentFunction>),
    Text(Box<ResolvedText>),
    Plugin(ResolvedPlugin),
    Program,
}

impl ResolvedCallable {
    /// Calls the function. Looks nothing up, and allocates nothing for numbers and vectors of a module.
    ///
    /// # Errors
    /// Those of [`WasmFunctionCaller::call`], [`WasmComponentFunction::call`] and
    /// [`WasmComponentInstance::run`](crate::WasmComponentInstance::run).
    pub fn call(&mut self, instance: &mut CodeInstance, args: &CallArgs) -> Result<&CallResult> {
        match (&mut self.function, instance, args, &mut self.result) {
            (
                Function::Core(function),
                CodeInstance::Module(instance),
                CallArgs::Core(args),
                CallResult::Core(results),
            ) => {
                function.call(instance.as_mut(), args, results)?;
            }
            (
                Function::Component(function),
                CodeInstance::Component(instance),
                CallArgs::Component(args),
                CallResult::Component(result, _),
            ) => *result = function.call(instance.as_mut(), args)?,
            (
                Function::Text(function),
                CodeInstance::Module(instance),
                CallArgs::Component(args),
                CallResult::Component(result, _),
            ) => *result = function.call(instance.as_mut(), args)?,
            (
                Function::Plugin(function),
                CodeInstance::Module(instance),
                CallArgs::Component(args),
                CallResult::Component(result, _),
            ) => *result = Some(function.call(instance.as_mut(), args)?),
            (Function::Program, CodeInstance::Component(instance), _, _) => instance.run()?,
            _ => {
                let message =
                    "the function, its arguments and the instance must all be of a module, or all of a component";
                return Err(Error::new(ErrorKind::InvalidArgument, message));
            }
        }
        Ok(&self.result)
    }

    /// Returns the result of the last call.
    #[must_use]
    pub fn result(&self) -> &CallResult {
        &self.result
    }
}

impl CodeInstance {
    /// Resolves a callable, once for any number of calls.
    ///
    /// # Errors
    /// Those of [`WasmInstance::function`](crate::WasmInstance::function) and
    /// [`WasmComponentInstance::function`](crate::WasmComponentInstance::function).
    pub fn resolve(&mut self, callable: &Callable) -> Result<ResolvedCallable> {
        if let CallableType::Stdio(..) = callable.ty() {
            let message = format!("a call of `{callable}` by the convention `stdio` needs an instance made for it");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let (function, result) = match self {
            Self::Module(instance)
                if let CallableType::Text(text) = callable.ty()
                    && text.abi() == Abi::Extism =>
            {
                let function = ResolvedPlugin::resolve(instance.as_mut(), text)?;
                (Function::Plugin(function), CallResult::Component(None, text.ty().clone()))
            }
            Self::Module(instance) if let CallableType::Text(text) = callable.ty() => {
                let function = Box::new(ResolvedText::resolve(instance.as_mut(), text)?);
                (Function::Text(function), CallResult::Component(None, text.ty().clone()))
            }
            Self::Module(instance) => {
                let function = instance.function(callable.name())?;
                let results = vec![Value::I32(0); function.ty().results().len()];
                (Function::Core(function), CallResult::Core(results))
            }
            Self::Component(_) if callable.is_program() => (Function::Program, CallResult::Core(Vec::new())),
            Self::Component(instance) => {
                let function = instance.function(callable.name())?;
                let ty = function.ty().clone();
                (Function::Component(function), CallResult::Component(None, ty))
            }
        };
        Ok(ResolvedCallable { function, result })
    }

    /// Calls a callable once.
    ///
    /// # Errors
    /// Those of [`CodeInstance::resolve`] and [`ResolvedCallable::call`].
    pub fn call(&mut self, callable: &Callable, args: &CallArgs) -> Result<CallResult> {
        if let (Self::Module(instance), CallableType::Core(ty), CallArgs::Core(args)) =
            (&mut *self, callable.ty(), args)
        {
            let mut results = vec![Value::I32(0); ty.results().len()];
            instance.call_into(callable.name(), args, &mut results)?;
            return Ok(CallResult::Core(results));
        }
        let mut resolved = self.resolve(callable)?;
        resolved.call(self, args)?;
        Ok(resolved.result)
    }
}
