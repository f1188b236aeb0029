//! Rules for the network access of a guest, and the decisions that follow from them.

#[cfg(any(feature = "wasix", feature = "components", feature = "http"))]
#[cfg_attr(
    not(any(feature = "wasix", feature = "components")),
    allow(dead_code, reason = "HTTP requests only connect")
)]
mod firewall;
mod host;
#[cfg(any(feature = "wasix", feature = "components", feature = "http"))]
mod lookup;
#[cfg(any(feature = "wasix", feature = "components", feature = "http"))]
#[cfg_attr(
    not(any(feature = "wasix", feature = "components")),
    allow(dead_code, reason = "HTTP requests only connect")
)]
mod matching;
mod rule;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "wasix", feature = "components"))]
mod udp;

#[cfg(any(feature = "components", feature = "http"))]
pub(crate) use firewall::SocketClaim;
#[cfg(any(feature = "wasix", feature = "components", feature = "http"))]
pub(crate) use firewall::{Firewall, LookupError};
#[cfg(any(feature = "wasix", feature = "components", feature = "http"))]
pub(crate) use lookup::look_up;
pub use rule::NetRule;
#[cfg(any(feature = "wasix", feature = "components", feature = "http"))]
pub(crate) use rule::Protocol;
#[cfg(any(feature = "wasix", feature = "components"))]
pub(crate) use udp::UdpRules;
