//! What the host offers, lowered into a store.

use std::sync::Arc;

use wasmer::{
    AsStoreMut, Extern, Function, FunctionEnv, FunctionEnvMut, Global, Instance, Memory, Pages, RuntimeError, Store,
    Table,
};

use super::convert::{Funcs, from_val, func_type, to_val, val_type};
use super::fuel::left;
use super::memory;
use super::middleware::EXHAUSTED;
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::{Import, MemoryType, ModuleInfo, TableType};
use crate::module::requirements;
use crate::runtime::access;
use crate::runtime::host::{HostContext, HostError, HostFailure, HostFunction, HostImports, HostItem, InterruptToken};
use crate::runtime::status::InstanceStatus;
use crate::value::types::Value;

/// The guest that host functions are called by: its functions, and its memories once there are any.
#[derive(Debug)]
pub(super) struct HostEnv {
    memories: Vec<(String, Memory)>,
    funcs: Funcs,
    fuel: Option<Global>,
    status: Arc<InstanceStatus>,
    /// Whether threads of its may write to a shared memory meanwhile.
    has_threads: bool,
}

/// The imports of a module, in order, and what connects them to their guest.
pub(super) struct Lowered {
    pub(super) externs: Vec<Extern>,
    /// None where nothing is imported, and so nothing calls the host.
    guest: Option<FunctionEnv<HostEnv>>,
}

impl Lowered {
    /// Shows the guest's memories and fuel to the host functions it calls.
    #[inline]
    pub(super) fn connect(&self, store: &mut Store, instance: &Instance, fuel: Option<Global>) {
        if let Some(guest) = &self.guest {
            connect(guest, store, instance, fuel);
        }
    }
}

fn connect(guest: &FunctionEnv<HostEnv>, store: &mut Store, instance: &Instance, fuel: Option<Global>) {
    let exports = instance.exports.iter();
    let memories = exports.memories().map(|(name, memory)| (name.clone(), memory.clone())).collect();
    let guest = guest.as_mut(store);
    guest.memories = memories;
    guest.fuel = fuel;
}

/// The imports of a module, in order; [`check_imports`](crate::runtime::preflight::check_imports) has found each. What is in
/// place already, or comes from elsewhere, `other` has.
pub(super) fn lower(
    store: &mut Store,
    info: &ModuleInfo,
    imports: &HostImports,
    funcs: &Funcs,
    status: &Arc<InstanceStatus>,
    other: impl Fn(&mut Store, &FunctionEnv<HostEnv>, &Import) -> Option<Extern>,
) -> Result<Lowered> {
    if info.imports.is_empty() {
        return Ok(Lowered { externs: Vec::new(), guest: None });
    }
    let has_threads = imports.wasix().is_some() && requirements::starts_threads(info);
    let guest =
        HostEnv { memories: Vec::new(), funcs: funcs.clone(), fuel: None, status: Arc::clone(status), has_threads };
    let guest = FunctionEnv::new(store, guest);
    let one = |import: &Import| match (imports.get(&import.module, &import.name), other(store, &guest, import)) {
        (_, Some(made)) => Ok(made),
        (Some(item), None) => lower_one(store, &guest, funcs, item),
        (None, None) => Err(Error::new(ErrorKind::Unlinkable, format!("nobody provides {import:?}"))),
    };
    let externs = info.imports.iter().map(one).collect::<Result<_>>()?;
    Ok(Lowered { externs, guest: Some(guest) })
}

