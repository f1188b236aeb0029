//! The types on which the interrupt state machine is built. The model tests (`tests/interrupt_model`) replace this module.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
pub(crate) use std::time::Instant;
