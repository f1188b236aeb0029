//! Rules for the network access of a guest.

mod host;
#[cfg(feature = "wasix")]
mod matching;
mod rule;
#[cfg(test)]
mod tests;

#[cfg(feature = "wasix")]
pub(crate) use host::{is_group, name};
#[cfg(feature = "wasix")]
pub(crate) use matching::destination;
pub use rule::NetRule;
#[cfg(feature = "wasix")]
pub(crate) use rule::Protocol;
