//! Portable fuel, guests that can be stopped, table growth that is told, and a start function that waits: a middleware over
//! each module's code. Fuel is checked, and a guest stopped, at each function's entry and each loop's head, which is where
//! Wasmtime checks (`wasmtime::Config::consume_fuel`), so both engines stop at the same place.

use std::sync::{Arc, OnceLock};

use wasmer::sys::wasmparser::{BlockType, Operator};
use wasmer::sys::{FunctionMiddleware, MiddlewareError, MiddlewareReaderState, ModuleMiddleware};
use wasmer::{
    ExportError, ExportIndex, Function as Func, GlobalInit, GlobalType, Instance, LocalFunctionIndex,
    ModuleInfo as EngineInfo, Mutability, TableType, Type,
};

use super::fuel_charges::{self, FuelCharges};
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::MOST_TABLE_ELEMENTS;
use crate::module::info::ModuleInfo;
use crate::module::requirements;
use crate::runtime::{fuel, preflight};

/// What the fuel global is set to by the guest code that finds it below zero. Nothing else writes it, so it tells
/// exhaustion from an `unreachable` of the guest's own.
pub(super) const EXHAUSTED: i64 = i64::MIN;

/// The stop flag of a guest that may go on, of one that is to stop, and of one that has: the last is only written by the
/// guest, so it tells a stop from an `unreachable` of the guest's own.
pub(super) const GO: i32 = 0;
pub(super) const STOP: i32 = 1;
pub(super) const STOPPED: i32 = 2;

/// The private exports a module is given, by names it does not use itself.
#[derive(Clone, Debug, Default)]
pub(super) struct PrivateExports {
    /// The fuel global, where fuel is metered.
    pub(super) fuel: Option<String>,
    /// The flag that other threads stop the guest by, where they can.
    pub(super) stop: Option<String>,
    /// How many table elements were asked for in vain, where tables may grow: the engine asks nobody and tells nobody.
    pub(super) denied: Option<String>,
    /// The start function, which is called once the instance is ready for it.
    pub(super) start: Option<String>,
}

impl PrivateExports {
    /// The private exports that a module needs.
    pub(super) fn of(info: &ModuleInfo, config: &RuntimeConfig) -> Self {
        let unless = |unused: bool, name: &str| (!unused).then(|| fuel::unused_export(info, name));
        // Threads are to be stopped with their program, whoever else is to be; and each would have a tank of its own.
        let threads = requirements::starts_threads(info);
        let fuel = unless(!config.metering || threads, "wrun:fuel");
        let stop = unless(!config.interruption && !threads, "wrun:stop");
        let denied = unless(!preflight::may_grow_tables(info), "wrun:denied");
        let start = unless(info.start.is_none(), "wrun:start");
        Self { fuel, stop, denied, start }
    }

    /// The start function of an instance, where it has one to wait for.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the code has none.
    pub(super) fn start<'i>(&self, instance: &'i Instance) -> Result<Option<&'i Func>> {
        let start = self.start.as_ref().map(|name| instance.exports.get_function(name));
        start.transpose().map_err(not_prepared)
    }

    /// The middleware that makes them, for one module: its state is that module's.
    pub(super) fn middleware(&self, binary: &[u8]) -> Result<Option<Arc<dyn ModuleMiddleware>>> {
        let Self { fuel, stop, denied, start } = self;
        if [fuel, stop, denied, start].into_iter().all(Option::is_none) {
            return Ok(None);
        }
        let lines = if fuel.is_some() { fuel_charges::lines_of(binary) } else { Ok(Vec::new()) };
        let lines = lines.map_err(|error| {
            Error::new(ErrorKind::Internal, "a valid module could not be read again").with_source(error)
        })?;
        Ok(Some(Arc::new(Transform { private: self.clone(), lines, ..Transform::default() })))
    }
}

/// The failure of code that lacks a private export.
pub(super) fn not_prepared(error: ExportError) -> Error {
    Error::new(ErrorKind::Internal, "the code was not prepared for its host").with_source(error)
}

/// The transformation of one module.
#[derive(Debug, Default)]
struct Transform {
    private: PrivateExports,
    /// Of each function, what the lines cost that begin where fuel is checked, in order.
    lines: Vec<Arc<[i64]>>,
    /// The index of the fuel global, once the module has one.
    fuel: OnceLock<u32>,
    /// The globals by which it is stopped, once the module has them.
    stop: OnceLock<StopGlobals>,
    /// The globals that watch tables grow, once the module has any.
    growth: OnceLock<Growth>,
}

