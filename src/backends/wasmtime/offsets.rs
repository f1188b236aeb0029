//! The offsets of instructions in backtraces.

use wasmtime::{FrameInfo, Module, Trap, WasmBacktrace};

use crate::error::Frame;

/// The machine instruction that traps.
#[cfg(target_arch = "x86_64")]
const TRAP: &[u8] = &[0x0f, 0x0b];
#[cfg(target_arch = "aarch64")]
const TRAP: &[u8] = &[0x1f, 0xc1, 0x00, 0x00];
/// It is not known for other processors.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const TRAP: &[u8] = &[0; 64];

/// Returns the backtrace of an error. `code_shift` says by how many bytes the code section was moved before compilation.
pub(super) fn backtrace(error: &wasmtime::Error, code_shift: i64) -> Vec<Frame> {
    let frame = |frame: &FrameInfo| {
        // At the start of a function, where the engine checks for interrupts, there is no instruction yet.
        let offset = frame.module_offset().filter(|_| frame.func_offset() != Some(0));
        let offset = offset.map(|offset| (offset as u64).wrapping_add_signed(-code_shift));
        Frame::new(frame.func_index(), frame.func_name().map(str::to_owned), offset)
    };
    let known = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    let mut frames: Vec<_> = known.iter().take(Frame::MAX_COUNT).map(frame).collect();
    if let (Some(innermost), Some(known), Some(trap)) = (frames.first_mut(), known.first(), error.downcast_ref())
        && innermost.offset.is_some()
        && !is_exact(known, *trap)
    {
        innermost.offset = None;
    }
    frames
}

/// Returns whether the engine attributes a trap to its own instruction. Cranelift merges a branch and an unconditional trap
/// that it leads to, and attributes both to the branch.
fn is_exact(frame: &FrameInfo, trap: Trap) -> bool {
    let Some(offset) = frame.module_offset().and_then(|offset| u32::try_from(offset).ok()) else { return true };
    match trap {
        // Other code belongs to a branch. Padding may follow the instruction.
        Trap::UnreachableCodeReached => code_of(frame.module(), offset).iter().all(|code| code.starts_with(TRAP)),
        // An access faults, except that one with an offset of almost 4 GiB traps unconditionally.
        Trap::MemoryOutOfBounds => {
            !code_of(frame.module(), offset).iter().any(|code| code.windows(TRAP.len()).any(|part| part == TRAP))
        }
        _ => true,
    }
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
