//! Portable fuel by Wasmtime's fuel metering.

use wasmtime::{AsContext, AsContextMut, Config, OperatorCost, Trap};

use super::errors;
use super::limits::GuestData;
use super::offsets::backtrace;
use crate::error::Result;
use crate::runtime::fuel::FuelState;

/// Configures the engine to count portable fuel: its default cost for each operator, and no costs that depend on operands.
pub(super) fn configure(settings: &mut Config) {
    let mut cost = OperatorCost::new();
    let variable = &mut cost.variable;
    for per_item in [
        &mut variable.memory_copy_per_byte,
        &mut variable.memory_fill_per_byte,
        &mut variable.memory_init_per_byte,
        &mut variable.memory_grow_per_page,
        &mut variable.table_copy_per_element,
        &mut variable.table_fill_per_element,
        &mut variable.table_init_per_element,
        &mut variable.table_grow_per_element,
        &mut variable.array_copy_per_element,
        &mut variable.array_fill_per_element,
        &mut variable.array_new_data_per_element,
        &mut variable.array_init_data_per_element,
        &mut variable.array_new_elem_per_element,
        &mut variable.array_init_elem_per_element,
        &mut variable.array_new_default_per_element,
        &mut variable.array_new_per_element,
    ] {
        *per_item = 0;
    }
    settings.consume_fuel(true).operator_cost(cost);
}

/// Returns the fuel left. Wasmtime stops a guest that has no fuel left; portable fuel stops one that has used more than its
/// limit. So the engine always has one unit more.
pub(super) fn left(store: impl AsContext) -> i64 {
    i64::try_from(store.as_context().get_fuel().unwrap_or(0)).unwrap_or(i64::MAX) - 1
}

/// Sets the fuel left.
pub(super) fn set_left(mut store: impl AsContextMut, left: i64) {
    // This only fails if the engine does not meter fuel; then there is no limit to set.
    let _ = store.as_context_mut().set_fuel(u64::try_from(left + 1).unwrap_or(0));
}

/// Fails the host call of a guest that has used more than its limit.
pub(super) fn check_host_call(store: impl AsContext) -> wasmtime::Result<()> {
    match store.as_context().get_fuel() {
        Ok(0) => Err(Trap::OutOfFuel.into()),
        _ => Ok(()),
    }
}

/// Updates the fuel count after guest code has run, and converts its error.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a successful call without metering costs one comparison")]
pub(super) fn finish_call<T>(
    store: impl AsContextMut<Data: GuestData>,
    fuel_state: &mut Option<FuelState>,
    ran: wasmtime::Result<T>,
) -> Result<T> {
    match ran {
        Ok(value) if fuel_state.is_none() => Ok(value),
        other => finish_call_slow(store, fuel_state, other),
    }
}

/// The part of [`finish_call`] that calls without metering do not reach.
#[cold]
fn finish_call_slow<T>(
    mut store: impl AsContextMut<Data: GuestData>,
    fuel_state: &mut Option<FuelState>,
    ran: wasmtime::Result<T>,
) -> Result<T> {
    match (ran, fuel_state) {
        (Ok(value), None) => Ok(value),
        (Ok(value), Some(fuel_state)) => fuel_state.finish_call(left(&store)).map(|()| value),
        (Err(error), None) => Err(errors::call(store, error)),
        (Err(error), Some(fuel_state)) if error.downcast_ref::<Trap>() == Some(&Trap::OutOfFuel) => {
            set_left(&mut store, -1);
            let backtrace = backtrace(&store, &error);
            Err(fuel_state.exhausted().with_backtrace(backtrace))
        }
        (Err(error), Some(fuel_state)) => {
            let left = left(&store);
            Err(fuel_state.finish_failed_call(left, errors::call(store, error)))
        }
    }
}