fn lower_one(store: &mut Store, guest: &FunctionEnv<HostEnv>, funcs: &Funcs, item: &HostItem) -> Result<Extern> {
    Ok(match item {
        HostItem::Func(function) => Extern::Function(lower_function(store, guest, function)?),
        HostItem::Global(value, mutable) => {
            let value = to_val(store, funcs, *value)?;
            Extern::Global(if *mutable { Global::new_mut(store, value) } else { Global::new(store, value) })
        }
        HostItem::Memory(ty) => {
            let made = Memory::new(store, memory_type(ty));
            Extern::Memory(made.map_err(|error| Error::new(ErrorKind::Unlinkable, error.to_string()))?)
        }
        HostItem::Table(ty) => {
            let (ty, null) = table_type(ty)?;
            let made = Table::new(store, ty, null);
            Extern::Table(made.map_err(|error| Error::new(ErrorKind::Unlinkable, error.to_string()))?)
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
            let message = format!("the host has no tables of {}", ty.element);
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
    };
    Ok((wasmer::TableType::new(element, size(ty.minimum), ty.maximum.map(size)), null))
}

fn lower_function(store: &mut Store, guest: &FunctionEnv<HostEnv>, function: &HostFunction) -> Result<Function> {
    let ty = func_type(function.ty()).ok_or_else(|| {
        Error::new(ErrorKind::UnsupportedFeature, format!("the host has no functions of type {}", function.ty()))
    })?;
    let function = function.clone();
    Ok(Function::new_with_env(store, guest, ty, move |mut env, params| {
        check(&mut env)?;
        call(&function, env, params).map_err(|error| RuntimeError::user(Box::new(HostFailure(error))))
    }))
}

/// A function of the engine's own, called once the guest has heeded its orders and what fuel it has was looked at.
#[cfg_attr(not(feature = "wasix"), expect(dead_code, reason = "the engine has none but those of WASIX"))]
pub(super) fn watched(store: &mut Store, guest: &FunctionEnv<HostEnv>, function: Function) -> Function {
    let ty = function.ty(store);
    Function::new_with_env(store, guest, ty, move |mut env, params| {
        check(&mut env)?;
        Ok(function.call(&mut env, params)?.into_vec())
    })
}

/// Holds a guest that is paused, and fails the host call of one that is to stop or has used more than there was.
fn check(env: &mut FunctionEnvMut<'_, HostEnv>) -> Result<(), RuntimeError> {
    env.data().status.check_interrupt().map_err(|stop| RuntimeError::user(Box::new(stop)))?;
    let Some(fuel) = env.data().fuel.clone() else { return Ok(()) };
    if left(&fuel, env) >= 0 {
        return Ok(());
    }
    fuel.set(env, wasmer::Value::I64(EXHAUSTED))?;
    Err(RuntimeError::new("out of fuel"))
}

fn call(
    function: &HostFunction,
    mut env: FunctionEnvMut<'_, HostEnv>,
    params: &[wasmer::Value],
) -> Result<Vec<wasmer::Value>, HostError> {
    let funcs = env.data().funcs.clone();
    let mut store = env.as_store_mut();
    let args = params.iter().map(|val| from_val(&mut store, &funcs, val)).collect::<Result<Vec<Value>>>()?;
    let returned = function.call(&mut CallerContext(&mut env), &args)?;
    let mut store = env.as_store_mut();
    returned.into_iter().map(|value| Ok(to_val(&mut store, &funcs, value)?)).collect()
}

/// The guest that is calling.
struct CallerContext<'c, 's>(&'c mut FunctionEnvMut<'s, HostEnv>);

impl CallerContext<'_, '_> {
    fn find(&self, name: &str) -> Result<Memory> {
        let memories = &self.0.data().memories;
        let found = memories.iter().find(|(known, _)| known == name).map(|(_, memory)| memory.clone());
        found.ok_or_else(|| access::no_such_export(&ModuleInfo::default(), "memory", name))
    }
}

impl HostContext for CallerContext<'_, '_> {
    fn interrupt_token(&self) -> InterruptToken {
        InterruptToken::new(&self.0.data().status)
    }

    fn memory(&mut self, memory: &str, access: &mut dyn FnMut(&mut [u8])) -> Result<()> {
        let memory = self.find(memory)?;
        if self.0.data().has_threads && memory.ty(&*self.0).shared {
            let message = "threads share this memory: it is only read and written a piece at a time";
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
        memory::open(&memory, &mut *self.0, access);
        Ok(())
    }

    fn read_memory(&mut self, memory: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let memory = self.find(memory)?;
        memory::read(&memory.view(&*self.0), offset, buffer)
    }

    fn write_memory(&mut self, memory: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        let memory = self.find(memory)?;
        memory::write(&memory.view(&*self.0), offset, bytes)
    }
}
