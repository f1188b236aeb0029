//! Portable fuel: one unit, the same number on both engines, for every program and every limit.
//!
//! Entering a function costs 1 and each operator costs 1, except `nop`, `drop`, `block`, `loop`, `unreachable`, `return`,
//! `else` and `end`, which cost 0. No cost depends on a value: a `memory.fill` costs 1 for any length. A guest with a limit
//! of N can use N units. If it has used more, it is stopped at the next function entry, loop head or host call.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind};
use crate::runtime::status::InstanceStatus;

/// The cost of entering a function.
pub const ENTRY: i64 = 1;

/// The cost of an operator that is not free.
pub const OPERATOR: i64 = 1;

/// The largest limit. Using it up would take more than a century.
pub const MAX_LIMIT: u64 = i64::MAX as u64 / 4;

/// The initial fuel of a guest without a limit. Its use is counted too.
pub(crate) const UNLIMITED: i64 = i64::MAX / 2;

/// The fuel of one instance. The same for both engines.
#[derive(Debug)]
pub(crate) struct FuelState {
    status: Arc<InstanceStatus>,
    /// The limit, and all fuel added to it.
    total: i64,
    limited: bool,
    /// Whether the used fuel is known. A trap leaves it unknown, because the engine has not charged all of it yet.
    known: bool,
    /// Whether the engine's counter is too high, because of a trap.
    stale: bool,
    /// The fuel that was left when used fuel was last added to the status.
    counted: i64,
}

impl FuelState {
    /// Creates the fuel state of an instance with this limit.
    pub(crate) fn new(status: &Arc<InstanceStatus>, limit: Option<u64>) -> Self {
        let total = limit.map_or(UNLIMITED, |limit| i64::try_from(limit).unwrap_or(UNLIMITED));
        let status = Arc::clone(status);
        Self { status, total, limited: limit.is_some(), known: true, stale: false, counted: total }
    }

    /// Returns the limit and all fuel added to it.
    pub(crate) fn total(&self) -> i64 {
        self.total
    }

    /// Returns the used fuel if `left` is left.
    fn used(&self, left: i64) -> Option<u64> {
        self.is_known().then(|| u64::try_from(self.total - left.max(0)).unwrap_or(0))
    }

    /// Returns the remaining fuel of the limit if `left` is left.
    fn remaining(&self, left: i64) -> Option<u64> {
        (self.limited && self.is_known()).then(|| u64::try_from(left).unwrap_or(0))
    }

    fn is_known(&self) -> bool {
        self.known && !self.status.is_fuel_unknown()
    }

    /// Marks the used fuel as unknown after a trap.
    pub(crate) fn set_unknown(&mut self) {
        (self.known, self.stale) = (false, true);
    }

    /// Adds the fuel that a call used to the status.
    fn count(&mut self, left: i64) {
        if !self.stale && !self.status.is_fuel_unknown() {
            let left = left.max(0);
            self.status.count_fuel(u64::try_from(self.counted - left).unwrap_or(0));
            self.counted = left;
        }
    }

    /// Counts the fuel of a call that returned.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfFuel`] if it used more fuel than there was.
    pub(crate) fn finish_call(&mut self, left: i64) -> Result<()> {
        if left < 0 {
            return Err(self.exhausted());
        }
        self.count(left);
        Ok(())
    }

    /// Counts the fuel of a call that failed. It is known only if the guest exited. Returns `error`.
    pub(crate) fn finish_failed_call(&mut self, left: i64, error: Error) -> Error {
        if error.kind() == ErrorKind::Exited {
            self.count(left);
        } else {
            self.set_unknown();
        }
        error
    }

    fn reset(&mut self, limit: u64) -> Result<()> {
        *self = Self::new(&self.status, Some(Self::bounded(limit)?));
        Ok(())
    }

