//! Replaces WASIX in a build without it. Preflight checks refuse WASIX modules first, so no `Process` exists.

use std::sync::Arc;

use wasmer::{Engine, Extern, FunctionEnv, Global, Instance, RuntimeError, Store};

use super::WasmerModule;
use super::host::HostEnv;
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::Import;
use crate::runtime::host::{HostImports, Wasix};
use crate::runtime::owner::InstanceCore;

/// The WASIX process of a guest.
#[derive(Debug)]
pub(super) enum Process {}

impl Process {
    /// Refuses. [`check_instance`](crate::runtime::preflight::check_instance) returns the error that users see.
    pub(super) fn new(
        _: &mut Store,
        _: &WasmerModule,
        _: &HostImports,
        _: &Arc<Wasix>,
        _: Engine,
        _: &InstanceCore,
    ) -> Result<Self> {
        Err(Error::new(ErrorKind::UnsupportedFeature, "WASIX is not compiled in"))
    }

    pub(super) fn provide(&self, _: &mut Store, _: &FunctionEnv<HostEnv>, _: &Import) -> Option<Extern> {
        match *self {}
    }

    pub(super) fn begin(
        &mut self,
        _: &mut Store,
        _: &Instance,
        _: &[Extern],
        _: Option<&Global>,
        _: &InstanceCore,
    ) -> Result<()> {
        match *self {}
    }

    pub(super) fn run<T>(&self, _: bool, _: impl FnOnce() -> Result<T>) -> Result<T> {
        match *self {}
    }
}

/// Returns the error unchanged.
pub(super) fn convert_error(error: RuntimeError) -> Result<Error, RuntimeError> {
    Err(error)
}
