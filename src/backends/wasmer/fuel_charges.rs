//! Fuel metering in Wasmer's code: one signed 64-bit global holds the fuel left; below zero, the guest is out of fuel.
//!
//! A segment is a sequence of operators that control flow only enters at its start and leaves at its end. The code charges a
//! segment as a whole, at its end. A segment that begins at a fuel check is charged there in advance, since charging and
//! checking together is faster. Nothing reads the global in between; if the guest traps in between, the fuel used is
//! unknown anyway. A middleware only sees one operator at a time, so [`charges`] computes the charges in advance.

use std::sync::Arc;

use wasmer::sys::MiddlewareReaderState;
use wasmer::sys::wasmparser::{BlockType, FunctionBody, Operator, Result};

use super::private_exports::EXHAUSTED;
use crate::runtime::fuel;

/// Fuel that the code charges before an operator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Charge {
    /// The operator's index in its function.
    before: u32,
    units: i64,
    /// Whether the code also checks the fuel there.
    check: bool,
}

/// Charges fuel in the code of one function.
#[derive(Debug)]
pub(super) struct FuelCharges {
    global: u32,
    charges: Arc<[Charge]>,
    /// The index of the next one of them.
    next: usize,
}

impl FuelCharges {
    /// Starts a function. `global` is the index of the fuel global.
    pub(super) fn new(global: u32, charges: Arc<[Charge]>) -> Self {
        Self { global, charges, next: 0 }
    }

    /// Emits the charges before the operator at `index`. A check fails if fuel was below zero before its segment was charged.
    pub(super) fn emit(&mut self, index: u32, code: &mut MiddlewareReaderState<'_>) {
        while let Some(Charge { units, check, .. }) = self.charges.get(self.next).filter(|one| one.before == index) {
            self.next += 1;
            let entry = if index == 0 { fuel::ENTRY } else { 0 };
            self.charge(entry + units, code);
            if *check {
                code.extend(&[
                    Operator::GlobalGet { global_index: self.global },
                    Operator::I64Const { value: -units },
                    Operator::I64LtS,
                    Operator::If { blockty: BlockType::Empty },
                    Operator::I64Const { value: EXHAUSTED },
                    Operator::GlobalSet { global_index: self.global },
                    Operator::Unreachable,
                    Operator::End,
                ]);
            }
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

/// Computes the charges of a function, in order.
pub(super) fn charges(body: &FunctionBody<'_>) -> Result<Arc<[Charge]>> {
    let (mut charges, mut start, mut units, mut check) = (Vec::new(), 0, 0, true);
    for (index, operator) in (0..).zip(body.get_operators_reader()?) {
        let operator = operator?;
        units += cost(&operator);
        if ends_segment(&operator) {
            if check || units != 0 {
                charges.push(Charge { before: if check { start } else { index }, units, check });
            }
            (start, units, check) = (index + 1, 0, matches!(operator, Operator::Loop { .. }));
        }
    }
    Ok(charges.into())
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
