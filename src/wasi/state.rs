//! The state of WASI preview 1 for one instance.

use wasmtime_wasi::p1::WasiP1Ctx;

use super::builder;
use super::listings::Listings;
use super::random::RandomSource;
use super::waiter::Waiter;
use crate::capabilities::Capabilities;
use crate::error::Result;

/// The state of WASI for one instance.
pub(super) struct WasiState {
    pub(super) wasi: WasiP1Ctx,
    pub(super) waiter: Waiter,
    pub(super) random: RandomSource,
    pub(super) listings: Listings,
}

impl WasiState {
    /// Builds the state from capabilities that [`check_grants`](crate::runtime::preflight::check_grants) accepted.
    ///
    /// # Errors
    /// Those of [`builder`](builder::builder).
    pub(super) fn new(capabilities: &Capabilities) -> Result<Self> {
        let mut builder = builder::builder(capabilities, builder::stdout(capabilities)?)?;
        let random = RandomSource::new(capabilities.seed);
        Ok(Self { wasi: builder.build_p1(), waiter: Waiter::default(), random, listings: Listings::default() })
    }
}
