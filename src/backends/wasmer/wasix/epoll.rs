//! A limit for what epoll stores outside the guest's memory: subscriptions, and events that the guest has not taken.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmer::{FromToNativeWasmType, Function, Value};
use wasmer_wasix::wasmer_wasix_types::wasi::{EpollCtl, Errno};

use super::calls::{CallResult, Env, MAX_DESCRIPTORS, call, number, read, unsigned};

/// The maximum number of subscriptions of a guest, and of events that it has not taken. A subscription takes some 430 bytes.
const MAX: u64 = MAX_DESCRIPTORS as u64;

/// What a guest has stored. The numbers are upper bounds.
#[derive(Debug, Default)]
pub(super) struct EpollUse(Mutex<Stored>);

#[derive(Debug, Default)]
struct Stored {
    /// Subscriptions that were added and not removed. WASIX keeps those of a closed epoll descriptor as long as it keeps a source
    /// of them, so closing does not count.
    subscriptions: u64,
    /// Events of all descriptors: each change of a subscription can add one.
    events: u64,
    /// Those of each epoll descriptor.
    events_of: BTreeMap<u32, u64>,
}

impl EpollUse {
    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a subscription. Fails with `nospc`, as on Linux, if there are too many.
    pub(super) fn control(&self, env: &mut Env<'_>, function: &Function, args: &[Value]) -> CallResult {
        let [descriptor, operation] = [0, 1].map(|index| unsigned(args, index));
        let operation = EpollCtl::from_native(operation.cast_signed());
        let (adds, changes) = (matches!(operation, EpollCtl::Add), matches!(operation, EpollCtl::Mod));
        let removes = matches!(operation, EpollCtl::Del);
        {
            let Stored { subscriptions, events, .. } = *self.stored();
            if (adds && subscriptions >= MAX) || ((adds || changes) && events >= MAX) {
                return Ok(number(Errno::Nospc));
            }
        }
        let errno = call(function, env, args)?;
        if errno == 0 {
            let mut stored = self.stored();
            stored.subscriptions = (stored.subscriptions + u64::from(adds)).saturating_sub(u64::from(removes));
            if adds || changes {
                stored.events += 1;
                *stored.events_of.entry(descriptor).or_default() += 1;
            }
        }
        Ok(errno)
    }

    /// Waits for events. If some come, and fewer than the guest has room for, it has taken all. None come after a timeout, even if
    /// there are some.
    pub(super) fn wait(&self, env: &mut Env<'_>, function: &Function, args: &[Value]) -> CallResult {
        let [descriptor, room, result] = [0, 2, 4].map(|index| unsigned(args, index));
        let before = self.stored().events_of.get(&descriptor).copied().unwrap_or_default();
        let errno = call(function, env, args)?;
        if errno != 0 {
            return Ok(errno);
        }
        let count = read(env, u64::from(result)).map_or(0, u32::from_le_bytes);
        let taken = if (1..room).contains(&count) { before } else { u64::from(count) };
        let mut stored = self.stored();
        if let Some(events) = stored.events_of.get_mut(&descriptor) {
            let taken = taken.min(*events);
            *events -= taken;
            stored.events -= taken;
        }
        Ok(errno)
    }

    /// Notes that another file gets the number of a descriptor. The events of the old one may stay, if it was duplicated.
    pub(super) fn forget(&self, descriptor: u32) {
        self.stored().events_of.remove(&descriptor);
    }
}
