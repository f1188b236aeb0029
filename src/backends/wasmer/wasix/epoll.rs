//! A limit for what epoll stores outside the guest's memory: subscriptions, and a queue of events.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmer::{FromToNativeWasmType, Function, Value};
use wasmer_wasix::wasmer_wasix_types::wasi::{EpollCtl, Errno};

use super::calls::{CallResult, Env, call, number, unsigned};

/// The most subscriptions and events of a guest together. A subscription takes some 430 bytes, an event 16.
const MAX: u64 = 64 * 1024;

/// The timeout of a wait without one.
const FOREVER: u64 = u64::MAX;

/// The shortest timeout for which WASIX surely looks at the queue, in nanoseconds.
const SOME_TIME: u64 = 1_000_000;

/// Counts the subscriptions and events that WASIX stores for a guest. The counts may be too high, but never too low.
#[derive(Debug, Default)]
pub(super) struct EpollUse(Mutex<Stored>);

#[derive(Debug, Default)]
struct Stored {
    /// By epoll descriptor.
    queues: BTreeMap<u32, Queue>,
    /// The peaks of all queues, also of closed ones that may still be stored.
    total: u64,
    next_id: u64,
    /// Whether the guest has duplicated a descriptor. A closed epoll descriptor may have a duplicate then, which keeps everything.
    has_duplicates: bool,
}

/// What an epoll descriptor has stored.
#[derive(Clone, Copy, Debug, Default)]
struct Queue {
    /// Tells queues apart that had the same descriptor.
    id: u64,
    subscriptions: Peak,
    /// Each change of a subscription can add an event. WASIX removes outdated events only when the guest waits.
    events: Peak,
}

/// A number and its peak. WASIX never shrinks its collections.
#[derive(Clone, Copy, Debug, Default)]
struct Peak {
    now: u64,
    most: u64,
}

impl Peak {
    fn plus(self, more: u64) -> Self {
        let now = self.now + more;
        Self { now, most: self.most.max(now) }
    }

    fn minus(self, less: u64) -> Self {
        Self { now: self.now.saturating_sub(less), ..self }
    }
}

impl Queue {
    fn most(self) -> u64 {
        self.subscriptions.most + self.events.most
    }
}

impl EpollUse {
    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes a subscription. Fails with `nospc`, as on Linux, if too much is stored.
    pub(super) fn control(&self, env: &mut Env<'_>, function: &Function, args: &[Value]) -> CallResult {
        let descriptor = unsigned(args, 0);
        let (subscriptions, events) = match EpollCtl::from_native(unsigned(args, 1).cast_signed()) {
            EpollCtl::Add => (1, 1),
            EpollCtl::Mod => (0, 1),
            EpollCtl::Del => {
                let errno = call(function, env, args)?;
                if errno == 0 {
                    self.change(descriptor, |queue| queue.subscriptions = queue.subscriptions.minus(1));
                }
                return Ok(errno);
            }
            EpollCtl::Unknown => return call(function, env, args),
        };
        if !self.stored().add(descriptor, subscriptions, events) {
            return Ok(number(Errno::Nospc));
        }
        let errno = call(function, env, args)?;
        if errno != 0 {
            self.change(descriptor, |queue| {
                queue.subscriptions = queue.subscriptions.minus(subscriptions);
                queue.events = queue.events.minus(events);
            });
        }
        Ok(errno)
    }

    /// Waits for events. WASIX takes events off the queue until it has as many as fit, and at most one of each subscription is current.
    /// So a wait with room for more than all subscriptions empties the queue, and one that ends takes at least one event off it.
    pub(super) fn wait(&self, env: &mut Env<'_>, function: &Function, args: &[Value]) -> CallResult {
        let [descriptor, room] = [0, 2].map(|index| unsigned(args, index));
        let timeout = args.get(3).and_then(Value::i64).unwrap_or_default().cast_unsigned();
        let before = self.stored().queues.get(&descriptor).copied().unwrap_or_default();
        let errno = call(function, env, args)?;
        if errno == 0 && timeout >= SOME_TIME {
            let takes_all = u64::from(room) > before.subscriptions.most;
            let taken = if takes_all { before.events.now } else { u64::from(timeout == FOREVER) };
            self.change(descriptor, |queue| {
                if queue.id == before.id {
                    queue.events = queue.events.minus(taken);
                }
            });
        }
        Ok(errno)
    }

    fn change(&self, descriptor: u32, change: impl FnOnce(&mut Queue)) {
        if let Some(queue) = self.stored().queues.get_mut(&descriptor) {
            change(queue);
        }
    }

    /// Notes that a descriptor was duplicated.
    pub(super) fn duplicated(&self) {
        self.stored().has_duplicates = true;
    }

    /// Notes that a descriptor was closed. Everything of an epoll descriptor without subscriptions is dropped, unless it has a
    /// duplicate. WASIX may keep subscriptions, and the queue with them, as long as the watched descriptors.
    pub(super) fn closed(&self, descriptor: u32) {
        let mut stored = self.stored();
        if let Some(queue) = stored.queues.remove(&descriptor)
            && queue.subscriptions.now == 0
            && !stored.has_duplicates
        {
            stored.total -= queue.most();
        }
    }
}

impl Stored {
    /// Adds to a queue. Returns `false` if this is too much.
    fn add(&mut self, descriptor: u32, subscriptions: u64, events: u64) -> bool {
        let queue = self.queues.entry(descriptor).or_insert_with(|| {
            self.next_id += 1;
            Queue { id: self.next_id, ..Queue::default() }
        });
        let (subscriptions, events) = (queue.subscriptions.plus(subscriptions), queue.events.plus(events));
        let next = Queue { subscriptions, events, ..*queue };
        let total = self.total + next.most() - queue.most();
        let fits = total <= MAX;
        if fits {
            (*queue, self.total) = (next, total);
        }
        fits
    }
}
