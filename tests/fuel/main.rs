//! Portable fuel: the same number on both engines and every compiler, the same verdict for every limit.

mod programs;
mod sweep;
mod tank;
