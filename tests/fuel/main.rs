//! Portable fuel: every engine and compiler counts the same fuel, and every limit has the same outcome.

mod api;
mod fixtures;
mod programs;
#[path = "../parity/rows.rs"]
#[expect(dead_code, reason = "only `tests/parity` uses all of it")]
mod rows;
mod sweep;