    fn add(&mut self, units: u64) -> Result<i64> {
        let added = i64::try_from(Self::bounded(units)?).unwrap_or(UNLIMITED);
        let total = self.total.checked_add(added).filter(|total| *total <= UNLIMITED);
        self.total = total.ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("cannot add {units} units of fuel: the sum is out of range"))
        })?;
        self.counted += added;
        Ok(added)
    }

    fn bounded(units: u64) -> Result<u64> {
        if units <= MAX_LIMIT {
            return Ok(units);
        }
        let message = format!("{units} units of fuel are out of range: the maximum is {MAX_LIMIT}");
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    /// Counts the fuel of a call that used more than there was, and returns its error.
    pub(crate) fn exhausted(&mut self) -> Error {
        self.count(-1);
        let limit = u64::try_from(self.total).unwrap_or(0);
        Error::limit(LimitExceeded::new(LimitKind::Fuel, limit, limit.saturating_add(1)))
    }
}

/// The error for a fuel operation on an instance that does not meter fuel.
fn unmetered() -> Error {
    let message = "the instance does not meter fuel";
    Error::new(ErrorKind::UnsupportedConfig, message)
        .with_hint("create the runtime with `RuntimeConfig::with_metering`")
}

/// The fuel counter of an engine.
pub(crate) trait FuelCounter {
    /// Returns the fuel state, if fuel is metered.
    fn fuel_state(&mut self) -> Option<&mut FuelState>;

    /// Returns the fuel left in the engine's counter. Negative if the guest used more than there was.
    fn left(&mut self) -> i64;

    /// Sets the fuel left in the engine's counter.
    fn set_left(&mut self, left: i64);
}

/// See [`WasmInstance::fuel_used`](crate::WasmInstance::fuel_used).
pub(crate) fn used(counter: &mut dyn FuelCounter) -> Option<u64> {
    let left = counter.fuel_state().is_some().then(|| counter.left())?;
    counter.fuel_state()?.used(left)
}

/// See [`WasmInstance::fuel_remaining`](crate::WasmInstance::fuel_remaining).
pub(crate) fn remaining(counter: &mut dyn FuelCounter) -> Option<u64> {
    let left = counter.fuel_state().is_some().then(|| counter.left())?;
    counter.fuel_state()?.remaining(left)
}

/// See [`WasmInstance::add_fuel`](crate::WasmInstance::add_fuel).
pub(crate) fn add(counter: &mut dyn FuelCounter, units: u64) -> Result<()> {
    let fuel_state = counter.fuel_state().ok_or_else(unmetered)?;
    if fuel_state.status.take_fuel_unknown() || fuel_state.stale {
        restore_counter(counter);
    }
    let added = counter.fuel_state().ok_or_else(unmetered)?.add(units)?;
    let left = counter.left().max(0);
    counter.set_left(left + added);
    Ok(())
}

/// See [`WasmInstance::reset_fuel`](crate::WasmInstance::reset_fuel).
pub(crate) fn reset(counter: &mut dyn FuelCounter, limit: u64) -> Result<()> {
    let fuel_state = counter.fuel_state().ok_or_else(unmetered)?;
    fuel_state.reset(limit)?;
    fuel_state.status.take_fuel_unknown();
    let total = fuel_state.total();
    counter.set_left(total);
    Ok(())
}

/// See [`WasmInstance::recover`](crate::WasmInstance::recover). `fuel_unknown` is set if an interrupt may have corrupted the
/// engine's counter.
pub(crate) fn recover(counter: &mut dyn FuelCounter, fuel_unknown: bool) {
    if fuel_unknown || counter.fuel_state().is_some_and(|fuel_state| fuel_state.stale) {
        restore_counter(counter);
    }
}

/// Makes the engine's counter valid after a trap or a stop. With a limit, no fuel is left, because the used fuel is unknown.
fn restore_counter(counter: &mut dyn FuelCounter) {
    let fuel_state = counter.fuel_state();
    let left = if fuel_state.as_ref().is_some_and(|fuel_state| fuel_state.limited) { 0 } else { UNLIMITED };
    if let Some(fuel_state) = fuel_state {
        (fuel_state.known, fuel_state.stale, fuel_state.counted) = (false, false, left);
    }
    counter.set_left(left);
}
