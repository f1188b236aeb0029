//! Host functions, globals, memories and tables in a store.

use std::sync::Arc;

use wasmer::{
    AsStoreMut, Extern, Function, FunctionEnv, FunctionEnvMut, Global, Instance, Memory, Pages, RuntimeError, Store,
    Table,
};

use super::convert::{References, from_val, func_type, to_val, val_type};
use super::fuel::left;
use super::memory;
use super::private_exports::EXHAUSTED;
use super::typed_host::{self, HostCall};
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::{Import, MemoryType, ModuleInfo, TableType};
use crate::module::requirements;
use crate::runtime::host::{HostContext, HostError, HostFailure, HostFunction, HostImports, HostItem, InterruptToken};
use crate::runtime::lookup;
use crate::runtime::status::InstanceStatus;
use crate::value::types::Value;

/// The data of the host functions of one guest. Memories and fuel are set after instantiation.
#[derive(Debug)]
pub(super) struct HostEnv {
    memories: Vec<(String, Memory)>,
    references: References,
    fuel: Option<Global>,
    status: Arc<InstanceStatus>,
    /// Whether other threads of the guest may write to its shared memories during a host call.
    has_threads: bool,
}

/// The imports of a module, in order.
pub(super) struct Lowered {
    pub(super) externs: Vec<Extern>,
    /// `None` if the module has no imports.
    env: Option<FunctionEnv<HostEnv>>,
}

impl Lowered {
    /// Gives host functions access to the guest's memories and fuel.
    pub(super) fn connect(&self, store: &mut Store, instance: &Instance, fuel: Option<Global>) {
        if let Some(env) = &self.env {
            let exports = instance.exports.iter();
            let memories = exports.memories().map(|(name, memory)| (name.clone(), memory.clone())).collect();
            let env = env.as_mut(store);
            (env.memories, env.fuel) = (memories, fuel);
        }
    }
}

/// Creates the imports of a module, in order. [`check_imports`](crate::runtime::preflight::check_imports) has found each.
/// `wasix` provides WASIX functions and memories shared with other threads; these take precedence over `imports`.
pub(super) fn lower(
    store: &mut Store,
    info: &ModuleInfo,
    imports: &HostImports,
    references: &References,
    status: &Arc<InstanceStatus>,
    wasix: impl Fn(&mut Store, &FunctionEnv<HostEnv>, &Import) -> Option<Extern>,
) -> Result<Lowered> {
    if info.imports.is_empty() {
        return Ok(Lowered { externs: Vec::new(), env: None });
    }
    let has_threads = imports.wasix.is_some() && requirements::starts_threads(info);
    let (memories, references, status) = (Vec::new(), references.clone(), Arc::clone(status));
    let env = FunctionEnv::new(store, HostEnv { memories, references, fuel: None, status, has_threads });
    let lower_import = |import: &Import| {
        if let Some(provided) = wasix(store, &env, import) {
            return Ok(provided);
        }
        match imports.get(&import.module, &import.name) {
            Some(item) => lower_item(store, &env, item),
            None => Err(Error::new(ErrorKind::Unlinkable, format!("unresolved import {import:?}"))),
        }
    };
    let externs = info.imports.iter().map(lower_import).collect::<Result<_>>()?;
    Ok(Lowered { externs, env: Some(env) })
}

fn lower_item(store: &mut Store, env: &FunctionEnv<HostEnv>, item: &HostItem) -> Result<Extern> {
    let unlinkable = |message: String| Error::of_engine(ErrorKind::Unlinkable, "cannot create an import", &message);
    Ok(match item {
        HostItem::Func(function) => Extern::Function(lower_function(store, env, function)?),
        HostItem::Global(value, mutable) => {
            let references = env.as_ref(store).references.clone();
            let value = to_val(store, &references, *value)?;
            Extern::Global(if *mutable { Global::new_mut(store, value) } else { Global::new(store, value) })
        }
        HostItem::Memory(ty) => {
            let memory = Memory::new(store, memory_type(ty));
            Extern::Memory(memory.map_err(|error| unlinkable(error.to_string()))?)
        }
        HostItem::Table(ty) => {
            let (ty, null) = table_type(ty)?;
            let table = Table::new(store, ty, null);
            Extern::Table(table.map_err(|error| unlinkable(error.to_string()))?)
        }
    })
}

fn memory_type(ty: &MemoryType) -> wasmer::MemoryType {
    let pages = |pages: u64| Pages(u32::try_from(pages).unwrap_or(u32::MAX));
    wasmer::MemoryType::new(pages(ty.minimum), ty.maximum.map(pages), ty.shared)
}

