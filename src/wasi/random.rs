//! `random_get`, with bytes of the system, or with bytes that follow from a seed.

use rand::rngs::{StdRng, SysError, SysRng};
use rand::{RngExt, SeedableRng, TryRng};
use wasmtime_wasi::p1::types::Errno;
use wiggle::GuestPtr;

use super::function::HostCall;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::host::HostError;

/// The most bytes that are generated between two checks for an interrupt.
const PIECE: usize = 1 << 20;

/// A source of random bytes.
pub(super) enum RandomSource {
    /// The operating system.
    System,
    /// A generator that was started with a seed.
    Seeded(Box<StdRng>),
}

impl RandomSource {
    pub(super) fn new(seed: Option<u64>) -> Self {
        seed.map_or(Self::System, |seed| Self::Seeded(Box::new(StdRng::seed_from_u64(seed))))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), SysError> {
        match self {
            Self::System => SysRng.try_fill_bytes(bytes),
            Self::Seeded(generator) => {
                bytes.fill_with(|| generator.random());
                Ok(())
            }
        }
    }
}

/// Fills a buffer of the guest. The arguments are its address and its length.
pub(super) fn random_get(call: HostCall<'_, '_>, args: [i32; 2]) -> Result<i32, HostError> {
    let HostCall { state, memory, interrupt_token } = call;
    let [address, length] = args.map(i32::cast_unsigned);
    let buffer = memory.as_slice_mut(GuestPtr::new((address, length)))?.ok_or(Errno::Notsup)?;
    for piece in buffer.chunks_mut(PIECE) {
        interrupt_token.check_interrupt()?;
        state.random.fill(piece).map_err(|_| Errno::Io)?;
    }
    Ok(i32::from(Errno::Success as u16))
}

/// Checks that the system has random numbers. wasmtime-wasi and wasmer-wasix seed generators for every guest, and panic without them.
///
/// # Errors
/// [`ErrorKind::Internal`] if it has none.
pub(super) fn check_system() -> Result<()> {
    SysRng.try_next_u32().map(drop).map_err(|error| {
        let message = format!("WASI needs random numbers from the system, with getrandom(2) or /dev/urandom: {error}");
        Error::new(ErrorKind::Internal, message)
    })
}
