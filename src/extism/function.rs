//! A function of `extism:host/env` as a host function.

use std::sync::Arc;

use super::options::PluginOptions;
use super::state::{PluginHost, PluginState};
use crate::escape::Escaped;
use crate::runtime::host::{HintedError, HostContext, HostError, HostFunction};
use crate::runtime::interrupt::StopReason;
use crate::value::types::{FuncType, ValType, Value};

/// A function of `extism:host/env`. It returns at most one value.
pub(super) struct PluginFunction {
    pub(super) name: &'static str,
    pub(super) params: &'static [ValType],
    pub(super) results: &'static [ValType],
    pub(super) call: fn(&mut Call<'_>, &[Value]) -> Result<Option<Value>, HostError>,
}

/// The maximum number of bytes of a name, of a logged message, and of a request that is read for an error message.
pub(super) const MAX_READ: usize = 64 << 10;

/// The context of one call.
pub(super) struct Call<'c> {
    pub(super) state: &'c mut PluginState,
    pub(super) options: &'c PluginOptions,
    pub(super) context: &'c dyn HostContext,
}

/// Creates a function.
pub(super) const fn function(
    name: &'static str,
    params: &'static [ValType],
    results: &'static [ValType],
    call: fn(&mut Call<'_>, &[Value]) -> Result<Option<Value>, HostError>,
) -> PluginFunction {
    PluginFunction { name, params, results, call }
}

impl PluginFunction {
    /// Creates the host function for one instance.
    pub(super) fn host_function(&'static self, host: &Arc<PluginHost>) -> HostFunction {
        let host = Arc::clone(host);
        HostFunction::new(FuncType::new(self.params, self.results), move |context, args| {
            let mut state = host.state();
            let result = (self.call)(&mut Call { state: &mut state, options: &host.options, context }, args);
            match result {
                Ok(value) => Ok(value.into_iter().collect()),
                Err(stop) if stop.is::<StopReason>() => Err(stop),
                Err(error) => Err(self.failed(error)),
            }
        })
    }

    /// Adds the name of the function to its error.
    fn failed(&self, error: HostError) -> HostError {
        let message = format!("`{}`: {error}", self.name);
        match error.downcast::<HintedError>() {
            Ok(error) => HintedError { message, hint: error.hint }.into(),
            Err(_) => message.into(),
        }
    }
}

impl Call<'_> {
    /// Allocates a block with these bytes, for the plug-in to free. An empty block has the offset 0.
    pub(super) fn insert(&mut self, bytes: &[u8]) -> Result<Value, HostError> {
        let token = self.context.interrupt_token();
        let offset = self.state.blocks.insert(bytes, token.status().memory());
        offset.map(offset_value).ok_or_else(|| format!("no memory for {} bytes", bytes.len()).into())
    }

    /// Returns the bytes of the block at this offset; none at 0.
    pub(super) fn block(&self, offset: u64) -> Result<&[u8], HostError> {
        if offset == 0 {
            return Ok(&[]);
        }
        self.state.blocks.block(offset).ok_or_else(|| no_block(offset))
    }

    /// Returns the name in the block at this offset.
    pub(super) fn name(&self, offset: u64) -> Result<&str, HostError> {
        let bytes = self.block(offset)?;
        if bytes.len() > MAX_READ {
            return Err(format!("a name has {} bytes, but at most {MAX_READ} are allowed", bytes.len()).into());
        }
        std::str::from_utf8(bytes).map_err(|_| {
            let text = String::from_utf8_lossy(bytes);
            format!("`{}` is not UTF-8", Escaped(&text)).into()
        })
    }
}

pub(super) fn no_block(offset: u64) -> HostError {
    format!("there is no block at {offset:#x}").into()
}

/// Returns an argument of type i64, which is an offset or a length.
pub(super) fn unsigned(args: &[Value], index: usize) -> u64 {
    match args.get(index) {
        Some(Value::I64(value)) => value.cast_unsigned(),
        _ => 0,
    }
}

/// Returns an offset or a length as a value of type i64.
pub(super) fn offset_value(offset: u64) -> Value {
    Value::I64(offset.cast_signed())
}
