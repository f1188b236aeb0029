//! WASI 0.3.

mod interfaces;
mod lookup;
mod random;
mod stdout;

pub(super) use interfaces::find;
