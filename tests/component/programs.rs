//! Programs: `wasi:cli/run` of WASI 0.2 and 0.3.
