//! The functions of `extism:host/env` for configuration, variables, HTTP and logging. As in Extism, they free the blocks that
//! they get as arguments.

use tracing::Level;

use super::function::{Call, PluginFunction, function, no_block, unsigned};
use super::variables::Refused;
use super::{http, log};
use crate::runtime::host::HostError;
use crate::value::types::ValType::{I32, I64};
use crate::value::types::Value;

/// The functions.
pub(super) const FUNCTIONS: [PluginFunction; 12] = [
    function("config_get", &[I64], &[I64], |call, args| {
        let name = unsigned(args, 0);
        let value = call.options.config.get(call.name(name)?);
        // The name is freed last: some plug-ins free it once more, which must not free the value.
        let value = call.insert(value.map_or(&[], String::as_bytes))?;
        call.state.blocks.free(name);
        Ok(Some(value))
    }),
    function("var_get", &[I64], &[I64], |call, args| {
        let name = unsigned(args, 0);
        let value = call.state.variables.get(call.name(name)?).unwrap_or_default().to_vec();
        let value = call.insert(&value)?;
        call.state.blocks.free(name);
        Ok(Some(value))
    }),
    function("var_set", &[I64, I64], &[], set_variable),
    function("http_request", &[I64, I64], &[I64], http::request),
    function("http_status_code", &[], &[I32], |call, _| Ok(Some(Value::I32(i32::from(call.state.response.status))))),
    function("http_headers", &[], &[I64], |call, _| {
        let headers = call.state.response.headers.clone().unwrap_or_default();
        Ok(Some(call.insert(headers.as_bytes())?))
    }),
    function("log_trace", &[I64], &[], |call, args| log::write(call, Level::TRACE, unsigned(args, 0))),
    function("log_debug", &[I64], &[], |call, args| log::write(call, Level::DEBUG, unsigned(args, 0))),
    function("log_info", &[I64], &[], |call, args| log::write(call, Level::INFO, unsigned(args, 0))),
    function("log_warn", &[I64], &[], |call, args| log::write(call, Level::WARN, unsigned(args, 0))),
    function("log_error", &[I64], &[], |call, args| log::write(call, Level::ERROR, unsigned(args, 0))),
    function("get_log_level", &[], &[I32], |_, _| Ok(Some(Value::I32(log::level())))),
];

/// Sets a variable, or removes it if the value's offset is 0.
fn set_variable(call: &mut Call<'_>, args: &[Value]) -> Result<Option<Value>, HostError> {
    let (name_offset, value_offset) = (unsigned(args, 0), unsigned(args, 1));
    let max = call.options.max_variable_bytes;
    if max == 0 {
        return Err("this host denies variables".into());
    }
    let name = call.name(name_offset)?.to_owned();
    let token = call.context.interrupt_token();
    let memory = token.status().memory();
    if value_offset == 0 {
        call.state.variables.remove(&name, memory);
    } else {
        let state = &mut *call.state;
        let value = state.blocks.block(value_offset).ok_or_else(|| no_block(value_offset))?;
        state.variables.set(&name, value, max, memory).map_err(|refused| match refused {
            Refused::Full => format!("the variables would need more than {max} bytes"),
            Refused::NoMemory => "no memory for the variable".to_owned(),
        })?;
        call.state.blocks.free(value_offset);
    }
    call.state.blocks.free(name_offset);
    Ok(None)
}
