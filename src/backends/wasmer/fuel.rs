//! The count of one instance: the global its code counts in, as fuel or only so that it can be stopped.

use std::sync::Arc;

use wasmer::{Global, Instance, RuntimeError, Store, Value};

use super::errors;
use super::metering::{EXHAUSTED, Private};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::fuel::{self, Tank};
use crate::runtime::life::Life;

/// The count of one instance, where its code counts at all.
#[derive(Debug)]
pub(super) struct Meter {
    counter: Option<Global>,
    /// Where it counts fuel.
    tank: Option<Tank>,
    /// Where its code notes table growth that was denied, and whom to tell.
    denied: Option<(Global, Arc<Life>)>,
}

impl Meter {
    /// The meter of an instance whose code counts in the private export.
    pub(super) fn of(private: &Private, instance: &Instance, life: &Arc<Life>, limit: Option<u64>) -> Self {
        let global = |name: &Option<String>| instance.exports.get_global(name.as_ref()?).ok().cloned();
        let counter = global(&private.counter);
        let denied = global(&private.denied).map(|denied| (denied, Arc::clone(life)));
        Self { counter, denied, tank: private.metering.then(|| Tank::new(life, limit)) }
    }

    /// The global, for host functions and the brake.
    pub(super) fn counter(&self) -> Option<&Global> {
        self.counter.as_ref()
    }

    pub(super) fn tank(&mut self) -> Option<&mut Tank> {
        self.tank.as_mut()
    }

    /// Fills the tank to what was put in.
    pub(super) fn fill(&mut self, store: &mut Store) {
        self.set_left(store, self.tank.as_ref().map_or(fuel::UNLIMITED, Tank::filled));
    }

    /// What is left; below zero where more was used than there was.
    pub(super) fn left(&self, store: &mut Store) -> i64 {
        self.counter.as_ref().map_or(0, |counter| left(counter, store))
    }

    pub(super) fn set_left(&self, store: &mut Store, left: i64) {
        if let Some(counter) = &self.counter {
            let set = counter.set(store, Value::I64(left));
            debug_assert!(set.is_ok(), "the counter is mutable, of type i64, and of this store");
        }
    }

    /// What came of guest code, its count considered.
    #[inline]
    pub(super) fn settle<T>(&mut self, store: &mut Store, ran: Result<T, RuntimeError>) -> Result<T> {
        if let Some((denied, life)) = &self.denied {
            tell_denied(denied, life, store);
        }
        let Some(counter) = &self.counter else { return ran.map_err(errors::call) };
        match (ran, &mut self.tank) {
            (Ok(value), None) => Ok(value),
            (Ok(value), Some(tank)) => tank.settle(left(counter, store)).map(|()| value),
            (Err(error), tank) => Err(failed(error, left(counter, store), tank.as_mut())),
        }
    }
}

/// Tells of table growth that was denied in the call that ended.
fn tell_denied(denied: &Global, life: &Life, store: &mut Store) {
    if let Value::I64(elements @ 1..) = denied.get(store) {
        life.admits_elements(elements.unsigned_abs());
        let reset = denied.set(store, Value::I64(0));
        debug_assert!(reset.is_ok(), "the global is mutable, of type i64, and of this store");
    }
}

/// Why guest code failed that left this count.
#[cold]
fn failed(error: RuntimeError, left: i64, tank: Option<&mut Tank>) -> Error {
    let error = errors::call(error);
    match tank {
        Some(tank) if left == EXHAUSTED => match tank.settle(left) {
            Err(exhausted) => exhausted.with_backtrace(error.backtrace().to_vec()),
            Ok(()) => error,
        },
        Some(tank) => tank.settle_failure(left, error),
        // Code that counts no fuel finds nothing left only where its brake was pressed.
        None if left == EXHAUSTED => {
            let stopped = Error::new(ErrorKind::Interrupted, "the guest was interrupted");
            stopped.with_backtrace(error.backtrace().to_vec())
        }
        None => error,
    }
}

/// What the counter says.
pub(super) fn left(counter: &Global, store: &mut impl wasmer::AsStoreMut) -> i64 {
    counter.get(store).i64().unwrap_or(EXHAUSTED)
}
