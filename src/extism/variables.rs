//! The variables of a plug-in, which live as long as its instance.

use std::collections::BTreeMap;

use crate::runtime::memory_budget::MemoryBudget;

/// The bytes that each variable counts in addition to its name and its value.
const OVERHEAD: u64 = 48;

/// Values by name.
#[derive(Debug, Default)]
pub(super) struct Variables {
    values: BTreeMap<String, Vec<u8>>,
    /// The size of all variables, in bytes.
    size: u64,
}

/// Why a variable was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The variables are too large together.
    Full,
    /// The instance has no memory left.
    NoMemory,
}

impl Variables {
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name).map(Vec::as_slice)
    }

    /// Sets a variable if all variables are at most `max` bytes then.
    pub(super) fn set(&mut self, name: &str, value: &[u8], max: u64, budget: &MemoryBudget) -> Result<(), Refused> {
        let old = self.get(name).map_or(0, |old| size(name, old));
        let new = size(name, value);
        if self.size - old + new > max {
            return Err(Refused::Full);
        }
        if new > old && !budget.take(new - old) {
            return Err(Refused::NoMemory);
        }
        budget.release(old.saturating_sub(new));
        self.size = self.size - old + new;
        self.values.insert(name.to_owned(), value.to_vec());
        Ok(())
    }

    /// Removes a variable, if it is set.
    pub(super) fn remove(&mut self, name: &str, budget: &MemoryBudget) {
        if let Some(value) = self.values.remove(name) {
            let size = size(name, &value);
            self.size -= size;
            budget.release(size);
        }
    }
}

fn size(name: &str, value: &[u8]) -> u64 {
    (name.len() + value.len()) as u64 + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_replaces_another_counts_once() {
        let budget = MemoryBudget::new(None, 0);
        let mut variables = Variables::default();
        let max = OVERHEAD + 10;
        assert_eq!(variables.set("a", &[1; 9], max, &budget), Ok(()));
        assert_eq!(variables.set("a", &[2; 9], max, &budget), Ok(()));
        assert_eq!(variables.set("a", &[2; 10], max, &budget), Err(Refused::Full));
        assert_eq!(variables.set("b", &[], max, &budget), Err(Refused::Full));
        assert_eq!(variables.get("a"), Some([2; 9].as_slice()));
        assert_eq!(budget.used(), max);
        variables.remove("a", &budget);
        variables.remove("a", &budget);
        assert_eq!((variables.get("a"), budget.used()), (None, 0));
    }

    #[test]
    fn variables_count_as_memory_of_the_instance() {
        let budget = MemoryBudget::new(Some(100), 0);
        let mut variables = Variables::default();
        assert_eq!(variables.set("a", &[0; 100], u64::MAX, &budget), Err(Refused::NoMemory));
        assert_eq!(variables.set("a", &[0; 20], u64::MAX, &budget), Ok(()));
    }
}
