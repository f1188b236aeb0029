//! `poll_oneoff`, in both of its layouts.

use std::time::Duration;

use wasmtime_wasi::p1::types::{Errno, Event, EventFdReadwrite, Eventrwflags, Eventtype, Subclockflags};
use wasmtime_wasi::p1::types::{Subscription, SubscriptionU};
use wasmtime_wasi::p1::wasi_snapshot_preview1::poll_oneoff;
use wiggle::{GuestMemory, GuestPtr};

use super::preview1::{HostCall, failed};
use super::state::WasiState;
use crate::runtime::host::HostError;

/// Bytes of a subscription and of an event in preview 1.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;
/// Bytes of a subscription in `wasi_unstable`, whose clocks have a field more.
const UNSTABLE_SUBSCRIPTION: usize = 56;

/// The most subscriptions that are converted.
const MOST: usize = 1 << 16;

/// Preview 1: pointers to subscriptions and events, how many there are, and where to write how many happened.
pub(super) fn wasi_snapshot_preview1(call: HostCall<'_, '_>, args: [i32; 4]) -> Result<i32, HostError> {
    let HostCall { state: WasiState { wasi, waiter }, memory, interrupt_token } = call;
    let [subscriptions, events, number, out] = args;
    // wasmtime-wasi puts the thread to sleep for this one, where nothing stops it any more.
    if let (1, Some((userdata, time))) = (number, sleep(memory, subscriptions)) {
        waiter.sleep(time, interrupt_token)?;
        let fd_readwrite = EventFdReadwrite { nbytes: 1, flags: Eventrwflags::empty() };
        let event = Event { userdata, error: Errno::Success, type_: Eventtype::Clock, fd_readwrite };
        memory.write(pointer(events), event)?;
        memory.write(pointer(out), 1_u32)?;
        return Ok(i32::from(Errno::Success as u16));
    }
    waiter
        .wait(poll_oneoff(wasi, memory, subscriptions, events, number, out), interrupt_token)?
        .map_err(|error| failed(&error))
}

/// The user data and the time of a subscription that is one to a clock, from now.
fn sleep(memory: &GuestMemory<'_>, subscription: i32) -> Option<(u64, Duration)> {
    let Subscription { userdata, u } = memory.read(pointer(subscription)).ok()?;
    match u {
        SubscriptionU::Clock(clock) if !clock.flags.contains(Subclockflags::SUBSCRIPTION_CLOCK_ABSTIME) => {
            Some((userdata, Duration::from_nanos(clock.timeout)))
        }
        _ => None,
    }
}

/// `wasi_unstable`: the subscriptions are laid out as preview 1 has them, in a memory of their own, and the events copied
/// back. (wasmtime-wasi converts them in place, and reads the second one where it is not.)
pub(super) fn wasi_unstable(call: HostCall<'_, '_>, args: [i32; 4]) -> Result<i32, HostError> {
    let HostCall { state, memory, interrupt_token } = call;
    let [subscriptions, events, number, out] = args;
    let number = u32::try_from(number).unwrap_or(u32::MAX) as usize;
    if number > MOST {
        return Ok(i32::from(Errno::Nomem as u16));
    }
    let mut copy = vec![0; number * (SUBSCRIPTION + EVENT) + 4];
    let (ours, rest) = copy.split_at_mut(number * SUBSCRIPTION);
    for (index, converted) in ours.chunks_exact_mut(SUBSCRIPTION).enumerate() {
        let offset = u32::try_from(index * UNSTABLE_SUBSCRIPTION)?;
        let start =
            (subscriptions.cast_unsigned()).checked_add(offset).ok_or("a subscription past the memory's end")?;
        let bytes = memory.to_vec(GuestPtr::<[u8]>::new((start, u32::try_from(UNSTABLE_SUBSCRIPTION)?)))?;
        convert(&bytes, converted);
    }
    let (happened, count) = (ours.len(), ours.len() + rest.len() - 4);
    let at = |offset: usize| i32::try_from(offset);
    let mut theirs = GuestMemory::Unshared(&mut copy);
    let call = HostCall { state, memory: &mut theirs, interrupt_token };
    let errno = wasi_snapshot_preview1(call, [0, at(happened)?, at(number)?, at(count)?])?;
    let count = u32::from_le_bytes(copy[count..].try_into()?);
    if errno == i32::from(Errno::Success as u16) {
        let bytes = &copy[happened..happened + count as usize * EVENT];
        memory.copy_from_slice(bytes, GuestPtr::<[u8]>::new((events.cast_unsigned(), u32::try_from(bytes.len())?)))?;
        memory.write(pointer(out), count)?;
    }
    Ok(errno)
}

/// Lays a subscription out as preview 1 has it: a clock's first field, which nobody reads, is gone.
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
