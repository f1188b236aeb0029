//! Portable fuel, guests that can be stopped, and a start function that waits: a middleware over each module's code.
//!
//! Fuel is one signed 64-bit global, exhausted when below zero. Costs gather along straight-line code and are charged
//! where control may leave it or come in; they are checked at each function's entry and each loop's head, which is
//! where Wasmtime checks (`wasmtime::Config::consume_fuel`), so both engines stop at the same place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use wasmer::sys::wasmparser::{BlockType, Operator};
use wasmer::sys::{FunctionMiddleware, MiddlewareError, MiddlewareReaderState, ModuleMiddleware};
use wasmer::{
    ExportIndex, Function, GlobalInit, GlobalType, Instance, LocalFunctionIndex, ModuleInfo as EngineInfo, Mutability,
    Type,
};

use crate::config::RuntimeConfig;
use crate::module::info::ModuleInfo;
use crate::runtime::fuel;

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
    /// The start function, which is called once the instance is ready for it.
    pub(super) start: Option<String>,
}

impl Private {
    /// The private exports that a module needs.
    pub(super) fn of(info: &ModuleInfo, config: &RuntimeConfig) -> Self {
        let start = info.start.map(|_| fuel::unused_export(info, "wrun:start"));
        let counts = config.metering || config.interruption;
        let counter = counts.then(|| fuel::unused_export(info, "wrun:counter"));
        Self { counter, metering: config.metering, start }
    }

    /// The start function of an instance, where it has one to wait for.
    pub(super) fn start<'i>(&self, instance: &'i Instance) -> Option<&'i Function> {
        instance.exports.get_function(self.start.as_ref()?).ok()
    }

    /// The middleware that makes them, for one module: its state is that module's.
    pub(super) fn middleware(&self) -> Option<Arc<dyn ModuleMiddleware>> {
        if self.counter.is_none() && self.start.is_none() {
            return None;
        }
        Some(Arc::new(Transform { private: self.clone(), counter: AtomicU32::new(u32::MAX) }))
    }
}

/// The transformation of one module.
#[derive(Debug)]
struct Transform {
    private: Private,
    /// The index of the counter, once the module has one.
    counter: AtomicU32,
}

impl ModuleMiddleware for Transform {
    fn generate_function_middleware<'a>(&self, _: LocalFunctionIndex) -> Box<dyn FunctionMiddleware<'a> + 'a> {
        let Private { counter, metering, .. } = &self.private;
        match counter {
            Some(_) => {
                let global = self.counter.load(Ordering::Acquire);
                Box::new(Meter { global, metering: *metering, owed: fuel::ENTRY, entered: false })
            }
            None => Box::new(Unchanged),
        }
    }

    fn transform_module_info(&self, module: &mut EngineInfo) -> Result<(), MiddlewareError> {
        if let Some(name) = &self.private.counter {
            let global = module.globals.push(GlobalType::new(Type::I64, Mutability::Var));
            module.global_initializers.push(GlobalInit::I64Const(fuel::UNLIMITED));
            module.exports.insert(name.clone(), ExportIndex::Global(global));
            self.counter.store(global.as_u32(), Ordering::Release);
        }
        if let (Some(name), Some(start)) = (&self.private.start, module.start_function.take()) {
            module.exports.insert(name.clone(), ExportIndex::Function(start));
        }
        Ok(())
    }
}

/// Code as it is.
#[derive(Debug)]
struct Unchanged;

impl FunctionMiddleware<'_> for Unchanged {}

/// One function's costs.
#[derive(Debug)]
struct Meter {
    global: u32,
    /// Whether operators cost; else each check does, by which the compiler cannot tell what the next one reads.
    metering: bool,
    /// What is used and not charged yet.
    owed: i64,
    entered: bool,
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
}

impl<'a> FunctionMiddleware<'a> for Meter {
    fn feed(&mut self, operator: Operator<'a>, code: &mut MiddlewareReaderState<'a>) -> Result<(), MiddlewareError> {
        if !std::mem::replace(&mut self.entered, true) {
            self.charge(code);
            self.check(code);
        }
        if self.metering {
            self.owed += cost(&operator);
        }
        if ends_straight_line(&operator) {
            self.charge(code);
        }
        let is_loop = matches!(operator, Operator::Loop { .. });
        code.push_operator(operator);
        if is_loop {
            if !self.metering {
                self.owed = fuel::ENTRY;
                self.charge(code);
            }
            self.check(code);
        }
        Ok(())
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
