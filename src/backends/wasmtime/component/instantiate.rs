//! Creates instances of components.

use std::sync::Arc;

use wasmtime::Store;

use super::super::parts::RuntimeParts;
use super::super::{fuel, interrupt, stack};
use super::call::{self, LiveComponent};
use super::compiled::WasmtimeComponent;
use super::data::ComponentData;
use super::executor::Execution;
use super::instance::WasmtimeComponentInstance;
use super::stacks::Stacks;
use super::{errors, limits, link};
use crate::capabilities::Capabilities;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::runtime::component::{WasmComponent, WasmComponentInstance};
use crate::runtime::component_host::ComponentImports;
use crate::runtime::fuel::FuelState;
use crate::runtime::host::InterruptToken;
use crate::runtime::owner::InstanceCore;
use crate::runtime::preflight;
use crate::wasi::component::ComponentWasi;

/// Creates an instance.
pub(in super::super) fn instantiate(
    runtime: RuntimeParts<'_>,
    component: &dyn WasmComponent,
    granted: Limits,
    capabilities: &Capabilities,
    imports: &ComponentImports,
) -> Result<Box<dyn WasmComponentInstance>> {
    let component = component.as_any().downcast_ref::<WasmtimeComponent>();
    let Some(component) = component.filter(|component| component.owner.is_of(runtime.registry)) else {
        return Err(Error::new(ErrorKind::InvalidArgument, "the component was compiled by another runtime"));
    };
    let RuntimeParts { config, engine, .. } = runtime;
    preflight::check_amounts(config, granted)?;
    let granted = limits::with_defaults(granted);
    let linked = link::link(&component.compiled, component.owner.info(), &component.linked, imports)?;

    let core = InstanceCore::new(&component.owner, granted, 0, config.interruption)?;
    let status = Arc::clone(core.status());
    let mut store = Store::new(engine, ComponentData::new(Arc::clone(&status), core.id()));
    if linked.wasi.needs_state {
        let state = ComponentWasi::new(capabilities, granted.memory, InterruptToken::new(&status))?;
        store.data_mut().wasi = Some(Box::new(state));
    }
    limits::apply(&mut store, granted);
    if config.interruption {
        interrupt::prepare(&mut store, &core);
    }
    let mut fuel_state = config.metering.then(|| FuelState::new(&status, granted.fuel));
    if let Some(fuel_state) = &fuel_state {
        fuel::set_left(&mut store, fuel_state.total());
    }
    let stack_bytes = stack::bytes_for_call(config.effective_max_stack());
    let execution = Execution { wasi: linked.wasi, is_async: linked.is_async, stack_bytes, stacks: Stacks::default() };
    let instance = status.start(|| {
        let created = if execution.is_async {
            execution.run_async(&status, linked.component.instantiate_async(&mut store))?
        } else {
            execution.run_sync(|| linked.component.instantiate(&mut store))
        };
        match created {
            Err(error) if !errors::is_of_guest(&error) => Err(errors::instantiate(&store, &error)),
            created => call::finish(&mut store, &mut fuel_state, created),
        }
    })?;
    let live = LiveComponent { core: core.created(), store, fuel_state, execution };
    Ok(Box::new(WasmtimeComponentInstance { live, instance }))
}
