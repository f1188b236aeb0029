//! Fuel metering in Wasmer's code: one signed 64-bit global holds the fuel left; below zero, the guest is out of fuel.
//!
//! A segment is a sequence of operators that control flow only enters at its start and leaves at its end. The code charges a
//! segment as a whole, at its end. A segment that begins at a fuel check is charged there in advance, since charging and
//! checking together is faster. Nothing reads the global in between; if the guest traps in between, the fuel used is
//! unknown anyway. A middleware only sees one operator at a time, so [`checked_segments`] computes these costs beforehand.

use std::sync::Arc;

use wasmer::sys::MiddlewareReaderState;
use wasmer::sys::wasmparser::{BinaryReaderError, BlockType, Operator, Parser, Payload};

use super::private_exports::EXHAUSTED;
use crate::runtime::fuel;

/// Charges fuel in the code of one function.
#[derive(Debug)]
pub(super) struct FuelCharges {
    global: u32,
    /// The costs of the segments that begin at a fuel check.
    checked_segments: Arc<[i64]>,
    /// The index of the next one of them.
    next: usize,
    /// The cost of the current segment so far.
    cost: i64,
    /// Whether the current segment is already charged.
    charged: bool,
}

impl FuelCharges {
    /// Starts a function. `global` is the index of the fuel global.
    pub(super) fn new(global: u32, checked_segments: Arc<[i64]>) -> Self {
        Self { global, checked_segments, next: 0, cost: 0, charged: false }
    }

    /// Emits a fuel check, and charges `entry` and the segment that begins here. The check fails if fuel was below zero
    /// before the segment was charged.
    pub(super) fn begin_checked_segment(&mut self, entry: i64, code: &mut MiddlewareReaderState<'_>) {
        let known = self.checked_segments.get(self.next).copied();
        self.next += 1;
        self.charged = known.is_some();
        let segment = known.unwrap_or(0);
        self.charge(entry + segment, code);
        code.extend(&[
            Operator::GlobalGet { global_index: self.global },
            Operator::I64Const { value: -segment },
            Operator::I64LtS,
            Operator::If { blockty: BlockType::Empty },
            Operator::I64Const { value: EXHAUSTED },
            Operator::GlobalSet { global_index: self.global },
            Operator::Unreachable,
            Operator::End,
        ]);
    }

    /// Counts the operator that comes next. If it ends the segment, emits the charge for the segment before it.
    pub(super) fn count(&mut self, operator: &Operator<'_>, code: &mut MiddlewareReaderState<'_>) {
        self.cost += cost(operator);
        if !ends_segment(operator) {
            return;
        }
        let segment = std::mem::take(&mut self.cost);
        if std::mem::take(&mut self.charged) {
            debug_assert_eq!(self.checked_segments.get(self.next - 1), Some(&segment), "both passes count the same");
        } else {
            self.charge(segment, code);
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

/// Computes, for each function, the costs of the segments that begin at a fuel check, in order.
pub(super) fn checked_segments(binary: &[u8]) -> Result<Vec<Arc<[i64]>>, BinaryReaderError> {
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(binary) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        let (mut segments, mut segment, mut checked) = (Vec::new(), 0, true);
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            segment += cost(&operator);
            if ends_segment(&operator) {
                segments.extend(checked.then_some(segment));
                segment = 0;
                checked = matches!(operator, Operator::Loop { .. });
            }
        }
        functions.push(segments.into());
    }
    Ok(functions)
}

/// Returns the portable cost of an operator ([`fuel`]).
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

/// Returns whether control flow may leave the code at this operator, or enter it after the operator.
fn ends_segment(operator: &Operator<'_>) -> bool {
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
