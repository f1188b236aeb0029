//! `wasi:random` of WASI 0.3.

use wasmtime::Result;
use wasmtime_wasi::p3::bindings::random::{insecure, insecure_seed, random};

use crate::wasi::component::random::RandomState;

impl random::Host for RandomState {
    fn get_random_bytes(&mut self, max: u64) -> Result<Vec<u8>> {
        self.bytes_up_to(max)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        self.number()
    }
}

impl insecure::Host for RandomState {
    fn get_insecure_random_bytes(&mut self, max: u64) -> Result<Vec<u8>> {
        self.bytes_up_to(max)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        self.number()
    }
}

impl insecure_seed::Host for RandomState {
    fn get_insecure_seed(&mut self) -> Result<(u64, u64)> {
        self.seed()
    }
}
