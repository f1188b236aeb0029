//! Host functions, globals, memories and tables in a store.

use wasmtime::{
    Caller, Extern, ExternType, Func, Global, Memory, MemoryTypeBuilder, Mutability, RefType, SharedMemory, Store,
    Table, Val,
};

use super::convert::{from_val, to_val, val_type};
use super::limits::StoreData;
use super::module::EngineCode;
use super::{fuel, memory};
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::{MemoryType, ModuleInfo, TableType};
use crate::runtime::host::{HostContext, HostFailure, HostFunction, HostImports, HostItem, InterruptToken};
use crate::runtime::lookup;
use crate::value::types::{ValType, Value};

/// Creates the imports of a module, in order. [`check_imports`](crate::runtime::preflight::check_imports) has found each.
pub(super) fn lower(
    store: &mut Store<StoreData>,
    code: &EngineCode,
    info: &ModuleInfo,
    imports: &HostImports,
) -> Result<Vec<Extern>> {
    let items = info.imports.iter().filter_map(|import| imports.get(&import.module, &import.name));
    items.zip(code.import_types()).map(|(item, ty)| lower_item(store, item, ty)).collect()
}

fn lower_item(store: &mut Store<StoreData>, item: &HostItem, imported: &ExternType) -> Result<Extern> {
    let what = "cannot create an import";
    let unlinkable = |error: wasmtime::Error| Error::of_engine(ErrorKind::Unlinkable, what, &format!("{error:#}"));
    Ok(match item {
        HostItem::Func(function) => Extern::Func(lower_function(store, function, imported)?),
        HostItem::Global(value, mutable) => {
            let mutability = if *mutable { Mutability::Var } else { Mutability::Const };
            let ty = wasmtime::GlobalType::new(host_type(&value.ty())?, mutability);
            let value = to_val(&mut *store, *value)?;
            Extern::Global(Global::new(store, ty, value).map_err(unlinkable)?)
        }
        HostItem::Memory(ty) => {
            let lowered = memory_type(ty).map_err(unlinkable)?;
            if ty.shared {
                Extern::SharedMemory(SharedMemory::new(store.engine(), lowered).map_err(unlinkable)?)
            } else {
                Extern::Memory(Memory::new(store, lowered).map_err(unlinkable)?)
            }
        }
        HostItem::Table(ty) => {
            let lowered = table_type(ty)?;
            let null = wasmtime::Ref::null(lowered.element().heap_type());
            Extern::Table(Table::new(store, lowered, null).map_err(unlinkable)?)
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
    let element: RefType = host_type(&ty.element)?.unwrap_ref().clone();
    if ty.table64 {
        return Ok(wasmtime::TableType::new64(element, ty.minimum, ty.maximum));
    }
    let size = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
    Ok(wasmtime::TableType::new(element, size(ty.minimum), ty.maximum.map(size)))
}

fn host_type(ty: &ValType) -> Result<wasmtime::ValType> {
    val_type(ty).ok_or_else(|| Error::new(ErrorKind::UnsupportedFeature, format!("host values cannot have type {ty}")))
}

fn lower_function(store: &mut Store<StoreData>, function: &HostFunction, imported: &ExternType) -> Result<Func> {
    let ty = function.ty();
    ty.params().iter().chain(ty.results()).try_for_each(|ty| host_type(ty).map(drop))?;
    let ty = imported.unwrap_func().clone();
    let function = function.clone();
    Ok(Func::new(store, ty, move |mut caller, params, results| {
        caller.data().guest.status.check_interrupt()?;
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

/// The guest that calls a host function.
struct CallerContext<'c, 's>(&'c mut Caller<'s, StoreData>);

impl CallerContext<'_, '_> {
    fn with_memory<R>(&mut self, name: &str, access: impl FnOnce(&mut [u8]) -> Result<R>) -> Result<R> {
        // The instance is not set while the engine runs a start function. The caller's own exports are only used then: if
        // the host calls a host function that the guest exports again, the caller is not the guest.
        let export = match self.0.data().instance {
            Some(instance) => instance.get_export(&mut *self.0, name),
            None => self.0.get_export(name),
        };
        let accessed = export.and_then(|export| memory::with_bytes(&mut *self.0, export, access));
        accessed.unwrap_or_else(|| Err(lookup::no_such_export(&ModuleInfo::default(), "memory", name)))
    }
}

impl HostContext for CallerContext<'_, '_> {
    fn interrupt_token(&self) -> InterruptToken {
        InterruptToken::new(&self.0.data().guest.status)
    }

    fn memory(&mut self, memory: &str, access: &mut dyn FnMut(&mut [u8])) -> Result<()> {
        self.with_memory(memory, |bytes| {
            access(bytes);
            Ok(())
        })
    }

    fn read_memory(&mut self, memory: &str, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.with_memory(memory, |bytes| memory::read(bytes, offset, buffer))
    }

    fn write_memory(&mut self, memory: &str, offset: u64, bytes: &[u8]) -> Result<()> {
        self.with_memory(memory, |memory| memory::write(memory, offset, bytes))
    }
}
