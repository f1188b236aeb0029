//! The compiler middleware that rewrites each module's code: it meters fuel, stops guests, records denied table growth and
//! defers the start function. It checks fuel and the stop flag at each function entry and each loop header. Wasmtime checks
//! fuel in the same places (`wasmtime::Config::consume_fuel`), so both engines stop a guest at the same operator.

use std::sync::{Arc, OnceLock};

use wasmer::sys::wasmparser::{self, BlockType, Operator, Parser, Payload};
use wasmer::sys::{FunctionMiddleware, MiddlewareError, MiddlewareReaderState, ModuleMiddleware};
use wasmer::{
    ExportIndex, GlobalInit, GlobalType, LocalFunctionIndex, ModuleInfo as EngineInfo, Mutability, TableType, Type,
};

use super::fuel_charges::{self, Charge, FuelCharges};
use super::offsets;
use super::private_exports::{GO, PrivateExports, STOPPED};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MAX_TABLE_ELEMENTS;
use crate::runtime::fuel;

/// Creates the middleware that adds `private` to one module; returns `None` if there is nothing to add.
pub(super) fn for_module(private: &PrivateExports, binary: &[u8]) -> Result<Option<Arc<dyn ModuleMiddleware>>> {
    if private.is_empty() {
        return Ok(None);
    }
    let functions = plans(private, binary)
        .map_err(|error| Error::new(ErrorKind::Internal, "cannot read a valid module").with_source(error))?;
    Ok(Some(Arc::new(ModuleRewriter { private: private.clone(), functions, ..ModuleRewriter::default() })))
}

/// Plans the checks of each function. Returns no plans if the code checks neither fuel nor the stop flag.
fn plans(private: &PrivateExports, binary: &[u8]) -> wasmparser::Result<Vec<FunctionPlan>> {
    let mut functions = Vec::new();
    if !private.has_checks() {
        return Ok(functions);
    }
    for payload in Parser::new(0).parse_all(binary) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        let charges = if private.fuel.is_some() { fuel_charges::charges(&body)? } else { Arc::default() };
        functions.push(FunctionPlan { charges, late: offsets::late_operators(&body)? });
    }
    Ok(functions)
}

/// The code to emit in one function, planned in advance.
#[derive(Debug)]
struct FunctionPlan {
    charges: Arc<[Charge]>,
    /// The offsets of the late operators, and of the operator after them ([`offsets`]).
    late: Vec<u32>,
}

/// Rewrites one module. It cannot be used for a second one, since it keeps the indices of the globals it adds.
#[derive(Debug, Default)]
struct ModuleRewriter {
    private: PrivateExports,
    functions: Vec<FunctionPlan>,
    /// The index of the fuel global, once it is added.
    fuel: OnceLock<u32>,
    /// The globals for stopping the guest, once they are added.
    stop: OnceLock<StopGlobals>,
    /// The globals for recording denied table growth, once they are added.
    growth: OnceLock<GrowthGlobals>,
}

impl ModuleMiddleware for ModuleRewriter {
    fn generate_function_middleware<'a>(&self, index: LocalFunctionIndex) -> Box<dyn FunctionMiddleware<'a> + 'a> {
        let plan = self.functions.get(index.as_u32() as usize);
        let late = plan.map_or(0, |plan| plan.late.len().saturating_sub(1));
        let late = u32::try_from(late).unwrap_or(u32::MAX);
        let charges = || plan.map(|plan| Arc::clone(&plan.charges)).unwrap_or_default();
        let charges = self.fuel.get().map(|global| FuelCharges::new(*global, charges()));
        let (stop, growth) = (self.stop.get().copied(), self.growth.get().cloned());
        Box::new(FunctionRewriter { next: 0, late, charges, stop, growth })
    }

    fn transform_module_info(&self, module: &mut EngineInfo) -> Result<(), MiddlewareError> {
        if let Some(name) = &self.private.fuel {
            let fuel = add_global(module, GlobalInit::I64Const(fuel::UNLIMITED), Some(name));
            self.fuel.get_or_init(|| fuel);
        }
        if let Some(name) = &self.private.stop {
            let flag = add_global(module, GlobalInit::I32Const(GO), Some(name));
            let fence = add_global(module, GlobalInit::I32Const(0), None);
            self.stop.get_or_init(|| StopGlobals { flag, fence });
        }
        if let Some(name) = &self.private.denied {
            let denied = add_global(module, GlobalInit::I64Const(0), Some(name));
            let [delta, result] = [(); 2].map(|()| add_global(module, GlobalInit::I32Const(0), None));
            let maximum = |table: &TableType| table.maximum.unwrap_or(u32::MAX).min(MAX_TABLE_ELEMENTS).into();
            let maximums = module.tables.values().map(maximum).collect();
            self.growth.get_or_init(|| GrowthGlobals { denied, delta, result, maximums });
        }
        if let (Some(name), Some(start)) = (&self.private.start, module.start_function.take()) {
            module.exports.insert(name.clone(), ExportIndex::Function(start));
        }
        if self.private.has_checks() {
            let late = self.functions.iter().zip(0..).filter(|(function, _)| !function.late.is_empty());
            let late = late.map(|(function, index)| {
                (module.func_index(LocalFunctionIndex::from_u32(index)).as_u32(), function.late.clone())
            });
            let section = module.custom_sections_data.push(offsets::encode(late));
            module.custom_sections.insert(offsets::SECTION.to_owned(), section);
        }
        Ok(())
    }
}