impl ModuleMiddleware for Transform {
    fn generate_function_middleware<'a>(&self, index: LocalFunctionIndex) -> Box<dyn FunctionMiddleware<'a> + 'a> {
        let lines = || self.lines.get(index.as_u32() as usize).cloned().unwrap_or_default();
        let charges = self.fuel.get().map(|global| FuelCharges::new(*global, lines()));
        let (stop, growth) = (self.stop.get().copied(), self.growth.get().cloned());
        Box::new(Function { entered: false, charges, stop, growth })
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
            let [more, grown] = [(); 2].map(|()| add_global(module, GlobalInit::I32Const(0), None));
            let most = |table: &TableType| table.maximum.unwrap_or(u32::MAX).min(MOST_TABLE_ELEMENTS).into();
            let mosts = module.tables.values().map(most).collect();
            self.growth.get_or_init(|| Growth { denied, more, grown, mosts });
        }
        if let (Some(name), Some(start)) = (&self.private.start, module.start_function.take()) {
            module.exports.insert(name.clone(), ExportIndex::Function(start));
        }
        Ok(())
    }
}

/// Adds a global with its first value, exported where it is to be reached from outside; its index.
fn add_global(module: &mut EngineInfo, first: GlobalInit, name: Option<&String>) -> u32 {
    let ty = if matches!(first, GlobalInit::I64Const(_)) { Type::I64 } else { Type::I32 };
    module.global_initializers.push(first);
    let global = module.globals.push(GlobalType::new(ty, Mutability::Var));
    if let Some(name) = name {
        module.exports.insert(name.clone(), ExportIndex::Global(global));
    }
    global.as_u32()
}

/// One function's code.
#[derive(Debug)]
struct Function {
    entered: bool,
    charges: Option<FuelCharges>,
    stop: Option<StopGlobals>,
    growth: Option<Growth>,
}

impl<'a> FunctionMiddleware<'a> for Function {
    fn feed(&mut self, operator: Operator<'a>, code: &mut MiddlewareReaderState<'a>) -> Result<(), MiddlewareError> {
        if !std::mem::replace(&mut self.entered, true) {
            self.check(fuel::ENTRY, code);
        }
        if let Some(charges) = &mut self.charges {
            charges.count(&operator, code);
        }
        let is_loop = matches!(operator, Operator::Loop { .. });
        match (&operator, &self.growth) {
            (Operator::TableGrow { table }, Some(growth)) => growth.grow(*table, code),
            _ => code.push_operator(operator),
        }
        if is_loop {
            self.check(0, code);
        }
        Ok(())
    }
}

impl Function {
    /// Where a guest is stopped: at the entry, which costs something itself, and at each loop's head.
    fn check(&mut self, entry: i64, code: &mut MiddlewareReaderState<'_>) {
        if let Some(charges) = &mut self.charges {
            charges.begin_line(entry, code);
        }
        if let Some(stop) = &self.stop {
            stop.check(code);
        }
    }
}

/// The globals a guest is stopped by: the flag that other threads write, and one that is written before the flag is read:
/// without a write in between, the compiler would take what it read at the loop's last round.
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

/// The globals that watch tables grow: what was denied last, and two to hold what is asked for and what came of it.
#[derive(Clone, Debug)]
struct Growth {
    denied: u32,
    more: u32,
    grown: u32,
    /// The most elements of each table with no limit.
    mosts: Arc<[i64]>,
}

impl Growth {
    /// `table.grow`, and where it gives -1 though the table could have grown with no limit, a note of how many elements it would
    /// have had.
    fn grow(&self, table: u32, code: &mut MiddlewareReaderState<'_>) {
        let Self { denied, more, grown, ref mosts } = *self;
        let most = mosts.get(table as usize).copied().unwrap_or(i64::MAX);
        let wanted = [
            Operator::TableSize { table },
            Operator::I64ExtendI32U,
            Operator::GlobalGet { global_index: more },
            Operator::I64ExtendI32U,
            Operator::I64Add,
        ];
        code.extend(&[
            Operator::GlobalSet { global_index: more },
            Operator::GlobalGet { global_index: more },
            Operator::TableGrow { table },
            Operator::GlobalSet { global_index: grown },
            Operator::GlobalGet { global_index: grown },
            Operator::I32Const { value: -1 },
            Operator::I32Eq,
            Operator::If { blockty: BlockType::Empty },
        ]);
        code.extend(&wanted);
        code.extend(&[
            Operator::I64Const { value: most },
            Operator::I64LeU,
            Operator::If { blockty: BlockType::Empty },
        ]);
        code.extend(&wanted);
        code.extend(&[
            Operator::GlobalSet { global_index: denied },
            Operator::End,
            Operator::End,
            Operator::GlobalGet { global_index: grown },
        ]);
    }
}
