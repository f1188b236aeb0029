//! Calls of functions of Extism plug-ins.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::escape::EscapedText;
use crate::module::requirements::EXTISM_ENV;
use crate::runtime::plugin::takes_input;
use crate::runtime::traits::{WasmFunctionCaller, WasmInstance};
use crate::value::types::Value;

/// The maximum number of bytes of a plug-in's error message that an error contains.
const MAX_MESSAGE: usize = 4 << 10;

/// Calls a function of a plug-in with this input, and returns its output.
///
/// # Errors
/// [`ErrorKind::Plugin`] if the function returns another number than 0 or sets an error message; [`ErrorKind::Limit`] if the
/// input does not fit into the instance's memory; [`ErrorKind::UnsupportedFeature`] if the instance is not a plug-in or the
/// function has another type; those of [`WasmFunctionCaller::call`], except that a plug-in may exit with 0.
pub(crate) fn call(
    instance: &mut dyn WasmInstance,
    function: &mut dyn WasmFunctionCaller,
    input: &[u8],
) -> Result<Vec<u8>> {
    let status = Arc::clone(instance.core().status());
    let Some(plugin) = status.plugin().filter(|_| takes_input(function.ty())) else {
        let message = format!(
            "the convention `extism` needs a module that imports `{EXTISM_ENV}` and a function of type () -> i32 or \
             () -> (), not {}",
            function.ty()
        );
        return Err(Error::new(ErrorKind::UnsupportedFeature, message));
    };
    plugin.begin(status.memory(), input)?;
    let mut code = [Value::I32(0)];
    let results = function.ty().results().len();
    let called = function.call(instance, &[], &mut code[..results]);
    let message = plugin.error().map(|message| shorten(&message));
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

/// Returns the start of a plug-in's message as text that is safe to print.
fn shorten(message: &[u8]) -> String {
    let is_long = message.len() > MAX_MESSAGE;
    let text = String::from_utf8_lossy(&message[..message.len().min(MAX_MESSAGE)]);
    let end = if is_long { format!("… ({} bytes)", message.len()) } else { String::new() };
    format!("{}{end}", EscapedText(&text))
}
