//! Replaces `src/sync.rs`.

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering};
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};

pub(crate) use crate::clock::Instant;
