//! Interfaces of WASI.
