//! Timeouts of `poll_oneoff`.
//!
//! WASIX treats 0 as no timeout, reads all absolute times from the monotonic clock, and waits for the last of several timeouts.
//! So every timeout is replaced by a copy of the earliest one, as a relative time: WASIX ignores all but the first of equal
//! timeouts.

use wasmer::{Function, Value};
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

use super::calls::{CallResult, Env, call, number, read, unsigned, write};

/// The sizes of a subscription and of an event.
const SUBSCRIPTION: usize = 48;
const EVENT: u64 = 32;
/// The maximum number of subscriptions of a call in WASIX.
const MAX_SUBSCRIPTIONS: u64 = 1024;
/// The type of a subscription to a clock.
const CLOCK: u8 = 0;
/// The monotonic clock. Only this clock and the realtime clock, 0, can be waited for.
const MONOTONIC: u32 = 1;
const ABSOLUTE: u16 = 1;
/// The timeout that WASIX treats as already passed.
const PASSED: u64 = 1;

/// One subscription to a clock, in the layout of preview 1.
#[derive(Clone, Copy)]
struct Timeout {
    /// The bytes of the user data.
    user: [u8; 8],
    clock: u32,
    nanoseconds: u64,
    is_absolute: bool,
}

impl Timeout {
    /// Parses a subscription to a clock. Returns `None` for a subscription to a descriptor.
    fn read(subscription: &[u8; SUBSCRIPTION]) -> Option<Self> {
        let [user @ .., CLOCK, _, _, _, _, _, _, _] = *subscription.first_chunk::<16>()? else { return None };
        let clock = u32::from_le_bytes(*subscription[16..].first_chunk()?);
        let nanoseconds = u64::from_le_bytes(*subscription[24..].first_chunk()?);
        let flags = u16::from_le_bytes(*subscription[40..].first_chunk()?);
        Some(Self { user, clock, nanoseconds, is_absolute: flags & ABSOLUTE != 0 })
    }

    /// Returns a subscription with this timeout.
    fn written_to(self, mut subscription: [u8; SUBSCRIPTION]) -> [u8; SUBSCRIPTION] {
        subscription[..8].copy_from_slice(&self.user);
        subscription[16..20].copy_from_slice(&self.clock.to_le_bytes());
        subscription[24..32].copy_from_slice(&self.nanoseconds.to_le_bytes());
        subscription[40..42].copy_from_slice(&u16::from(self.is_absolute).to_le_bytes());
        subscription
    }

    /// Whether WASIX treats this timeout correctly, if there is no other.
    fn needs_no_correction(self) -> bool {
        self.nanoseconds > PASSED && !(self.is_absolute && self.clock != MONOTONIC)
    }
}

/// Calls `poll` with corrected timeouts. `clock` is `clock_time_get`.
pub(super) fn poll_oneoff(env: &mut Env<'_>, poll: &Function, clock: &Function, args: &[Value]) -> CallResult {
    let [subscriptions, events, count] = [0, 1, 2].map(|index| u64::from(unsigned(args, index)));
    if count > MAX_SUBSCRIPTIONS {
        return Ok(number(Errno::Toobig));
    }
    let addresses = (0..count).map(|index| subscriptions + index * SUBSCRIPTION as u64);
    let Ok(originals) = addresses.clone().map(|address| read(env, address)).collect::<Result<Vec<_>, _>>() else {
        return Ok(number(Errno::Fault));
    };
    let mut timeouts: Vec<_> = originals.iter().filter_map(Timeout::read).collect();
    if timeouts.iter().any(|timeout| timeout.clock > MONOTONIC) {
        return Ok(number(Errno::Inval));
    }
    if timeouts.is_empty() || matches!(timeouts[..], [timeout] if timeout.needs_no_correction()) {
        return call(poll, env, args);
    }
    for timeout in timeouts.iter_mut().filter(|timeout| timeout.is_absolute) {
        // The buffer for events may be overwritten: `poll_oneoff` writes to it anyway.
        let errno = call(clock, env, &[Value::I32(timeout.clock.cast_signed()), Value::I64(1), args[1].clone()])?;
        match read(env, events).map(u64::from_le_bytes) {
            Ok(now) if errno == 0 => timeout.nanoseconds = timeout.nanoseconds.saturating_sub(now),
            _ => return Ok(number(Errno::Fault)),
        }
        (timeout.clock, timeout.is_absolute) = (MONOTONIC, false);
    }
    let Some(mut earliest) = timeouts.into_iter().min_by_key(|timeout| timeout.nanoseconds) else {
        return call(poll, env, args);
    };
    earliest.nanoseconds = earliest.nanoseconds.max(PASSED);
    let changed = originals.iter().map(|original| match Timeout::read(original) {
        Some(_) => earliest.written_to(*original),
        None => *original,
    });
    if addresses.clone().zip(changed).any(|(address, changed)| write(env, address, &changed).is_err()) {
        return Ok(number(Errno::Fault));
    }
    let errno = call(poll, env, args)?;
    // Restore the subscriptions, unless the results were written over them.
    let overlap = subscriptions < events + count * EVENT && events < subscriptions + count * SUBSCRIPTION as u64;
    if !overlap && addresses.zip(&originals).any(|(address, original)| write(env, address, original).is_err()) {
        return Ok(number(Errno::Fault));
    }
    Ok(errno)
}
