//! Portable fuel in Wasmer's code: one signed 64-bit global, exhausted when below zero.
//!
//! Costs gather along straight-line code, and each line of it is charged where control may leave it or come in. The line
//! that begins where fuel is checked is charged there, ahead, since to check and charge in one go is quicker than to do so
//! one after the other: nobody looks at the counter in between, and where a trap does, what was used is not known anyway. A
//! middleware is given one operator at a time, so what a line costs is found before, in a pass of its own.

use std::sync::Arc;

use wasmer::sys::MiddlewareReaderState;
use wasmer::sys::wasmparser::{BinaryReaderError, BlockType, Operator, Parser, Payload};

use super::middleware::EXHAUSTED;
use crate::runtime::fuel;

/// One function's costs.
#[derive(Debug)]
pub(super) struct FuelCharges {
    global: u32,
    lines: Arc<[i64]>,
    /// How many of `lines` have begun.
    next: usize,
    /// What is used on the line so far.
    owed: i64,
    /// Whether the line is charged already.
    ahead: bool,
}

impl FuelCharges {
    /// The costs of a function whose lines that begin at a check cost this, counted in `global`.
    pub(super) fn new(global: u32, lines: Arc<[i64]>) -> Self {
        Self { global, lines, next: 0, owed: 0, ahead: false }
    }

    /// Where fuel is checked: charges the line that begins here, and stops the guest where, but for this line, less than
    /// nothing is left.
    pub(super) fn begin_line(&mut self, entry: i64, code: &mut MiddlewareReaderState<'_>) {
        let known = self.lines.get(self.next).copied();
        self.next += 1;
        self.ahead = known.is_some();
        let line = known.unwrap_or(0);
        self.charge(entry + line, code);
        code.extend(&[
            Operator::GlobalGet { global_index: self.global },
            Operator::I64Const { value: -line },
            Operator::I64LtS,
            Operator::If { blockty: BlockType::Empty },
            Operator::I64Const { value: EXHAUSTED },
            Operator::GlobalSet { global_index: self.global },
            Operator::Unreachable,
            Operator::End,
        ]);
    }

    /// Counts an operator that comes next; where its line ends with it, the line is charged before it.
    pub(super) fn count(&mut self, operator: &Operator<'_>, code: &mut MiddlewareReaderState<'_>) {
        self.owed += cost(operator);
        if !ends_line(operator) {
            return;
        }
        let owed = std::mem::take(&mut self.owed);
        if std::mem::take(&mut self.ahead) {
            debug_assert_eq!(self.lines.get(self.next - 1), Some(&owed), "both passes count the same");
        } else {
            self.charge(owed, code);
        }
    }

    fn charge(&self, units: i64, code: &mut MiddlewareReaderState<'_>) {
        if units != 0 {
            code.extend(&[
                Operator::GlobalGet { global_index: self.global },
                Operator::I64Const { value: units },
                Operator::I64Sub,
                Operator::GlobalSet { global_index: self.global },
            ]);
        }
    }
}

/// Of each function, what the lines cost that begin where fuel is checked, in order.
pub(super) fn lines_of(binary: &[u8]) -> Result<Vec<Arc<[i64]>>, BinaryReaderError> {
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        let (mut lines, mut line, mut ahead) = (Vec::new(), 0, true);
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            line += cost(&operator);
            if ends_line(&operator) {
                lines.extend(ahead.then_some(line));
                line = 0;
                ahead = matches!(operator, Operator::Loop { .. });
            }
        }
        functions.push(lines.into());
    }
    Ok(functions)
}

/// The cost of an operator: portable fuel's table ([`fuel`]).
fn cost(operator: &Operator<'_>) -> i64 {
    match operator {
        Operator::Nop
        | Operator::Drop
        | Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::Unreachable
        | Operator::Return
        | Operator::Else
        | Operator::End => 0,
        _ => fuel::OPERATOR,
    }
}

/// Whether control may leave a line of code here, or come in.
fn ends_line(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return
            | Operator::Unreachable
            | Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::Throw { .. }
            | Operator::ThrowRef
    )
}
