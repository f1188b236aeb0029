//! `poll_oneoff`, in the layouts of preview 1 and of `wasi_unstable`.

use std::time::Duration;

use wasmtime_wasi::p1::types::{Clockid, Errno, Event, EventFdReadwrite, Eventrwflags, Eventtype, Subclockflags};
use wasmtime_wasi::p1::types::{Subscription, SubscriptionU};
use wasmtime_wasi::p1::wasi_snapshot_preview1::poll_oneoff;
use wiggle::{GuestMemory, GuestPtr};

use super::function::{HostCall, host_error};
use super::state::WasiState;
use crate::runtime::host::HostError;

/// The size of a subscription and of an event in preview 1, in bytes.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;
/// The size of a subscription in `wasi_unstable`, whose clocks have one more field.
const UNSTABLE_SUBSCRIPTION: usize = 56;

/// The maximum number of subscriptions of one call. Each takes half a kilobyte of host memory, and up to two of the million
/// entries of wasmtime-wasi's resource table.
const MAX_SUBSCRIPTIONS: u32 = 1 << 18;

/// Polls with the layout of preview 1. The arguments are the pointers to subscriptions and events, the number of
/// subscriptions, and the pointer to the resulting number of events.
pub(super) fn wasi_snapshot_preview1(call: HostCall<'_, '_>, args: [i32; 4]) -> Result<i32, HostError> {
    let HostCall { state: WasiState { wasi, waiter, .. }, memory, interrupt_token } = call;
    let [subscriptions, events, count, out] = args;
    check_count(count)?;
    // For a single relative timer, wasmtime-wasi blocks the thread, which cannot be interrupted. Sleep here instead.
    if let (1, Some((userdata, time))) = (count, relative_timer(memory, subscriptions)) {
        waiter.wait(async move { tokio::time::sleep(time).await }, interrupt_token)?;
        let fd_readwrite = EventFdReadwrite { nbytes: 1, flags: Eventrwflags::empty() };
        let event = Event { userdata, error: Errno::Success, type_: Eventtype::Clock, fd_readwrite };
        memory.write(pointer(events), event)?;
        memory.write(pointer(out), 1_u32)?;
        return Ok(i32::from(Errno::Success as u16));
    }
    waiter
        .wait(poll_oneoff(wasi, memory, subscriptions, events, count, out), interrupt_token)?
        .map_err(|error| host_error(&error))
}

/// Returns the number of subscriptions.
///
/// # Errors
/// [`Errno::Nomem`] if there are too many.
fn check_count(count: i32) -> Result<u32, Errno> {
    let count = count.cast_unsigned();
    if count > MAX_SUBSCRIPTIONS { Err(Errno::Nomem) } else { Ok(count) }
}

/// Returns the user data and the timeout of a subscription, if it is to the wall clock or the monotonic clock, with a relative
/// time.
fn relative_timer(memory: &GuestMemory<'_>, subscription: i32) -> Option<(u64, Duration)> {
    let Subscription { userdata, u } = memory.read(pointer(subscription)).ok()?;
    match u {
        SubscriptionU::Clock(clock)
            if matches!(clock.id, Clockid::Realtime | Clockid::Monotonic)
                && !clock.flags.contains(Subclockflags::SUBSCRIPTION_CLOCK_ABSTIME) =>
        {
            Some((userdata, Duration::from_nanos(clock.timeout)))
        }
        _ => None,
    }
}

/// Polls with the layout of `wasi_unstable`: converts the subscriptions to preview 1 in a separate memory, polls, and copies
/// the events back. (wasmtime-wasi converts them in place and reads every subscription after the first at a wrong offset.)
pub(super) fn wasi_unstable(call: HostCall<'_, '_>, args: [i32; 4]) -> Result<i32, HostError> {
    let HostCall { state, memory, interrupt_token } = call;
    let [subscriptions, events, count, out] = args;
    let count = check_count(count)? as usize;
    let mut scratch = vec![0; count * (SUBSCRIPTION + EVENT) + 4];
    let (converted, rest) = scratch.split_at_mut(count * SUBSCRIPTION);
    for (index, converted) in converted.chunks_exact_mut(SUBSCRIPTION).enumerate() {
        let offset = u32::try_from(index * UNSTABLE_SUBSCRIPTION)?;
        let start = subscriptions.cast_unsigned().checked_add(offset).ok_or(Errno::Fault)?;
        let bytes = memory.to_vec(GuestPtr::<[u8]>::new((start, u32::try_from(UNSTABLE_SUBSCRIPTION)?)))?;
        convert(&bytes, converted);
    }
    let (events_at, out_at) = (converted.len(), converted.len() + rest.len() - 4);
    let at = |offset: usize| i32::try_from(offset);
    let mut scratch_memory = GuestMemory::Unshared(&mut scratch);
    let call = HostCall { state, memory: &mut scratch_memory, interrupt_token };
    let errno = wasi_snapshot_preview1(call, [0, at(events_at)?, at(count)?, at(out_at)?])?;
    let ready = u32::from_le_bytes(scratch[out_at..].try_into()?);
    if errno == i32::from(Errno::Success as u16) {
        let bytes = &scratch[events_at..events_at + ready as usize * EVENT];
        memory.copy_from_slice(bytes, GuestPtr::<[u8]>::new((events.cast_unsigned(), u32::try_from(bytes.len())?)))?;
        memory.write(pointer(out), ready)?;
    }
    Ok(errno)
}

/// Converts a subscription to preview 1, which has no `identifier` field in clocks.
fn convert(unstable: &[u8], converted: &mut [u8]) {
    const TAG: usize = 8;
    const CONTENTS: usize = 16;
    const CLOCK: u8 = 0;
    let skipped = if unstable[TAG] == CLOCK { 8 } else { 0 };
    converted[..CONTENTS].copy_from_slice(&unstable[..CONTENTS]);
    converted[CONTENTS..].copy_from_slice(&unstable[CONTENTS + skipped..][..SUBSCRIPTION - CONTENTS]);
}

fn pointer<T>(address: i32) -> GuestPtr<T> {
    GuestPtr::new(address.cast_unsigned())
}
