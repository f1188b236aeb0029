//! What the code of one instance keeps for its host: fuel left, whether it was stopped, growth it was denied.

use std::sync::Arc;

use wasmer::{AsStoreMut, Global, Instance, RuntimeError, Store, Value};

use super::errors;
use super::middleware::{self, EXHAUSTED, GO, PrivateExports, STOPPED};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::fuel::FuelState;
use crate::runtime::status::InstanceStatus;

/// The private globals of one instance, where its code has any.
#[derive(Debug)]
pub(super) struct GuestGlobals(Option<Box<Globals>>);

/// The private globals of one instance.
#[derive(Debug)]
struct Globals {
    fuel: Option<(Global, FuelState)>,
    stop: Option<Global>,
    /// Table growth that was denied, and whom to tell.
    denied: Option<(Global, Arc<InstanceStatus>)>,
}

impl GuestGlobals {
    /// The meter of an instance whose code keeps the private exports.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where the code has not what it is held by.
    pub(super) fn of(
        private: &PrivateExports,
        instance: &Instance,
        status: &Arc<InstanceStatus>,
        limit: Option<u64>,
    ) -> Result<Self> {
        if matches!(private, PrivateExports { fuel: None, stop: None, denied: None, .. }) {
            return Ok(Self(None));
        }
        let global = |name: &Option<String>| {
            let found = name.as_ref().map(|name| instance.exports.get_global(name).cloned());
            found.transpose().map_err(middleware::not_prepared)
        };
        Ok(Self(Some(Box::new(Globals {
            fuel: global(&private.fuel)?.map(|fuel| (fuel, FuelState::new(status, limit))),
            stop: global(&private.stop)?,
            denied: global(&private.denied)?.map(|denied| (denied, Arc::clone(status))),
        }))))
    }

    /// The fuel global, for host functions to look at.
    pub(super) fn fuel(&self) -> Option<&Global> {
        self.0.as_ref()?.fuel.as_ref().map(|(fuel, _)| fuel)
    }

    /// The flag to stop the guest by.
    pub(super) fn stop(&self) -> Option<&Global> {
        self.0.as_ref()?.stop.as_ref()
    }

    pub(super) fn fuel_state(&mut self) -> Option<&mut FuelState> {
        self.0.as_mut()?.fuel.as_mut().map(|(_, fuel_state)| fuel_state)
    }

    /// Fills the tank to what was put in.
    pub(super) fn fill(&self, store: &mut Store) {
        if let Some((_, fuel_state)) = self.0.as_ref().and_then(|globals| globals.fuel.as_ref()) {
            self.set_left(store, fuel_state.filled());
        }
    }

    /// What is left; below zero where more was used than there was.
    pub(super) fn left(&self, store: &mut Store) -> i64 {
        self.fuel().map_or(0, |fuel| left(fuel, store))
    }

    /// Fills or empties the tank, and lets a guest that was stopped go.
    pub(super) fn set_left(&self, store: &mut Store, left: i64) {
        let values = [(self.fuel(), Value::I64(left)), (self.stop(), Value::I32(GO))];
        for (global, value) in values.into_iter().filter_map(|(global, value)| Some((global?, value))) {
            set(global, store, value);
        }
    }

    /// What came of guest code, what it kept considered.
    #[inline]
    pub(super) fn finish_call<T>(&mut self, store: &mut Store, ran: Result<T, RuntimeError>) -> Result<T> {
        match (ran, &mut self.0) {
            (Ok(value), None) => Ok(value),
            (Ok(value), Some(globals)) => globals.finish_call(store).map(|()| value),
            (Err(error), _) => Err(self.failed(store, error)),
        }
    }

    /// Why guest code failed.
    #[cold]
    fn failed(&mut self, store: &mut Store, error: RuntimeError) -> Error {
        if let Some(globals) = &self.0 {
            globals.tell_denied(store);
        }
        let error = errors::call(error);
        let backtrace = |error: Error| error.backtrace().to_vec();
        if self.stop().is_some_and(|stop| stop.get(store) == Value::I32(STOPPED)) {
            self.fuel_state().into_iter().for_each(FuelState::lose_count);
            return Error::new(ErrorKind::Interrupted, "the guest was interrupted").with_backtrace(backtrace(error));
        }
        match self.0.as_mut().and_then(|globals| globals.fuel.as_mut()) {
            None => error,
            Some((fuel, fuel_state)) => match left(fuel, store) {
                EXHAUSTED => {
                    // Charged again, the mark would wrap round to a full tank.
                    set(fuel, store, Value::I64(-1));
                    fuel_state.exhausted().with_backtrace(backtrace(error))
                }
                left => fuel_state.finish_failed_call(left, error),
            },
        }
    }
}

impl Globals {
    /// Considers what guest code kept that returned.
    fn finish_call(&mut self, store: &mut Store) -> Result<()> {
        self.tell_denied(store);
        match &mut self.fuel {
            None => Ok(()),
            Some((fuel, fuel_state)) => fuel_state.finish_call(left(fuel, store)),
        }
    }

    /// Tells of table growth that was denied in the call that ended.
    fn tell_denied(&self, store: &mut Store) {
        let Some((denied, status)) = &self.denied else { return };
        if let Value::I64(elements @ 1..) = denied.get(store) {
            status.admits_elements(elements.unsigned_abs());
            set(denied, store, Value::I64(0));
        }
    }
}

/// What the fuel global says.
pub(super) fn left(fuel: &Global, store: &mut impl AsStoreMut) -> i64 {
    fuel.get(store).i64().unwrap_or(EXHAUSTED)
}

fn set(global: &Global, store: &mut impl AsStoreMut, value: Value) {
    let set = global.set(store, value);
    debug_assert!(set.is_ok(), "the global is mutable, of the value's type, and of this store");
}
