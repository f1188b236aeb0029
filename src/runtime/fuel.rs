//! Portable fuel: one unit, the same number on both engines, for every program and every limit.
//!
//! Entering a function costs 1, and so does each operator but `nop`, `drop`, `block`, `loop`, `unreachable`, `return`,
//! `else` and `end`, which are free. No cost depends on a value: a `memory.fill` is 1, whatever its length. With a
//! limit of N, N units can be used; a guest is stopped at the entry of a function, at the head of a loop, or when it
//! calls the host, where it has used more.

use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind};
use crate::module::info::ModuleInfo;
use crate::runtime::status::InstanceStatus;

/// The cost of entering a function.
pub const ENTRY: i64 = 1;

/// The cost of an operator that is not free.
pub const OPERATOR: i64 = 1;

/// The largest limit; more would not be used up in a century.
pub const MOST: u64 = i64::MAX as u64 / 4;

/// The tank of a guest without a limit, whose use is still counted.
pub(crate) const UNLIMITED: i64 = i64::MAX / 2;

/// What a guest has in its tank, as both engines count it.
#[derive(Debug)]
pub struct FuelState {
    status: Arc<InstanceStatus>,
    /// What was put in: the limit, and what was added since.
    filled: i64,
    /// Whether there is a limit at all.
    limited: bool,
    /// Whether no trap left what was used unknown: what the engine had not charged yet is lost then.
    known: bool,
    /// Whether what the engine says is left is more than there is, by what was lost.
    short: bool,
    /// What was left when the life was last told of what was used.
    told: i64,
}

impl FuelState {
    /// The tank of an instance with this limit.
    pub(crate) fn new(status: &Arc<InstanceStatus>, limit: Option<u64>) -> Self {
        let filled = limit.map_or(UNLIMITED, |limit| i64::try_from(limit).unwrap_or(UNLIMITED));
        Self { status: Arc::clone(status), filled, limited: limit.is_some(), known: true, short: false, told: filled }
    }

    /// What was put in.
    pub(crate) fn filled(&self) -> i64 {
        self.filled
    }

    /// What was used, with `left` in the tank.
    pub(crate) fn used(&self, left: i64) -> Option<u64> {
        self.is_known().then(|| u64::try_from(self.filled - left.max(0)).unwrap_or(0))
    }

    /// What remains of the limit, with `left` in the tank.
    pub(crate) fn remaining(&self, left: i64) -> Option<u64> {
        (self.limited && self.is_known()).then(|| u64::try_from(left).unwrap_or(0))
    }

    /// Whether what was used is known: neither after a trap nor after a stop.
    fn is_known(&self) -> bool {
        self.known && !self.status.is_fuel_unknown()
    }

    /// Notes that a trap left what was used unknown.
    pub(crate) fn lose_count(&mut self) {
        (self.known, self.short) = (false, true);
    }

    /// Counts what a call used that left this much.
    pub(crate) fn count(&mut self, left: i64) {
        if !self.short && !self.status.is_fuel_unknown() {
            let left = left.max(0);
            self.status.count_fuel(u64::try_from(self.told - left).unwrap_or(0));
            self.told = left;
        }
    }

    /// Counts what a call used that left this much.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfFuel`] where it used more than there was.
    pub(crate) fn finish_call(&mut self, left: i64) -> Result<()> {
        if left < 0 {
            return Err(self.exhausted());
        }
        self.count(left);
        Ok(())
    }

    /// What a call failed with, which used what is only known where the guest ended itself.
    pub(crate) fn finish_failed_call(&mut self, left: i64, error: Error) -> Error {
        if error.kind() == ErrorKind::Exited {
            self.count(left);
        } else {
            self.lose_count();
        }
        error
    }

    /// Puts `fuel` in as a new limit; what was used before is forgotten.
    pub(crate) fn reset(&mut self, limit: u64) -> Result<()> {
        *self = Self::new(&self.status, Some(Self::bounded(limit)?));
        Ok(())
    }

