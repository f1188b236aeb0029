//! `wasi:random`.

use wasmtime::component::HasData;
use wasmtime::{Result, bail};
use wasmtime_wasi::p2::bindings::random as p2;

use crate::runtime::host::{HostFailure, InterruptToken};
use crate::wasi::random::RandomSource;

/// The maximum number of bytes of one call, if the memory limit is not lower: 64 MiB. A larger request traps in WASI
/// 0.2 and returns fewer bytes in WASI 0.3.
const MAX_BYTES: u64 = 64 << 20;

/// The random numbers of one instance.
pub(crate) struct RandomState {
    source: RandomSource,
    /// The numbers of `insecure-seed`, which stay the same.
    seed: Option<(u64, u64)>,
    /// The maximum number of bytes of one call.
    max_bytes: u64,
    interrupt_token: InterruptToken,
}

impl RandomState {
    /// Creates the state for a component with at most `memory` bytes of linear memory, where the results must fit.
    pub(super) fn new(seed: Option<u64>, memory: Option<u64>, interrupt_token: InterruptToken) -> Self {
        let max_bytes = memory.unwrap_or(MAX_BYTES).min(MAX_BYTES);
        Self { source: RandomSource::new(seed), seed: None, max_bytes, interrupt_token }
    }

    /// Returns at most this many random bytes.
    #[cfg(feature = "wasi-p3")]
    pub(super) fn bytes_up_to(&mut self, max: u64) -> Result<Vec<u8>> {
        self.fill(max.min(self.max_bytes))
    }

    /// Returns random bytes.
    pub(super) fn bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        if count > self.max_bytes {
            bail!("{count} random bytes in one call are more than {}", self.max_bytes);
        }
        self.fill(count)
    }

    fn fill(&mut self, count: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(count)?];
        let filled = self.source.fill(&mut bytes, &self.interrupt_token);
        filled.map_err(|error| wasmtime::Error::new(HostFailure(error)))?;
        Ok(bytes)
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let bytes = self.fill(8)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn seed(&mut self) -> Result<(u64, u64)> {
        if let Some(seed) = self.seed {
            return Ok(seed);
        }
        let seed = (self.number()?, self.number()?);
        self.seed = Some(seed);
        Ok(seed)
    }
}

/// The interfaces of `wasi:random`.
pub(super) struct Random;

impl HasData for Random {
    type Data<'a> = &'a mut RandomState;
}

impl p2::random::Host for RandomState {
    fn get_random_bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        self.bytes(count)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        self.number()
    }
}

impl p2::insecure::Host for RandomState {
    fn get_insecure_random_bytes(&mut self, count: u64) -> Result<Vec<u8>> {
        self.bytes(count)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        self.number()
    }
}

impl p2::insecure_seed::Host for RandomState {
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        self.seed()
    }
}
