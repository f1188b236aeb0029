//! WASI 0.3.

mod interfaces;
mod lookup;
mod random;
mod remove_dir;
mod stdout;

pub(super) use interfaces::find;
