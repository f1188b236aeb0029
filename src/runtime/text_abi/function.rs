//! Functions that are called by one of the conventions.

use crate::component::info::CodeInfo;
use crate::component::types::WitFunction;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::text_abi::{Abi, Payload, TextOptions};

/// A function that takes and returns text or bytes by a convention.
#[derive(Clone, Debug)]
pub struct TextFunction {
    abi: Abi,
    payload: Payload,
    /// The types of arguments and result, as a component would have them.
    ty: WitFunction,
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
}
