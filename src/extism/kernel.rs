//! The functions of `extism:host/env` on memory, input and output.

use super::function::{Call, PluginFunction, function, offset_value, unsigned};
use super::state::Span;
use crate::runtime::access;
use crate::runtime::host::HostError;
use crate::value::types::ValType::{I32, I64};
use crate::value::types::Value;

/// The functions. Loads outside the plug-in's memory return 0, and stores are ignored, as in Extism.
pub(super) const FUNCTIONS: [PluginFunction; 20] = [
    function("alloc", &[I64], &[I64], |call, args| {
        let token = call.context.interrupt_token();
        let proceeds = || token.check_interrupt().is_ok();
        let offset = call.state.blocks.allocate_while(unsigned(args, 0), token.status().memory(), &proceeds);
        if offset.is_none() {
            token.check_interrupt()?;
        }
        offset_of(offset.unwrap_or(0))
    }),
    function("free", &[I64], &[], |call, args| {
        call.state.blocks.free(unsigned(args, 0));
        Ok(None)
    }),
    function("length", &[I64], &[I64], length),
    function("length_unsafe", &[I64], &[I64], length),
    function("load_u8", &[I64], &[I32], |call, args| {
        let [byte] = call.state.blocks.load(unsigned(args, 0)).unwrap_or_default();
        Ok(Some(Value::I32(i32::from(byte))))
    }),
    function("load_u64", &[I64], &[I64], |call, args| {
        let bytes = call.state.blocks.load(unsigned(args, 0)).unwrap_or_default();
        Ok(Some(Value::I64(i64::from_le_bytes(bytes))))
    }),
    function("store_u8", &[I64, I32], &[], |call, args| {
        if let Some(Value::I32(value)) = args.get(1) {
            call.state.blocks.store(unsigned(args, 0), &value.to_le_bytes()[..1]);
        }
        Ok(None)
    }),
    function("store_u64", &[I64, I64], &[], |call, args| {
        call.state.blocks.store(unsigned(args, 0), &unsigned(args, 1).to_le_bytes());
        Ok(None)
    }),
    function("input_length", &[], &[I64], |call, _| offset_of(call.state.input.length)),
    function("input_offset", &[], &[I64], |call, _| offset_of(call.state.input.offset)),
    function("input_load_u8", &[I64], &[I32], |call, args| {
        let [byte] = load_input(call, unsigned(args, 0));
        Ok(Some(Value::I32(i32::from(byte))))
    }),
    function("input_load_u64", &[I64], &[I64], |call, args| {
        Ok(Some(Value::I64(i64::from_le_bytes(load_input(call, unsigned(args, 0))))))
    }),
    function("input_set", &[I64, I64], &[], |call, args| {
        call.state.input = span(call, unsigned(args, 0), unsigned(args, 1))?;
        Ok(None)
    }),
    function("output_set", &[I64, I64], &[], |call, args| {
        call.state.output = span(call, unsigned(args, 0), unsigned(args, 1))?;
        Ok(None)
    }),
    function("output_length", &[], &[I64], |call, _| offset_of(call.state.output.length)),
    function("output_offset", &[], &[I64], |call, _| offset_of(call.state.output.offset)),
    function("error_set", &[I64], &[], |call, args| {
        let offset = unsigned(args, 0);
        let length = call.block(offset)?.len() as u64;
        call.state.error = (offset != 0).then_some(Span { offset, length });
        Ok(None)
    }),
    function("error_get", &[], &[I64], |call, _| offset_of(call.state.error.map_or(0, |error| error.offset))),
    function("memory_bytes", &[], &[I64], |call, _| offset_of(call.state.blocks.taken())),
    function("reset", &[], &[], |call, _| {
        let token = call.context.interrupt_token();
        call.state.reset(token.status().memory());
        Ok(None)
    }),
];

fn length(call: &mut Call<'_>, args: &[Value]) -> Result<Option<Value>, HostError> {
    offset_of(call.state.blocks.length(unsigned(args, 0)).unwrap_or(0))
}

/// Returns bytes of the input, or zeros if they are not within it.
fn load_input<const N: usize>(call: &Call<'_>, offset: u64) -> [u8; N] {
    let Span { offset: start, length } = call.state.input;
    let is_within = access::is_within(offset, N as u64, length);
    is_within.then(|| call.state.blocks.load(start + offset)).flatten().unwrap_or([0; N])
}

/// Checks that a range is within the plug-in's memory.
fn span(call: &Call<'_>, offset: u64, length: u64) -> Result<Span, HostError> {
    if length > 0 && call.state.blocks.range(offset, length).is_none() {
        return Err(format!("{length} bytes at {offset:#x} are not within the plug-in's memory").into());
    }
    Ok(Span { offset, length })
}

#[expect(clippy::unnecessary_wraps, reason = "the result of a function")]
fn offset_of(offset: u64) -> Result<Option<Value>, HostError> {
    Ok(Some(offset_value(offset)))
}
