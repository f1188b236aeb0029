//! The loop that calls a function for many rows.

use wasmer::sys::{BaseTunables, NativeEngineExt};
use wasmer::{Extern, Function, Instance, Memory, Store, TypedFunction};

use super::limits::{Budget, GuestTunables};
use super::module::WasmerModule;
use super::typed::LiveModule;
use super::{errors, memory};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::runtime::owner::InstanceCore;
use crate::runtime::row_loop::{FUNCTION, MEMORY};
use crate::runtime::traits::WasmModule;

/// A loop in the store of its function.
#[derive(derive_more::Debug)]
#[debug("WasmerLoop")]
pub(super) struct WasmerLoop {
    /// The number of the function's instance.
    pub(super) owner: u64,
    rows: TypedFunction<i32, ()>,
    memory: Memory,
}

impl WasmerLoop {
    /// Links the loop of `module` to a function in `store`.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the system refuses memory.
    pub(super) fn link(
        core: &InstanceCore,
        store: &mut Store,
        module: &dyn WasmModule,
        function: Function,
    ) -> Result<Self> {
        let Some(WasmerModule { compiled, .. }) = module.as_any().downcast_ref() else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the loop was compiled by another runtime"));
        };
        // The loop's memory is wrun's and does not count. The guest's memories exist already.
        set_budget(store, Budget::Host);
        let linked = Instance::new_by_index(store, compiled, &[Extern::Function(function)]);
        set_budget(store, Budget::Empty);
        let linked = linked.map_err(errors::instantiate)?;
        let rows = linked.exports.get_typed_function(store, FUNCTION);
        match (rows, linked.exports.get_memory(MEMORY)) {
            (Ok(rows), Ok(memory)) => Ok(Self { owner: core.id(), rows, memory: memory.clone() }),
            _ => Err(Error::new(ErrorKind::Internal, "the loop lacks an export")),
        }
    }

    /// Calls the function of this instance.
    ///
    /// # Errors
    /// Those of the first call that fails.
    pub(super) fn call(&self, live: LiveModule<'_>, rows: i32) -> Result<()> {
        let LiveModule { status, store, globals } = live;
        status.run(|| {
            let called = self.rows.call(store, rows);
            globals.finish_call(store, called)
        })
    }

    /// Calls `access` with the memory that has the columns. It belongs to `store`.
    pub(super) fn with_memory(&self, store: &mut Store, access: &mut dyn FnMut(&mut [u8])) {
        memory::with_bytes(&self.memory, store, access);
    }
}

/// Sets what counts the memories and tables that are created in a store from now on.
fn set_budget(store: &mut Store, budget: Budget) {
    let stack = store.engine().tunables().vmconfig().wasm_stack_size.unwrap_or(usize::MAX);
    let base = BaseTunables::for_target(store.engine().target());
    store.engine_mut().set_tunables(GuestTunables::new(base, budget, Limits::none(), stack as u64));
}
