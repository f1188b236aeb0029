//! WASIX programs on Wasmer, with each of its compilers: what they can do, what they are held to, and how they end. No test
//! hangs: one that takes too long fails.
#![cfg(feature = "wasix")]
#![expect(clippy::unwrap_used, reason = "the words of a test fail where they stand, as the tests themselves do")]

mod ends;
mod files;
mod guest;
mod host;
mod limits;
mod network;
mod programs;
mod refusals;
mod stopping;
mod threads;
