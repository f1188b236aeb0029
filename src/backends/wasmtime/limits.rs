//! Memory and tables, held.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::{Func, Instance, ResourceLimiter};

use crate::limits::MOST_TABLE_ELEMENTS;
use crate::runtime::status::InstanceStatus;

/// What a store keeps of its guest: the books its limits are held by, and the functions it handed out.
pub(super) struct StoreData {
    pub(super) status: Arc<InstanceStatus>,
    /// Bytes taken for a growth whose outcome is not known yet.
    growing: u64,
    /// How many bytes later the code stands than in the module as it came.
    pub(super) code_shift: i64,
    /// The guest itself, once it is made.
    pub(super) instance: Option<Instance>,
    /// Functions the host was given, by the number it was given, and their numbers by address.
    pub(super) funcs: Vec<Func>,
    pub(super) func_numbers: HashMap<usize, u32>,
}

impl StoreData {
    pub(super) fn new(status: Arc<InstanceStatus>, code_shift: i64) -> Self {
        Self { status, growing: 0, code_shift, instance: None, funcs: Vec::new(), func_numbers: HashMap::new() }
    }
}

/// What the engine says of growth that the memory's type rules out: it does not ask before it refuses it, so nothing
/// was taken, and the bytes last taken are in use. (A test with pages of one byte notices where the words change.)
const RULED_OUT: &str = "memory growth exceeds memory type's limits";

impl ResourceLimiter for StoreData {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.growing = 0;
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let more = desired.saturating_sub(current) as u64;
        let fits = self.status.memory().take(more);
        if fits {
            self.growing = more;
        }
        Ok(fits)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if error.to_string() != RULED_OUT {
            self.status.memory().give_back(std::mem::take(&mut self.growing));
        }
        Ok(())
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let ruled_out = desired > MOST_TABLE_ELEMENTS as usize || maximum.is_some_and(|maximum| desired > maximum);
        Ok(!ruled_out && self.status.admits_elements(desired as u64))
    }
}
