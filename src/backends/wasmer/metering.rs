//! Portable fuel, guests that can be stopped, and a start function that waits: a middleware over each module's code.
//!
//! Fuel is one signed 64-bit global, exhausted when below zero. Costs gather along straight-line code and are charged
//! where control may leave it or come in; they are checked at each function's entry and each loop's head, which is
//! where Wasmtime checks (`wasmtime::Config::consume_fuel`), so both engines stop at the same place.

use std::sync::{Arc, OnceLock};

use wasmer::sys::wasmparser::{BlockType, Operator};
use wasmer::sys::{FunctionMiddleware, MiddlewareError, MiddlewareReaderState, ModuleMiddleware};
use wasmer::{
    ExportIndex, Function as Func, GlobalInit, GlobalType, Instance, LocalFunctionIndex, ModuleInfo as EngineInfo,
    Mutability, TableType, Type,
};

use crate::config::RuntimeConfig;
use crate::limits::MOST_TABLE_ELEMENTS;
use crate::module::info::ModuleInfo;
use crate::runtime::{fuel, preflight};

/// What the counter is set to by the guest code that finds it below zero. Nothing else writes it, so it tells
/// exhaustion from an `unreachable` of the guest's own.
pub(super) const EXHAUSTED: i64 = i64::MIN;

/// The private exports a module is given, by names it does not use itself.
#[derive(Clone, Debug)]
pub(super) struct Private {
    /// The counter, where code counts: fuel where it is metered, else how often it comes by a check, so that writing
    /// to the counter stops it.
    pub(super) counter: Option<String>,
    /// Whether it counts fuel.
    pub(super) metering: bool,
    /// How many table elements were asked for in vain, where tables may grow: the engine asks nobody and tells nobody.
    pub(super) denied: Option<String>,
    /// The start function, which is called once the instance is ready for it.
    pub(super) start: Option<String>,
}

impl Private {
    /// The private exports that a module needs.
    pub(super) fn of(info: &ModuleInfo, config: &RuntimeConfig) -> Self {
        let start = info.start.map(|_| fuel::unused_export(info, "wrun:start"));
        let counts = config.metering || config.interruption;
        let counter = counts.then(|| fuel::unused_export(info, "wrun:counter"));
        let denied = preflight::may_grow_tables(info).then(|| fuel::unused_export(info, "wrun:denied"));
        Self { counter, metering: config.metering, denied, start }
    }

    /// The start function of an instance, where it has one to wait for.
    pub(super) fn start<'i>(&self, instance: &'i Instance) -> Option<&'i Func> {
        instance.exports.get_function(self.start.as_ref()?).ok()
    }

    /// The middleware that makes them, for one module: its state is that module's.
    pub(super) fn middleware(&self) -> Option<Arc<dyn ModuleMiddleware>> {
        if self.counter.is_none() && self.start.is_none() && self.denied.is_none() {
            return None;
        }
        Some(Arc::new(Transform { private: self.clone(), counter: OnceLock::new(), growth: OnceLock::new() }))
    }
}

/// The transformation of one module.
#[derive(Debug)]
struct Transform {
    private: Private,
    /// The index of the counter, once the module has one.
    counter: OnceLock<u32>,
    /// The globals that watch tables grow, once the module has any.
    growth: OnceLock<Growth>,
}

impl ModuleMiddleware for Transform {
    fn generate_function_middleware<'a>(&self, _: LocalFunctionIndex) -> Box<dyn FunctionMiddleware<'a> + 'a> {
        let metering = self.private.metering;
        let counter = self.counter.get().map(|global| Meter { global: *global, metering, owed: fuel::ENTRY });
        Box::new(Function { counter, entered: false, growth: self.growth.get().cloned() })
    }

    fn transform_module_info(&self, module: &mut EngineInfo) -> Result<(), MiddlewareError> {
        if let Some(name) = &self.private.counter {
            let counter = add_global(module, GlobalInit::I64Const(fuel::UNLIMITED), Some(name));
            self.counter.get_or_init(|| counter);
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
    counter: Option<Meter>,
    entered: bool,
    growth: Option<Growth>,
}

impl<'a> FunctionMiddleware<'a> for Function {
    fn feed(&mut self, operator: Operator<'a>, code: &mut MiddlewareReaderState<'a>) -> Result<(), MiddlewareError> {
        let entered = std::mem::replace(&mut self.entered, true);
        if let Some(counter) = &mut self.counter {
            counter.before(&operator, !entered, code);
        }
        let is_loop = matches!(operator, Operator::Loop { .. });
        match (&operator, &self.growth) {
            (Operator::TableGrow { table }, Some(growth)) => growth.grow(*table, code),
            _ => code.push_operator(operator),
        }
        if let Some(counter) = self.counter.as_mut().filter(|_| is_loop) {
            counter.round(code);
        }
        Ok(())
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

/// One function's costs.
#[derive(Debug)]
struct Meter {
    global: u32,
    /// Whether operators cost; else each check does, by which the compiler cannot tell what the next one reads.
    metering: bool,
    /// What is used and not charged yet.
    owed: i64,
}

impl Meter {
    fn charge(&mut self, code: &mut MiddlewareReaderState<'_>) {
        let owed = std::mem::take(&mut self.owed);
        if owed != 0 {
            code.extend(&[
                Operator::GlobalGet { global_index: self.global },
                Operator::I64Const { value: owed },
                Operator::I64Sub,
                Operator::GlobalSet { global_index: self.global },
            ]);
        }
    }

    fn check(&self, code: &mut MiddlewareReaderState<'_>) {
        code.extend(&[
            Operator::GlobalGet { global_index: self.global },
            Operator::I64Const { value: 0 },
            Operator::I64LtS,
            Operator::If { blockty: BlockType::Empty },
            Operator::I64Const { value: EXHAUSTED },
            Operator::GlobalSet { global_index: self.global },
            Operator::Unreachable,
            Operator::End,
        ]);
    }

    /// What goes before an operator: the costs of what came before it, where control may leave or come in.
    fn before(&mut self, operator: &Operator<'_>, first: bool, code: &mut MiddlewareReaderState<'_>) {
        if first {
            self.charge(code);
            self.check(code);
        }
        if self.metering {
            self.owed += cost(operator);
        }
        if ends_straight_line(operator) {
            self.charge(code);
        }
    }

    /// What goes to the head of a loop.
    fn round(&mut self, code: &mut MiddlewareReaderState<'_>) {
        if !self.metering {
            self.owed = fuel::ENTRY;
            self.charge(code);
        }
        self.check(code);
    }
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

/// Whether control may leave or come in here.
fn ends_straight_line(operator: &Operator<'_>) -> bool {
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
