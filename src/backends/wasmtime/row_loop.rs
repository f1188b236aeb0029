//! The loop that calls a function for many rows.

use wasmtime::{Extern, Func, Memory, TypedFunc};

use super::caller::LiveModule;
use super::module::WasmtimeModule;
use super::{errors, fuel, limits, stack};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::row_loop::{FUNCTION, MEMORY};
use crate::runtime::traits::WasmModule;

/// A loop in the store of its function.
#[derive(derive_more::Debug)]
#[debug("WasmtimeLoop")]
pub(super) struct WasmtimeLoop {
    /// The number of the function's instance.
    pub(super) owner: u64,
    rows: TypedFunc<i32, ()>,
    memory: Memory,
}

impl WasmtimeLoop {
    /// Links the loop of `module` to a function of the instance.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the system refuses memory.
    pub(super) fn link(live: &mut LiveModule, module: &dyn WasmModule, function: Func) -> Result<Self> {
        let LiveModule { core, store, stack_bytes, .. } = live;
        let Some(WasmtimeModule { compiled, .. }) = module.as_any().downcast_ref() else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the loop was compiled by another runtime"));
        };
        let linked = stack::with_room(*stack_bytes, || {
            limits::create_uncounted(store, &compiled.module, &[Extern::Func(function)])
        });
        let linked = linked.map_err(|error| errors::instantiate(&mut *store, error))?;
        let rows = linked.get_typed_func(&mut *store, FUNCTION);
        match rows.ok().zip(linked.get_memory(&mut *store, MEMORY)) {
            Some((rows, memory)) => Ok(Self { owner: core.id(), rows, memory }),
            None => Err(Error::new(ErrorKind::Internal, "the loop lacks an export")),
        }
    }

    /// Calls the function of this instance.
    ///
    /// # Errors
    /// Those of the first call that fails.
    pub(super) fn call(&self, live: &mut LiveModule, rows: i32) -> Result<()> {
        let LiveModule { core, store, stack_bytes, fuel_state } = live;
        core.status().run(|| {
            stack::with_room(*stack_bytes, || {
                let called = self.rows.call(&mut *store, rows);
                fuel::finish_call(store, fuel_state, called)
            })
        })
    }

    /// Returns the memory with the columns.
    pub(super) fn memory<'p>(&self, live: &'p mut LiveModule) -> &'p mut [u8] {
        self.memory.data_mut(&mut live.store)
    }
}
