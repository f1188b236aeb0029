//! A parallel map with bounded memory, in order or not.

pub(super) mod schedule;
pub(super) mod shared;
pub(super) mod threads;