fn table_type(ty: &TableType) -> Result<(wasmer::TableType, wasmer::Value)> {
    let size = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
    let (element, null) = match val_type(&ty.element) {
        Some(element @ wasmer::Type::FuncRef) => (element, wasmer::Value::FuncRef(None)),
        Some(element @ wasmer::Type::ExternRef) => (element, wasmer::Value::ExternRef(None)),
        _ => {
            let message = format!("host tables cannot hold {}", ty.element);
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
    };
    Ok((wasmer::TableType::new(element, size(ty.minimum), ty.maximum.map(size)), null))
}

fn lower_function(store: &mut Store, env: &FunctionEnv<HostEnv>, function: &HostFunction) -> Result<Function> {
    if let Some(typed) = typed_host::create(store, env, function.ty(), &NumberCall(function.clone())) {
        return Ok(typed);
    }
    let ty = func_type(function.ty()).ok_or_else(|| {
        Error::new(ErrorKind::UnsupportedFeature, format!("host functions cannot have type {}", function.ty()))
    })?;
    let function = function.clone();
    Ok(Function::new_with_env(store, env, ty, move |mut env, params| {
        check_host_call(&mut env)?;
        call_dynamic(&function, env, params).map_err(failed)
    }))
}

/// The error that unwinds the engine after a host function failed.
fn failed(error: HostError) -> RuntimeError {
    RuntimeError::user(Box::new(HostFailure(error)))
}

/// Wraps a function of the engine so that each call checks for interrupts and exhausted fuel first.
#[cfg_attr(not(feature = "wasix"), expect(dead_code, reason = "only WASIX has functions of the engine"))]
pub(super) fn with_checks(store: &mut Store, env: &FunctionEnv<HostEnv>, function: Function) -> Function {
    let ty = function.ty(store);
    Function::new_with_env(store, env, ty, move |mut env, params| {
        check_host_call(&mut env)?;
        Ok(function.call(&mut env, params)?.into_vec())
    })
}

/// Blocks while the guest is paused. Fails if it must stop, or if it has used more fuel than its limit.
fn check_host_call(env: &mut FunctionEnvMut<'_, HostEnv>) -> Result<(), RuntimeError> {
    env.data().status.check_interrupt().map_err(|stop| RuntimeError::user(Box::new(stop)))?;
    let Some(fuel) = env.data().fuel.clone() else { return Ok(()) };
    if left(&fuel, env) >= 0 {
        return Ok(());
    }
    fuel.set(env, wasmer::Value::I64(EXHAUSTED))?;
    Err(RuntimeError::new("out of fuel"))
}

/// Calls of a host function whose parameters and results are numbers.
#[derive(Clone)]
struct NumberCall(HostFunction);

impl HostCall for NumberCall {
    type Env = HostEnv;

    fn call(&self, mut env: FunctionEnvMut<'_, HostEnv>, args: &[Value]) -> Result<Vec<Value>, RuntimeError> {
        check_host_call(&mut env)?;
        self.0.call(&mut CallerContext(&mut env), args).map_err(failed)
    }
}

fn call_dynamic(
    function: &HostFunction,
    mut env: FunctionEnvMut<'_, HostEnv>,
    params: &[wasmer::Value],
) -> Result<Vec<wasmer::Value>, HostError> {
    let references = env.data().references.clone();
    let mut store = env.as_store_mut();
    let args = params.iter().map(|val| from_val(&mut store, &references, val)).collect::<Result<Vec<Value>>>()?;
    let returned = function.call(&mut CallerContext(&mut env), &args)?;
    let mut store = env.as_store_mut();
    returned.into_iter().map(|value| Ok(to_val(&mut store, &references, value)?)).collect()
}

/// The guest that calls a host function.
struct CallerContext<'c, 's>(&'c mut FunctionEnvMut<'s, HostEnv>);

impl CallerContext<'_, '_> {
    fn find_memory(&self, name: &str) -> Result<Memory> {
        let memories = &self.0.data().memories;
        let found = memories.iter().find(|(known, _)| known == name).map(|(_, memory)| memory.clone());
        found.ok_or_else(|| lookup::no_such_export(&ModuleInfo::default(), "memory", name))
    }
}

impl HostContext for CallerContext<'_, '_> {
    fn interrupt_token(&self) -> InterruptToken {
        InterruptToken::new(&self.0.data().status)
    }

    fn memory(&mut self, memory: &str, access: &mut dyn FnMut(&mut [u8])) -> Result<()> {
        let memory = self.find_memory(memory)?;
        if self.0.data().has_threads && memory.ty(&*self.0).shared {
            let message = "threads share this memory: use `read_memory` and `write_memory`";
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
        memory::with_bytes(&memory, &mut *self.0, access);
        Ok(())
    }

    fn read_memory(&mut self, memory: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let memory = self.find_memory(memory)?;
        memory::read(&memory.view(&*self.0), offset, buffer)
    }

    fn write_memory(&mut self, memory: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        let memory = self.find_memory(memory)?;
        memory::write(&memory.view(&*self.0), offset, bytes)
    }
}
