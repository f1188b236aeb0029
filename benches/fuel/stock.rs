//! Wasmer's own metering.
//!
//! This emits the same operators as the metering of the crate `wasmer-middlewares`. The crate itself would turn on
//! features of `wasmer` (`headless`, `wasmparser`) for all tests, and wrun is built without them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wasmer::sys::wasmparser::{BlockType, Operator};
use wasmer::sys::{
    CompilerConfig, Cranelift, FunctionMiddleware, MiddlewareError, MiddlewareReaderState, ModuleMiddleware,
};
use wasmer::{ExportIndex, GlobalInit, GlobalType, LocalFunctionIndex, ModuleInfo, Mutability, Type};

/// Returns a compiler that meters the code of one module.
pub(crate) fn compiler() -> Cranelift {
    let mut compiler = Cranelift::default();
    compiler.push_middleware(Arc::new(Metering { remaining: AtomicU32::new(0) }));
    compiler
}

/// The metering of one module.
#[derive(Debug)]
struct Metering {
    /// The index of the global with the remaining points. The next global says whether they are exhausted.
    remaining: AtomicU32,
}

impl ModuleMiddleware for Metering {
    fn generate_function_middleware<'a>(&self, _: LocalFunctionIndex) -> Box<dyn FunctionMiddleware<'a> + 'a> {
        Box::new(FunctionMetering { remaining: self.remaining.load(Ordering::Acquire), cost: 0 })
    }

    fn transform_module_info(&self, module: &mut ModuleInfo) -> Result<(), MiddlewareError> {
        let remaining = module.globals.push(GlobalType::new(Type::I64, Mutability::Var));
        module.global_initializers.push(GlobalInit::I64Const(i64::MAX));
        module.exports.insert("wasmer_metering_remaining_points".to_owned(), ExportIndex::Global(remaining));
        let exhausted = module.globals.push(GlobalType::new(Type::I32, Mutability::Var));
        module.global_initializers.push(GlobalInit::I32Const(0));
        module.exports.insert("wasmer_metering_points_exhausted".to_owned(), ExportIndex::Global(exhausted));
        self.remaining.store(remaining.as_u32(), Ordering::Release);
        Ok(())
    }
}

#[derive(Debug)]
struct FunctionMetering {
    remaining: u32,
    /// The cost of the operators since the last check.
    cost: i64,
}

impl<'a> FunctionMiddleware<'a> for FunctionMetering {
    fn feed(&mut self, operator: Operator<'a>, code: &mut MiddlewareReaderState<'a>) -> Result<(), MiddlewareError> {
        self.cost += 1;
        if is_checked(&operator) {
            let (global_index, value) = (self.remaining, std::mem::take(&mut self.cost));
            code.extend(&[
                Operator::GlobalGet { global_index },
                Operator::I64Const { value },
                Operator::I64LtU,
                Operator::If { blockty: BlockType::Empty },
                Operator::I32Const { value: 1 },
                Operator::GlobalSet { global_index: self.remaining + 1 },
                Operator::Unreachable,
                Operator::End,
                Operator::GlobalGet { global_index },
                Operator::I64Const { value },
                Operator::I64Sub,
                Operator::GlobalSet { global_index },
            ]);
        }
        code.push_operator(operator);
        Ok(())
    }
}

/// Whether the code checks the remaining points before this operator. Covers the operators that the programs use.
fn is_checked(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Loop { .. }
            | Operator::End
            | Operator::If { .. }
            | Operator::Else
            | Operator::Br { .. }
            | Operator::BrTable { .. }
            | Operator::BrIf { .. }
            | Operator::Call { .. }
            | Operator::CallIndirect { .. }
            | Operator::Return
    )
}
