//! The HTTP client of a plug-in's instance.

use std::sync::Arc;

use crate::network::{Firewall, NetRule};
use crate::wasi::Waiter;

/// The HTTP client of an instance. Each request has its own connection.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) firewall: Arc<Firewall>,
    pub(super) waiter: Waiter,
}

impl Client {
    /// Creates the client of an instance with these rules.
    pub(super) fn new(rules: &[NetRule]) -> Self {
        Self { firewall: Arc::new(Firewall::new(rules)), waiter: Waiter::with_network() }
    }
}
