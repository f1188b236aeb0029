//! The offsets of instructions in backtraces.

use wasmtime::{AsContext, FrameInfo, Module, Trap, WasmBacktrace};

use super::limits::GuestData;
use crate::error::Frame;

/// The machine instruction that Cranelift emits for `unreachable`.
#[cfg(target_arch = "x86_64")]
const TRAP: &[u8] = &[0x0f, 0x0b];
#[cfg(target_arch = "aarch64")]
const TRAP: &[u8] = &[0x1f, 0xc1, 0x00, 0x00];
/// Unknown for other processors.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const TRAP: &[u8] = &[0; 64];

/// Returns the backtrace of an error.
pub(super) fn backtrace(store: &impl AsContext<Data: GuestData>, error: &wasmtime::Error) -> Vec<Frame> {
    let store = store.as_context();
    let frame = |frame: &FrameInfo| {
        // At the start of a function, where the engine checks for interrupts, there is no instruction yet.
        let offset = store.data().offset(frame).filter(|_| frame.func_offset() != Some(0));
        Frame::new(frame.func_index(), frame.func_name().map(str::to_owned), offset)
    };
    let known = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let mut frames: Vec<_> = known.iter().take(Frame::MAX_READ).map(frame).collect();
    if let (Some(innermost), Some(known)) = (frames.first_mut(), known.first())
        && error.downcast_ref() == Some(&Trap::UnreachableCodeReached)
        && store.get_fuel().is_err()
        && is_merged(known)
    {
        innermost.offset = None;
    }
    frames
}

/// Returns whether the engine attributes an `unreachable` to another instruction. Without fuel metering, Cranelift merges a
/// branch and the `unreachable` that it leads to, and attributes both to the branch.
fn is_merged(frame: &FrameInfo) -> bool {
    let offset = frame.module_offset().and_then(|offset| u32::try_from(offset).ok());
    // An `unreachable` compiles to this instruction alone. Padding may follow.
    offset.is_some_and(|offset| !code_of(frame.module(), offset).iter().all(|code| code.starts_with(TRAP)))
}

/// Returns the machine code of the operator at `offset`.
fn code_of(module: &Module, offset: u32) -> Vec<&[u8]> {
    let text = module.text();
    let Some(mut entries) = module.address_map() else { return Vec::new() };
    let (mut code, mut start) = (Vec::new(), None);
    loop {
        let entry = entries.next();
        if let Some(start) = start.take() {
            let end = entry.map_or(text.len(), |(at, _)| at);
            code.extend(text.get(start..end));
        }
        match entry {
            Some((at, Some(of))) if of == offset => start = Some(at),
            Some(_) => {}
            None => return code,
        }
    }
}
