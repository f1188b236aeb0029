//! The network of one guest: the host's network, restricted to the granted rules.

mod networking;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

pub(in crate::backends::wasmer) use networking::network;
