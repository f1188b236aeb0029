//! Calls of guest code.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Func, ResourceAny, Val};

use super::super::fuel;
use super::data::ComponentData;
use super::{convert, errors, executor};
use crate::component::info::ComponentInfo;
use crate::component::types::WitFunction;
use crate::component::value::{ResourceHandle, WitValue};
use crate::error::Result;
use crate::runtime::fuel::FuelState;
use crate::runtime::owner::InstanceCore;

/// The parts of an instance that a call needs.
pub(super) struct CallParts {
    pub(super) core: InstanceCore<ComponentInfo>,
    pub(super) store: Store<ComponentData>,
    pub(super) fuel_state: Option<FuelState>,
}

impl CallParts {
    /// Calls a function, which must belong to this instance.
    pub(super) fn call(&mut self, func: Func, ty: &WitFunction, args: &[WitValue]) -> Result<Option<WitValue>> {
        let Self { core, store, fuel_state } = self;
        let status = Arc::clone(core.status());
        errors::run(&status, || {
            let params = convert::arguments(&mut store.data_mut().resources, ty, args)?;
            let mut results = [Val::Bool(false)];
            let results = &mut results[..usize::from(ty.result().is_some())];
            let called = executor::run(&status, func.call_async(&mut *store, &params, results));
            fuel::finish_call(&mut *store, fuel_state, called)?;
            match (ty.result(), results.first_mut()) {
                (Some(ty), Some(val)) => {
                    let val = std::mem::replace(val, Val::Bool(false));
                    convert::from_val(&mut store.data_mut().resources, val, ty).map(Some)
                }
                _ => Ok(None),
            }
        })
    }

    /// Drops a resource and runs its destructor.
    pub(super) fn drop_resource(&mut self, handle: ResourceHandle) -> Result<()> {
        let Self { core, store, fuel_state } = self;
        let status = Arc::clone(core.status());
        errors::run(&status, || {
            let Some(resource) = store.data_mut().resources.take(handle)? else { return Ok(()) };
            let dropped = executor::run(&status, ResourceAny::resource_drop_async(resource, &mut *store));
            fuel::finish_call(&mut *store, fuel_state, dropped)
        })
    }
}
