//! Instances of components.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Func, Instance};

use super::super::fuel as engine_fuel;
use super::call::LiveComponent;
use super::function::WasmtimeComponentFunction;
use crate::component::check;
use crate::component::info::ComponentInfo;
use crate::component::lookup::{self, FunctionPath};
use crate::component::types::WitFunction;
use crate::component::value::{ResourceHandle, WitValue};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::component::{WasmComponentFunction, WasmComponentInstance};
use crate::runtime::control::{self, Control};
use crate::runtime::fuel::{self, FuelCounter, FuelState};
use crate::runtime::status::InstanceState;
use crate::runtime::{sealed, signature};

/// A component instance in its own store.
#[derive(derive_more::Debug)]
#[debug("WasmtimeComponentInstance({:?})", live.core)]
pub struct WasmtimeComponentInstance {
    pub(super) live: LiveComponent,
    pub(super) instance: Instance,
}

impl WasmtimeComponentInstance {
    /// Returns an exported function.
    fn find(&mut self, path: &FunctionPath) -> Result<Func> {
        let (instance, store) = (self.instance, &mut self.live.store);
        let interface = match &path.interface {
            None => Some(None),
            Some(interface) => instance.get_export_index(&mut *store, None, interface).map(Some),
        };
        let index =
            interface.and_then(|interface| instance.get_export_index(&mut *store, interface.as_ref(), &path.function));
        index.and_then(|index| instance.get_func(store, index)).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("the engine does not know the exported function `{path}`"))
        })
    }
}

impl sealed::ComponentInstance for WasmtimeComponentInstance {
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

impl WasmComponentInstance for WasmtimeComponentInstance {
    fn function(&mut self, name: &str) -> Result<Box<dyn WasmComponentFunction>> {
        let path = lookup::find_function(self.live.core.info(), name)?;
        check::check_callable(&path.ty)
            .map_err(|error| Error::new(error.kind(), format!("cannot call `{path}`: {error}")))?;
        let func = self.find(&path)?;
        Ok(Box::new(WasmtimeComponentFunction { owner: self.live.core.id(), func, ty: path.ty }))
    }

    fn run(&mut self) -> Result<()> {
        let info = self.live.core.info();
        let Some((_, interface)) = info.programs().into_iter().next() else {
            let message = "the component is not a program: it does not export `wasi:cli/run`";
            return Err(Error::new(ErrorKind::UnknownExport, message));
        };
        let path = lookup::find_function(info, &format!("{interface}#run"))?;
        let func = self.find(&path)?;
        self.live.run(func, &path.ty)
    }

    fn drop_resource(&mut self, handle: ResourceHandle) -> Result<()> {
        self.live.drop_resource(handle)
    }

    fn info(&self) -> &Arc<ComponentInfo> {
        self.live.core.info()
    }

    fn state(&self) -> InstanceState {
        self.live.core.status().state()
    }

    fn control(&self) -> Control {
        Control::new(self.live.core.status())
    }

    fn memory_bytes(&self) -> u64 {
        self.live.core.status().memory().used()
    }

    fn memory_peak_bytes(&self) -> u64 {
        self.live.core.status().memory().peak()
    }

    fn fuel_used(&mut self) -> Option<u64> {
        fuel::used(self)
    }

    fn fuel_remaining(&mut self) -> Option<u64> {
        fuel::remaining(self)
    }

    fn add_fuel(&mut self, units: u64) -> Result<()> {
        fuel::add(self, units)
    }

    fn reset_fuel(&mut self, limit: u64) -> Result<()> {
        fuel::reset(self, limit)
    }

    fn reset_time(&mut self, limit: Duration) -> Result<()> {
        self.live.core.status().interrupt().ok_or_else(control::uninterruptible)?.set_time(limit);
        Ok(())
    }
}

impl FuelCounter for WasmtimeComponentInstance {
    fn fuel_state(&mut self) -> Option<&mut FuelState> {
        self.live.fuel_state.as_mut()
    }

    fn left(&mut self) -> i64 {
        engine_fuel::left(&self.live.store)
    }

    fn set_left(&mut self, left: i64) {
        engine_fuel::set_left(&mut self.live.store, left);
    }
}

impl WasmComponentFunction for WasmtimeComponentFunction {
    fn ty(&self) -> &WitFunction {
        &self.ty
    }

    fn call(&mut self, instance: &mut dyn WasmComponentInstance, args: &[WitValue]) -> Result<Option<WitValue>> {
        match instance.as_any_mut().downcast_mut::<WasmtimeComponentInstance>() {
            Some(instance) if instance.live.core.id() == self.owner => instance.live.call(self.func, &self.ty, args),
            _ => Err(signature::other_instance()),
        }
    }
}
