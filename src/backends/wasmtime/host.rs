//! What the host offers, lowered into a store.

use wasmtime::{
    Caller, Extern, Func, Global, Memory, MemoryTypeBuilder, Mutability, RefType, SharedMemory, Store, Table, Val,
};

use super::convert::{from_val, to_val, val_type};
use super::limits::StoreData;
use super::{fuel, memory};
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::{MemoryType, ModuleInfo, TableType};
use crate::runtime::access;
use crate::runtime::host::{HostContext, HostFailure, HostFunction, HostImports, HostItem, InterruptToken};
use crate::value::types::{ValType, Value};

/// The imports of a module, in order; [`check_imports`](crate::runtime::preflight::check_imports) has found each.
pub(super) fn lower(store: &mut Store<StoreData>, info: &ModuleInfo, imports: &HostImports) -> Result<Vec<Extern>> {
    let items = info.imports.iter().filter_map(|import| imports.get(&import.module, &import.name));
    items.map(|item| lower_one(store, item)).collect()
}

fn lower_one(store: &mut Store<StoreData>, item: &HostItem) -> Result<Extern> {
    let failed = |error: wasmtime::Error| Error::new(ErrorKind::Unlinkable, format!("{error:#}"));
    Ok(match item {
        HostItem::Func(function) => Extern::Func(lower_function(store, function)?),
        HostItem::Global(value, mutable) => {
            let mutability = if *mutable { Mutability::Var } else { Mutability::Const };
            let ty = wasmtime::GlobalType::new(passable(&value.ty())?, mutability);
            let value = to_val(&mut *store, *value)?;
            Extern::Global(Global::new(store, ty, value).map_err(failed)?)
        }
        HostItem::Memory(ty) => {
            let lowered = memory_type(ty).map_err(failed)?;
            if ty.shared {
                Extern::SharedMemory(SharedMemory::new(store.engine(), lowered).map_err(failed)?)
            } else {
                Extern::Memory(Memory::new(store, lowered).map_err(failed)?)
            }
        }
        HostItem::Table(ty) => {
            let lowered = table_type(ty)?;
            let null = wasmtime::Ref::null(lowered.element().heap_type());
            Extern::Table(Table::new(store, lowered, null).map_err(failed)?)
        }
    })
}

fn memory_type(ty: &MemoryType) -> wasmtime::Result<wasmtime::MemoryType> {
    let mut builder = MemoryTypeBuilder::default();
    builder.min(ty.minimum).max(ty.maximum).memory64(ty.memory64).shared(ty.shared);
    builder.page_size_log2(u8::try_from(ty.page_size.trailing_zeros())?);
    builder.build()
}

fn table_type(ty: &TableType) -> Result<wasmtime::TableType> {
    let element: RefType = passable(&ty.element)?.unwrap_ref().clone();
    if ty.table64 {
        return Ok(wasmtime::TableType::new64(element, ty.minimum, ty.maximum));
    }
    let size = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
    Ok(wasmtime::TableType::new(element, size(ty.minimum), ty.maximum.map(size)))
}

fn passable(ty: &ValType) -> Result<wasmtime::ValType> {
    val_type(ty)
        .ok_or_else(|| Error::new(ErrorKind::UnsupportedFeature, format!("the host has no values of type {ty}")))
}

fn lower_function(store: &mut Store<StoreData>, function: &HostFunction) -> Result<Func> {
    let types = |types: &[ValType]| types.iter().map(passable).collect::<Result<Vec<_>>>();
    let ty = wasmtime::FuncType::new(store.engine(), types(function.ty().params())?, types(function.ty().results())?);
    let function = function.clone();
    Ok(Func::new(store, ty, move |mut caller, params, results| {
        caller.data().status.check_interrupt()?;
        fuel::check_host_call(&caller)?;
        call(&function, &mut caller, params, results).map_err(|error| wasmtime::Error::new(HostFailure(error)))
    }))
}

fn call(
    function: &HostFunction,
    caller: &mut Caller<'_, StoreData>,
    params: &[Val],
    results: &mut [Val],
) -> Result<(), crate::runtime::host::HostError> {
    use wasmtime::AsContextMut as _;
    let args = params.iter().map(|val| from_val(caller.as_context_mut(), val)).collect::<Result<Vec<Value>>>()?;
    let returned = function.call(&mut CallerContext(caller), &args)?;
    for (slot, value) in results.iter_mut().zip(returned) {
        *slot = to_val(&mut *caller, value)?;
    }
    Ok(())
}

/// The guest that is calling.
struct CallerContext<'c, 's>(&'c mut Caller<'s, StoreData>);

impl CallerContext<'_, '_> {
    fn open<R>(&mut self, name: &str, access: impl FnOnce(&mut [u8]) -> Result<R>) -> Result<R> {
        // The caller is no guest where an exported host function is called by the host; it is one while the engine runs a start
        // function, before the instance is known.
        let export = match self.0.data().instance {
            Some(guest) => guest.get_export(&mut *self.0, name),
            None => self.0.get_export(name),
        };
        let found = export.and_then(|export| memory::of(&mut *self.0, export, access));
        found.unwrap_or_else(|| Err(access::no_such_export(&ModuleInfo::default(), "memory", name)))
    }
}

impl HostContext for CallerContext<'_, '_> {
    fn interrupt_token(&self) -> InterruptToken {
        InterruptToken::new(&self.0.data().status)
    }

    fn memory(&mut self, memory: &str, access: &mut dyn FnMut(&mut [u8])) -> Result<()> {
        self.open(memory, |bytes| {
            access(bytes);
            Ok(())
        })
    }

    fn read_memory(&mut self, memory: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.open(memory, |bytes| access::read(bytes, offset, buffer))
    }

    fn write_memory(&mut self, memory: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        self.open(memory, |memory| access::write(memory, offset, bytes))
    }
}
