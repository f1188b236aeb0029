//! Portable fuel of one instance: the global its code counts in.

use wasmer::{Global, Instance, RuntimeError, Store, Value};

use super::errors;
use super::metering::{EXHAUSTED, Private};
use crate::error::Result;
use crate::runtime::fuel::Tank;

/// The fuel of one instance, where its code counts any.
#[derive(Debug)]
pub(super) struct Meter {
    counted: Option<(Global, Tank)>,
}

impl Meter {
    /// The meter of an instance whose code counts in the private export.
    pub(super) fn of(private: &Private, instance: &Instance, limit: Option<u64>) -> Self {
        let global = private.fuel.as_ref().and_then(|name| instance.exports.get_global(name).ok().cloned());
        Self { counted: global.map(|global| (global, Tank::new(limit))) }
    }

    /// The global, for host functions to look at.
    pub(super) fn global(&self) -> Option<Global> {
        self.counted.as_ref().map(|(global, _)| global.clone())
    }

    pub(super) fn tank(&mut self) -> Option<&mut Tank> {
        self.counted.as_mut().map(|(_, tank)| tank)
    }

    /// Fills the tank to what was put in.
    pub(super) fn fill(&mut self, store: &mut Store) {
        if let Some(filled) = self.tank().map(|tank| tank.filled()) {
            self.set_left(store, filled);
        }
    }

    /// What is left; below zero where more was used than there was.
    pub(super) fn left(&self, store: &mut Store) -> i64 {
        self.counted.as_ref().map_or(0, |(global, _)| left(global, store))
    }

    pub(super) fn set_left(&self, store: &mut Store, left: i64) {
        if let Some((global, _)) = &self.counted {
            let set = global.set(store, Value::I64(left));
            debug_assert!(set.is_ok(), "the fuel global is mutable, of type i64, and of this store");
        }
    }

    /// What came of guest code, its fuel considered.
    #[inline]
    pub(super) fn settle<T>(&mut self, store: &mut Store, ran: Result<T, RuntimeError>) -> Result<T> {
        let Some((global, tank)) = &mut self.counted else { return ran.map_err(errors::call) };
        match ran {
            Ok(value) if left(global, store) >= 0 => Ok(value),
            Ok(_) => Err(tank.exhausted()),
            Err(_) if left(global, store) == EXHAUSTED => Err(tank.exhausted()),
            Err(error) => {
                tank.lose_count();
                Err(errors::call(error))
            }
        }
    }
}

/// What the counter says.
pub(super) fn left(global: &Global, store: &mut impl wasmer::AsStoreMut) -> i64 {
    global.get(store).i64().unwrap_or(EXHAUSTED)
}
