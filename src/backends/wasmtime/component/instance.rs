//! Instances of components.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Func, Instance};

use super::super::fuel as engine_fuel;
use super::call::CallParts;
use super::function::WasmtimeComponentFunction;
use crate::component::info::{ComponentExtern, ComponentInfo, ComponentItem};
use crate::component::types::WitFunction;
use crate::component::value::ResourceHandle;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::runtime::component::{WasmComponentFunction, WasmComponentInstance};
use crate::runtime::control::{self, Control};
use crate::runtime::fuel::{self, FuelCounter, FuelState};
use crate::runtime::sealed;
use crate::runtime::status::InstanceState;

/// Returns the full name and the type of an exported function.
fn find_export(info: &ComponentInfo, name: &str) -> Result<(String, WitFunction)> {
    let (interface, function) = name.rsplit_once('#').map_or((None, name), |(interface, name)| (Some(interface), name));
    let items: &[ComponentExtern] = match interface {
        None => &info.exports,
        Some(interface) => {
            match info.exports.iter().find(|export| *export.name == *interface).map(|export| &export.item) {
                Some(ComponentItem::Instance(items)) => items,
                _ => &[],
            }
        }
    };
    match items.iter().find(|item| *item.name == *function).map(|item| &item.item) {
        Some(ComponentItem::Func(ty)) => Ok((name.to_owned(), ty.clone())),
        _ => {
            let message = format!("the component exports no function `{}`", Escaped(name));
            Err(Error::new(ErrorKind::UnknownExport, message))
        }
    }
}

/// A component instance in its own store.
#[derive(derive_more::Debug)]
#[debug("WasmtimeComponentInstance({:?})", parts.core)]
pub struct WasmtimeComponentInstance {
    pub(super) parts: CallParts,
    pub(super) instance: Instance,
}

impl WasmtimeComponentInstance {
    /// Returns the exported function with this name: `greet`, or `demo:shop/till@1.2.0#total`.
    fn find(&mut self, name: &str) -> Result<Func> {
        let (interface, function) =
            name.rsplit_once('#').map_or((None, name), |(interface, name)| (Some(interface), name));
        let store = &mut self.parts.store;
        let found = match interface {
            None => self.instance.get_func(&mut *store, function),
            Some(interface) => {
                let interface = self.instance.get_export_index(&mut *store, None, interface);
                let index =
                    interface.and_then(|index| self.instance.get_export_index(&mut *store, Some(&index), function));
                index.and_then(|index| self.instance.get_func(&mut *store, index))
            }
        };
        found.ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("the instance does not have the function `{}`", Escaped(name)))
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
        let (name, ty) = find_export(self.parts.core.info(), name)?;
        let func = self.find(&name)?;
        Ok(Box::new(WasmtimeComponentFunction { owner: self.parts.core.id(), func, ty }))
    }

    fn run(&mut self) -> Result<()> {
        Err(Error::new(ErrorKind::UnknownExport, "the component is not a program: it does not export `wasi:cli/run`"))
    }

    fn drop_resource(&mut self, handle: ResourceHandle) -> Result<()> {
        self.parts.drop_resource(handle)
    }

    fn info(&self) -> &Arc<ComponentInfo> {
        self.parts.core.info()
    }

    fn state(&self) -> InstanceState {
        self.parts.core.status().state()
    }

    fn control(&self) -> Control {
        Control::new(self.parts.core.status())
    }

    fn memory_bytes(&self) -> u64 {
        self.parts.core.status().memory().used()
    }

    fn memory_peak_bytes(&self) -> u64 {
        self.parts.core.status().memory().peak()
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
        self.parts.core.status().interrupt().ok_or_else(control::uninterruptible)?.set_time(limit);
        Ok(())
    }
}

impl FuelCounter for WasmtimeComponentInstance {
    fn fuel_state(&mut self) -> Option<&mut FuelState> {
        self.parts.fuel_state.as_mut()
    }

    fn left(&mut self) -> i64 {
        engine_fuel::left(&self.parts.store)
    }

    fn set_left(&mut self, left: i64) {
        engine_fuel::set_left(&mut self.parts.store, left);
    }
}
