//! Calls of functions of Extism plug-ins.

use std::sync::Arc;

use crate::component::args;
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::EscapedText;
use crate::runtime::text_abi::{TextFunction, payload};
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance};
use crate::value::types::Value;

/// The maximum number of bytes of a plug-in's error message that an error contains.
const MAX_MESSAGE: usize = 4 << 10;

/// A function of a plug-in, resolved in one instance.
#[derive(Debug)]
pub(crate) struct ResolvedPlugin {
    text: TextFunction,
    function: Box<dyn WasmFunctionCaller>,
}

impl ResolvedPlugin {
    /// Resolves the function.
    ///
    /// # Errors
    /// Those of [`WasmInstance::function`].
    pub(crate) fn resolve(instance: &mut dyn WasmInstance, text: &TextFunction) -> Result<Self> {
        Ok(Self { text: text.clone(), function: instance.function(text.name())? })
    }

    /// Calls the function with its argument as input, and returns its output.
    ///
    /// # Errors
    /// [`ErrorKind::Plugin`] if the function returns another number than 0 or sets an error message; [`ErrorKind::Limit`] if the
    /// input does not fit into the instance's memory; [`ErrorKind::UnsupportedFeature`] if the instance is not a plug-in;
    /// [`ErrorKind::InvalidResult`] if the output has another format; [`ErrorKind::InvalidArgument`] if the arguments do not
    /// fit; those of [`WasmFunctionCaller::call`], except that a plug-in may exit with 0.
    pub(crate) fn call(&mut self, instance: &mut dyn WasmInstance, values: &[WitValue]) -> Result<WitValue> {
        args::count(values.len(), self.text.ty())?;
        let output = self.run(instance, payload::bytes(&values[0])?)?;
        payload::decode(self.text.payload(), output, self.text.name())
    }

    fn run(&mut self, instance: &mut dyn WasmInstance, input: &[u8]) -> Result<Vec<u8>> {
        let status = Arc::clone(instance.core().status());
        let plugin = status.plugin().ok_or_else(|| {
            Error::new(ErrorKind::UnsupportedFeature, "the instance was not created as that of an Extism plug-in")
        })?;
        plugin.begin(status.memory(), input)?;
        let mut code = [Value::I32(0)];
        let results = self.function.ty().results().len();
        let called = self.function.call(instance, &[], &mut code[..results]);
        let message = plugin.error(MAX_MESSAGE).map(|(start, length)| message(&start, length));
        match (called, message) {
            (Ok(()), None) if code == [Value::I32(0)] => Ok(plugin.output()),
            (Err(error), None) if error.exit_code() == Some(0) => Ok(plugin.output()),
            (Ok(()), Some(message)) => Err(Error::new(ErrorKind::Plugin, message)),
            (Ok(()), None) => {
                let [code] = code;
                Err(Error::new(ErrorKind::Plugin, format!("the plug-in returned {code} without an error message")))
            }
            (Err(error), None) => Err(error),
            (Err(error), Some(message)) => Err(error.with_detail(&message)),
        }
    }
}

/// Returns the start of a plug-in's message of `length` bytes as text that is safe to print.
fn message(start: &[u8], length: u64) -> String {
    let end = if length > start.len() as u64 { format!("… ({length} bytes)") } else { String::new() };
    format!("{}{end}", EscapedText(&String::from_utf8_lossy(start)))
}
