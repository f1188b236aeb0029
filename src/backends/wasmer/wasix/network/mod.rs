//! The network of one guest: the machine's own, behind the rules it was granted.

mod firewall;
mod lookup;
mod networking;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

pub(in crate::backends::wasmer) use networking::network;
