//! Calls of guest code.

use wasmtime::Store;
use wasmtime::component::{Func, Val};

use super::super::fuel;
use super::data::ComponentData;
use super::executor::Execution;
use super::{convert, errors, tasks};
use crate::component::info::ComponentInfo;
use crate::component::types::WitFunction;
use crate::component::value::{ResourceHandle, WitValue};
use crate::error::{Error, Result};
use crate::runtime::fuel::FuelState;
use crate::runtime::host::{Exit, HostFailure};
use crate::runtime::owner::InstanceCore;
use crate::wasi::component as wasi;

/// The parts of an instance that a call needs.
pub(super) struct LiveComponent {
    pub(super) core: InstanceCore<ComponentInfo>,
    pub(super) store: Store<ComponentData>,
    pub(super) fuel_state: Option<FuelState>,
    pub(super) execution: Execution,
}

impl LiveComponent {
    /// Calls a function, which must belong to this instance.
    pub(super) fn call(&mut self, func: Func, ty: &WitFunction, args: &[WitValue]) -> Result<Option<WitValue>> {
        self.call_then(func, ty, args, false, Ok)
    }

    /// Calls the function that runs a program, and waits until its tasks have ended. If it returns an error, the program exits
    /// with 1.
    pub(super) fn run(&mut self, func: Func, ty: &WitFunction) -> Result<()> {
        self.call_then(func, ty, &[], true, |result| match result {
            Some(WitValue::Result(Err(_))) => Err(Error::exited(1)),
            _ => Ok(()),
        })
    }

    /// Calls a function and evaluates its result, which is a part of the call.
    fn call_then<T>(
        &mut self,
        func: Func,
        ty: &WitFunction,
        args: &[WitValue],
        is_program: bool,
        then: impl FnOnce(Option<WitValue>) -> Result<T>,
    ) -> Result<T> {
        let Self { core, store, fuel_state, execution } = self;
        let status = core.status();
        errors::run(status, || {
            let params = convert::arguments(&mut store.data_mut().resources, ty, args)?;
            let mut results = [Val::Bool(false)];
            let results = &mut results[..usize::from(ty.result().is_some())];
            let called = if execution.is_async {
                let call = async {
                    func.call_async(&mut *store, &params, results).await?;
                    if is_program { tasks::finish(store).await } else { Ok(()) }
                };
                execution.run_async(status, call)?
            } else {
                execution.run_sync(|| func.call(&mut *store, &params, results))
            };
            finish(store, fuel_state, called.map_err(errors::of_call))?;
            then(match (ty.result(), results.first_mut()) {
                (Some(ty), Some(val)) => {
                    let val = std::mem::replace(val, Val::Bool(false));
                    Some(convert::from_val(&mut store.data_mut().resources, val, ty)?)
                }
                _ => None,
            })
        })
    }

    /// Drops a resource and runs its destructor.
    pub(super) fn drop_resource(&mut self, handle: ResourceHandle) -> Result<()> {
        let Self { core, store, fuel_state, execution } = self;
        let status = core.status();
        errors::run(status, || {
            let Some(resource) = store.data_mut().resources.take(handle)? else { return Ok(()) };
            let dropped = if execution.is_async {
                execution.run_async(status, resource.resource_drop_async(&mut *store))?
            } else {
                execution.run_sync(|| resource.resource_drop(&mut *store))
            };
            finish(store, fuel_state, dropped)
        })
    }
}

/// Updates the fuel count after guest code has run, and converts its error.
pub(super) fn finish<T>(
    store: &mut Store<ComponentData>,
    fuel_state: &mut Option<FuelState>,
    ran: wasmtime::Result<T>,
) -> Result<T> {
    let ran = ran.map_err(|error| match wasi::exit_code(&error) {
        Some(code) => wasmtime::Error::new(HostFailure(Exit(code).into())),
        None => error,
    });
    fuel::finish_call(store, fuel_state, ran)
}