    /// Puts `fuel` in beside what is there.
    pub(crate) fn add(&mut self, fuel: u64) -> Result<i64> {
        let added = i64::try_from(Self::bounded(fuel)?).unwrap_or(UNLIMITED);
        let total = self.filled.checked_add(added).filter(|total| *total <= UNLIMITED);
        self.filled = total.ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("{fuel} more is more fuel than a tank holds"))
        })?;
        self.told += added;
        Ok(added)
    }

    fn bounded(fuel: u64) -> Result<u64> {
        if fuel <= MOST {
            return Ok(fuel);
        }
        Err(Error::new(ErrorKind::InvalidArgument, format!("{fuel} units of fuel: the most is {MOST}")))
    }

    /// The failure of a guest that used more than there was.
    pub(crate) fn exhausted(&mut self) -> Error {
        self.count(-1);
        let limit = u64::try_from(self.filled).unwrap_or(0);
        Error::out_of_fuel(LimitExceeded::new(LimitKind::Fuel, limit, limit.saturating_add(1)))
    }
}

/// Refuses fuel calls on an instance that counts none.
pub(crate) fn unmetered() -> Error {
    let message = "the instance meters no fuel";
    Error::new(ErrorKind::UnsupportedConfig, message).with_hint("make its runtime with `RuntimeConfig::with_metering`")
}

/// An instance's tank, as its engine counts it. Only the backends have any.
pub trait FuelCounter {
    /// The tank, where fuel is metered.
    fn fuel_state(&mut self) -> Option<&mut FuelState>;

    /// What the engine says is left; below zero where more was used than there was.
    fn left(&mut self) -> i64;

    /// Tells the engine what is left.
    fn set_left(&mut self, left: i64);
}

/// See [`WasmInstance::fuel_used`](crate::WasmInstance::fuel_used).
pub(crate) fn used(fuel_counter: &mut dyn FuelCounter) -> Option<u64> {
    let left = fuel_counter.fuel_state().is_some().then(|| fuel_counter.left())?;
    fuel_counter.fuel_state()?.used(left)
}

/// See [`WasmInstance::fuel_remaining`](crate::WasmInstance::fuel_remaining).
pub(crate) fn remaining(fuel_counter: &mut dyn FuelCounter) -> Option<u64> {
    let left = fuel_counter.fuel_state().is_some().then(|| fuel_counter.left())?;
    fuel_counter.fuel_state()?.remaining(left)
}

/// See [`WasmInstance::add_fuel`](crate::WasmInstance::add_fuel).
pub(crate) fn add(fuel_counter: &mut dyn FuelCounter, units: u64) -> Result<()> {
    let fuel_state = fuel_counter.fuel_state().ok_or_else(unmetered)?;
    if fuel_state.status.take_fuel_unknown() || fuel_state.short {
        set_anew(fuel_counter);
    }
    let added = fuel_counter.fuel_state().ok_or_else(unmetered)?.add(units)?;
    let left = fuel_counter.left().max(0);
    fuel_counter.set_left(left + added);
    Ok(())
}

/// See [`WasmInstance::reset_fuel`](crate::WasmInstance::reset_fuel).
pub(crate) fn reset(fuel_counter: &mut dyn FuelCounter, limit: u64) -> Result<()> {
    let fuel_state = fuel_counter.fuel_state().ok_or_else(unmetered)?;
    fuel_state.reset(limit)?;
    fuel_state.status.take_fuel_unknown();
    let filled = fuel_state.filled();
    fuel_counter.set_left(filled);
    Ok(())
}

/// See [`WasmInstance::recover`](crate::WasmInstance::recover); `fuel_unknown` where a stop may have left anything in what the engine
/// counts in.
pub(crate) fn recover(fuel_counter: &mut dyn FuelCounter, fuel_unknown: bool) {
    if fuel_unknown || fuel_counter.fuel_state().is_some_and(|fuel_state| fuel_state.short) {
        set_anew(fuel_counter);
    }
}

/// Sets anew what the engine counts in, after a trap or a stop: of a limit, nothing remains, since nobody knows how much was
/// used of it.
fn set_anew(fuel_counter: &mut dyn FuelCounter) {
    let fuel_state = fuel_counter.fuel_state();
    let left = if fuel_state.as_ref().is_some_and(|fuel_state| fuel_state.limited) { 0 } else { UNLIMITED };
    if let Some(fuel_state) = fuel_state {
        (fuel_state.known, fuel_state.short, fuel_state.told) = (false, false, left);
    }
    fuel_counter.set_left(left);
}

/// `name`, or the first of its kind that a module does not export: for what a backend exports for itself.
pub(crate) fn unused_export(info: &ModuleInfo, name: &str) -> String {
    let taken = |name: &str| info.exports.iter().any(|export| export.name == name);
    let mut name = name.to_owned();
    while taken(&name) {
        name.push('\'');
    }
    name
}
