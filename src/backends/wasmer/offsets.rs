//! The offsets of instructions in backtraces.
//!
//! Wasmer attributes the code of an operator to the reader's position before it reads the operator. If the middleware emits
//! code before an operator, the reader is already past that operator. So the middleware emits its code after the previous
//! operator instead. At a function's entry, there is no previous operator. If the first operators of a function may appear in a
//! backtrace ("late" operators), the code of each is attributed to its end. The middleware lists these functions in a custom
//! section, so that backtraces can be corrected, also for code from the cache.

use wasmer::sys::vm::TrapCode;
use wasmer::sys::wasmparser::{FunctionBody, Operator, Result};
use wasmer::{Module, RuntimeError};

use crate::error::Frame;

/// The name of the custom section.
pub(super) const SECTION: &str = "wrun:late";

/// Returns the offsets of the late operators at the start of a function, and the offset of the operator after them. Returns an
/// empty vector if there are no late operators.
pub(super) fn late_operators(body: &FunctionBody<'_>) -> Result<Vec<u32>> {
    let mut offsets = Vec::new();
    for operator in body.get_operators_reader()?.into_iter_with_offsets() {
        let (operator, offset) = operator?;
        let is_late = !is_inert(&operator);
        if is_late || !offsets.is_empty() {
            offsets.push(u32::try_from(offset).unwrap_or(u32::MAX));
        }
        if !is_late {
            break;
        }
    }
    Ok(offsets)
}

/// Returns whether an operator neither traps nor calls, so it never appears in a backtrace. May miss some.
fn is_inert(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::Nop
            | Operator::Drop
            | Operator::LocalGet { .. }
            | Operator::LocalSet { .. }
            | Operator::LocalTee { .. }
            | Operator::GlobalGet { .. }
            | Operator::GlobalSet { .. }
            | Operator::I32Const { .. }
            | Operator::I64Const { .. }
            | Operator::F32Const { .. }
            | Operator::F64Const { .. }
    )
}

/// Encodes the late operators of functions, by function index.
pub(super) fn encode(functions: impl Iterator<Item = (u32, Vec<u32>)>) -> Box<[u8]> {
    let words = functions.flat_map(|(index, offsets)| {
        let count = u32::try_from(offsets.len()).unwrap_or(0);
        [index, count].into_iter().chain(offsets)
    });
    words.flat_map(u32::to_le_bytes).collect()
}

/// Returns the offset of the instruction in function `index` whose code is attributed to `offset`.
fn correct(section: &[u8], index: u32, offset: u32) -> u32 {
    let mut words = section.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word));
    while let (Some(function), Some(count)) = (words.next(), words.next()) {
        let offsets: Vec<u32> = words.by_ref().take(count as usize).collect();
        if function == index {
            return offsets.windows(2).find(|pair| pair[1] == offset).map_or(offset, |pair| pair[0]);
        }
    }
    offset
}

/// Reads the backtraces of one module.
#[derive(Clone, Debug)]
pub(super) struct Offsets {
    /// Whether Singlepass compiled the module.
    pub(super) singlepass: bool,
    /// The module, if its code checks fuel or the stop flag.
    pub(super) with_checks: Option<Module>,
}

impl Offsets {
    /// Returns the backtrace of an error.
    pub(super) fn backtrace(&self, error: &RuntimeError) -> Vec<Frame> {
        let trace = error.trace();
        if trace.is_empty() {
            return Vec::new();
        }
        let section = self.with_checks.as_ref().and_then(|module| module.custom_sections(SECTION).next());
        let frame = |frame: &wasmer::FrameInfo| {
            // The engine falls back to the start of the function, where there is no instruction yet.
            let known = u32::try_from(frame.module_offset()).ok().filter(|_| frame.func_offset() != 0);
            let offset = match &section {
                Some(section) => known.map(|offset| correct(section, frame.func_index(), offset)),
                None => known,
            };
            Frame::new(frame.func_index(), frame.function_name().map(str::to_owned), offset.map(u64::from))
        };
        let mut frames: Vec<_> = trace.iter().take(Frame::MAX_READ).map(frame).collect();
        if self.singlepass && error.clone().to_trap().is_some_and(is_unknown_to_singlepass) {
            frames[0].offset = None;
        }
        frames
    }
}

/// Returns whether Singlepass attributes a trap to the wrong instruction: all checks of a function share one piece of code for
/// each kind of trap, which is attributed to the end of the function.
fn is_unknown_to_singlepass(code: TrapCode) -> bool {
    !matches!(code, TrapCode::UnreachableCodeReached | TrapCode::IntegerOverflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_late_operators_are_corrected() {
        let section = encode([(3, vec![10, 12, 14]), (7, vec![20, 21])].into_iter());
        assert_eq!([10, 12, 14, 15].map(|offset| correct(&section, 3, offset)), [10, 10, 12, 15]);
        assert_eq!([20, 21].map(|offset| correct(&section, 7, offset)), [20, 20]);
        assert_eq!(correct(&section, 4, 12), 12);
        assert_eq!(correct(&[], 3, 12), 12);
    }
}
