//! Functions that are called by one of the conventions.

use crate::component::info::CodeInfo;
use crate::component::types::WitFunction;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::call::CallResult;
use crate::runtime::callable::{CallArgs, Callable};
use crate::runtime::text_abi::{Abi, Payload, TextOptions};

/// A function that takes and returns text or bytes by a convention.
#[derive(Clone, Debug)]
pub struct TextFunction {
    abi: Abi,
    payload: Payload,
    /// The types of arguments and result, as a component would have them.
    ty: WitFunction,
    /// What is called without arguments, if the argument is its standard input.
    program: Option<Box<Callable>>,
}

impl TextFunction {
    /// Finds a function, or a program if there is no name.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if there is no such function, [`ErrorKind::UnsupportedFeature`] if its type does not fit the
    /// convention.
    pub(crate) fn find(_: &CodeInfo, _: Option<&str>, abi: Abi, _: &TextOptions) -> Result<Self> {
        Err(Error::new(ErrorKind::UnsupportedFeature, format!("the convention `{abi}` is not implemented")))
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

    /// Returns the program whose standard input is the argument, and whose standard output is the result.
    pub(crate) fn program(&self) -> Option<&Callable> {
        self.program.as_deref()
    }

    /// Returns the standard input of a call of [`TextFunction::program`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the arguments do not fit.
    pub(crate) fn input(&self, args: &CallArgs) -> Result<Vec<u8>> {
        let _ = args;
        Err(Error::new(ErrorKind::UnsupportedFeature, format!("the convention `{}` is not implemented", self.abi)))
    }

    /// Returns the result of a call of [`TextFunction::program`] that wrote `output`.
    ///
    /// # Errors
    /// If it does not fit the payload.
    pub(crate) fn result(&self, output: Vec<u8>) -> Result<CallResult> {
        drop(output);
        Err(Error::new(ErrorKind::UnsupportedFeature, format!("the convention `{}` is not implemented", self.abi)))
    }
}
