//! Random bytes for guests: from the system, or generated from a seed.

use rand::rngs::{StdRng, SysRng};
use rand::{RngExt, SeedableRng, TryRng};
use wasmtime_wasi::p1::types::Errno;

use crate::error::{Error, ErrorKind, Result};
use crate::runtime::host::{HostError, InterruptToken};

/// The maximum number of bytes between two checks for an interrupt.
const PIECE: usize = 1 << 20;

/// A source of random bytes.
pub(super) enum RandomSource {
    /// The operating system.
    System,
    /// A generator with a seed.
    Seeded(Box<StdRng>),
}

impl RandomSource {
    pub(super) fn new(seed: Option<u64>) -> Self {
        seed.map_or(Self::System, |seed| Self::Seeded(Box::new(StdRng::seed_from_u64(seed))))
    }

    /// Fills a buffer of the guest.
    ///
    /// # Errors
    /// The interrupt, if the guest is interrupted, or [`Errno::Io`] if the system has no random numbers.
    pub(super) fn fill(&mut self, buffer: &mut [u8], interrupt_token: &InterruptToken) -> Result<(), HostError> {
        for piece in buffer.chunks_mut(PIECE) {
            interrupt_token.check_interrupt()?;
            match self {
                Self::System => SysRng.try_fill_bytes(piece).map_err(|_| Errno::Io)?,
                Self::Seeded(generator) => piece.fill_with(|| generator.random()),
            }
        }
        Ok(())
    }
}

/// Checks that the system has random numbers. wasmtime-wasi and wasmer-wasix seed generators for every guest, and panic without
/// them.
///
/// # Errors
/// [`ErrorKind::Internal`] if it has none.
pub(super) fn check_system() -> Result<()> {
    SysRng.try_next_u32().map(drop).map_err(|error| {
        let message = format!("WASI needs random numbers from the system, with getrandom(2) or /dev/urandom: {error}");
        Error::new(ErrorKind::Internal, message)
    })
}
