//! The private globals of an instance: the fuel left, the stop flag, and the last denied table growth.

use std::sync::Arc;

use wasmer::{AsStoreMut, Global, Instance, RuntimeError, Store, Value};

use super::errors;
use super::offsets::Offsets;
use super::private_exports::{self, EXHAUSTED, GO, PrivateExports, STOPPED};
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::runtime::fuel::FuelState;
use crate::runtime::status::InstanceStatus;

/// The private globals of one instance, and how to read its backtraces.
#[derive(Debug)]
pub(super) struct GuestGlobals {
    /// `None` if the code has no private globals.
    globals: Option<Box<Globals>>,
    offsets: Offsets,
}

#[derive(Debug)]
struct Globals {
    fuel: Option<(Global, FuelState)>,
    stop: Option<Global>,
    /// The last denied table growth, and the status to report it to.
    denied: Option<(Global, Arc<InstanceStatus>)>,
}

impl GuestGlobals {
    /// Finds the private globals of `instance`, whose fuel limit is `limit`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the code lacks one of them.
    pub(super) fn of(
        private: &PrivateExports,
        instance: &Instance,
        status: &Arc<InstanceStatus>,
        limit: Option<u64>,
    ) -> Result<Self> {
        let with_checks = private.has_checks().then(|| instance.module().clone());
        let offsets = Offsets { singlepass: private.singlepass, with_checks };
        if matches!(private, PrivateExports { fuel: None, stop: None, denied: None, .. }) {
            return Ok(Self { globals: None, offsets });
        }
        let global = |name: &Option<String>| {
            let found = name.as_ref().map(|name| instance.exports.get_global(name).cloned());
            found.transpose().map_err(private_exports::missing)
        };
        let globals = Globals {
            fuel: global(&private.fuel)?.map(|fuel| (fuel, FuelState::new(status, limit))),
            stop: global(&private.stop)?,
            denied: global(&private.denied)?.map(|denied| (denied, Arc::clone(status))),
        };
        Ok(Self { globals: Some(Box::new(globals)), offsets })
    }

    /// Returns the fuel global, which host functions check.
    pub(super) fn fuel(&self) -> Option<&Global> {
        self.globals.as_ref()?.fuel.as_ref().map(|(fuel, _)| fuel)
    }

    /// Returns the stop flag.
    pub(super) fn stop(&self) -> Option<&Global> {
        self.globals.as_ref()?.stop.as_ref()
    }

    pub(super) fn fuel_state(&mut self) -> Option<&mut FuelState> {
        self.globals.as_mut()?.fuel.as_mut().map(|(_, fuel_state)| fuel_state)
    }

    /// Sets the fuel left to the fuel limit.
    pub(super) fn fill(&self, store: &mut Store) {
        if let Some((_, fuel_state)) = self.globals.as_ref().and_then(|globals| globals.fuel.as_ref()) {
            self.set_left(store, fuel_state.total());
        }
    }

    /// Returns the fuel left, which is below zero if the guest used more than its limit.
    pub(super) fn left(&self, store: &mut Store) -> i64 {
        self.fuel().map_or(0, |fuel| left(fuel, store))
    }

    /// Sets the fuel left, and resets the stop flag.
    pub(super) fn set_left(&self, store: &mut Store, left: i64) {
        let values = [(self.fuel(), Value::I64(left)), (self.stop(), Value::I32(GO))];
        for (global, value) in values.into_iter().filter_map(|(global, value)| Some((global?, value))) {
            set(global, store, value);
        }
    }

    /// Updates the fuel count and the denied growth after guest code has run, and converts its error.
    #[inline]
    pub(super) fn finish_call<T>(&mut self, store: &mut Store, ran: Result<T, RuntimeError>) -> Result<T> {
        match (ran, &mut self.globals) {
            (Ok(value), None) => Ok(value),
            (Ok(value), Some(globals)) => globals.finish_call(store).map(|()| value),
            (Err(error), _) => Err(self.finish_failed_call(store, error)),
        }
    }

    #[cold]
    fn finish_failed_call(&mut self, store: &mut Store, error: RuntimeError) -> Error {
        if let Some(globals) = &self.globals {
            globals.report_denied(store);
        }
        let mut backtrace = self.offsets.backtrace(&error);
        let error = errors::call(error);
        let is_stopped = self.stop().is_some_and(|stop| stop.get(store) == Value::I32(STOPPED));
        let left = self.fuel().map(|fuel| left(fuel, store));
        // The guest's code found that it must stop, not a host function. The operator is unknown.
        if error.trap_code() == Some(Trap::Unreachable)
            && (is_stopped || left == Some(EXHAUSTED))
            && let Some(innermost) = backtrace.first_mut()
        {
            innermost.offset = None;
        }
        let error = if is_stopped {
            self.fuel_state().into_iter().for_each(FuelState::set_unknown);
            Error::new(ErrorKind::Interrupted, "the guest was interrupted")
        } else {
            match (self.globals.as_mut().and_then(|globals| globals.fuel.as_mut()), left) {
                (Some((fuel, fuel_state)), Some(EXHAUSTED)) => {
                    // Charging this value would wrap around to a large positive one.
                    set(fuel, store, Value::I64(-1));
                    fuel_state.exhausted()
                }
                (Some((_, fuel_state)), Some(left)) => fuel_state.finish_failed_call(left, error),
                _ => error,
            }
        };
        error.with_backtrace(backtrace)
    }
}

impl Globals {
    fn finish_call(&mut self, store: &mut Store) -> Result<()> {
        self.report_denied(store);
        match &mut self.fuel {
            None => Ok(()),
            Some((fuel, fuel_state)) => fuel_state.finish_call(left(fuel, store)),
        }
    }

    /// Reports the table growth that was denied during the call, if any.
    fn report_denied(&self, store: &mut Store) {
        let Some((denied, status)) = &self.denied else { return };
        if let Value::I64(elements @ 1..) = denied.get(store) {
            status.admits_elements(elements.unsigned_abs());
            set(denied, store, Value::I64(0));
        }
    }
}

/// Returns the value of the fuel global.
pub(super) fn left(fuel: &Global, store: &mut impl AsStoreMut) -> i64 {
    fuel.get(store).i64().unwrap_or(EXHAUSTED)
}

fn set(global: &Global, store: &mut impl AsStoreMut, value: Value) {
    let set = global.set(store, value);
    debug_assert!(set.is_ok(), "the global is mutable, has the value's type, and belongs to this store");
}