/// Adds a mutable global, exported as `name` if there is one; returns its index.
fn add_global(module: &mut EngineInfo, value: GlobalInit, name: Option<&String>) -> u32 {
    let ty = if matches!(value, GlobalInit::I64Const(_)) { Type::I64 } else { Type::I32 };
    module.global_initializers.push(value);
    let global = module.globals.push(GlobalType::new(ty, Mutability::Var));
    if let Some(name) = name {
        module.exports.insert(name.clone(), ExportIndex::Global(global));
    }
    global.as_u32()
}

/// Rewrites one function.
#[derive(Debug)]
struct FunctionRewriter {
    /// The index of the next operator.
    next: u32,
    /// The number of late operators, at the start of the function.
    late: u32,
    charges: Option<FuelCharges>,
    stop: Option<StopGlobals>,
    growth: Option<GrowthGlobals>,
}

impl<'a> FunctionMiddleware<'a> for FunctionRewriter {
    fn feed(&mut self, operator: Operator<'a>, code: &mut MiddlewareReaderState<'a>) -> Result<(), MiddlewareError> {
        if self.next == 0 {
            self.charge(code);
            self.check_stop(code);
        } else if self.next < self.late {
            // A late operator must come after another operator, so that its offset is its end.
            code.push_operator(Operator::Nop);
            self.charge(code);
        }
        let is_loop = matches!(operator, Operator::Loop { .. });
        match (&operator, &self.growth) {
            (Operator::TableGrow { table }, Some(growth)) => growth.grow(*table, code),
            _ => code.push_operator(operator),
        }
        self.next += 1;
        if self.next >= self.late {
            self.charge(code);
        }
        if is_loop {
            self.check_stop(code);
        }
        Ok(())
    }
}

impl FunctionRewriter {
    /// Emits the fuel charges and checks that come before the next operator.
    fn charge(&mut self, code: &mut MiddlewareReaderState<'_>) {
        if let Some(charges) = &mut self.charges {
            charges.emit(self.next, code);
        }
    }

    /// Emits the check of the stop flag at a function entry or a loop header.
    fn check_stop(&self, code: &mut MiddlewareReaderState<'_>) {
        if let Some(stop) = &self.stop {
            stop.check(code);
        }
    }
}

/// The globals for stopping the guest: the flag that other threads write, and one that the guest writes before it reads the
/// flag. Without that write, the compiler would reuse the flag's value from the previous iteration of a loop.
#[derive(Clone, Copy, Debug)]
struct StopGlobals {
    flag: u32,
    fence: u32,
}

impl StopGlobals {
    fn check(self, code: &mut MiddlewareReaderState<'_>) {
        code.extend(&[
            Operator::I32Const { value: 0 },
            Operator::GlobalSet { global_index: self.fence },
            Operator::GlobalGet { global_index: self.flag },
            Operator::If { blockty: BlockType::Empty },
            Operator::I32Const { value: STOPPED },
            Operator::GlobalSet { global_index: self.flag },
            Operator::Unreachable,
            Operator::End,
        ]);
    }
}

/// The globals for recording denied table growth: the table size of the last denied growth, and two temporaries for the
/// operand and the result of `table.grow`.
#[derive(Clone, Debug)]
struct GrowthGlobals {
    denied: u32,
    delta: u32,
    result: u32,
    /// The maximum size of each table if there were no limit.
    maximums: Arc<[i64]>,
}

impl GrowthGlobals {
    /// Emits `table.grow`. If it returns -1 although the table's type allows the new size, the code stores that size.
    fn grow(&self, table: u32, code: &mut MiddlewareReaderState<'_>) {
        let Self { denied, delta, result, ref maximums } = *self;
        let maximum = maximums.get(table as usize).copied().unwrap_or(i64::MAX);
        let new_size = [
            Operator::TableSize { table },
            Operator::I64ExtendI32U,
            Operator::GlobalGet { global_index: delta },
            Operator::I64ExtendI32U,
            Operator::I64Add,
        ];
        code.extend(&[
            Operator::GlobalSet { global_index: delta },
            Operator::GlobalGet { global_index: delta },
            Operator::TableGrow { table },
            Operator::GlobalSet { global_index: result },
            Operator::GlobalGet { global_index: result },
            Operator::I32Const { value: -1 },
            Operator::I32Eq,
            Operator::If { blockty: BlockType::Empty },
        ]);
        code.extend(&new_size);
        code.extend(&[
            Operator::I64Const { value: maximum },
            Operator::I64LeU,
            Operator::If { blockty: BlockType::Empty },
        ]);
        code.extend(&new_size);
        code.extend(&[
            Operator::GlobalSet { global_index: denied },
            Operator::End,
            Operator::End,
            Operator::GlobalGet { global_index: result },
        ]);
    }
}
