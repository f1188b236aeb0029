//! Portable fuel: the same number on both engines and every compiler, the same verdict for every limit.

mod fixtures;
mod programs;
#[path = "../parity/rows.rs"]
#[expect(dead_code, reason = "of a row, `tests/parity` asks more")]
mod rows;
mod sweep;
mod tank;
