//! What the HTTP requests of a plug-in's instance share.

use std::sync::Arc;

use crate::network::{Firewall, NetRule};
use crate::wasi::Waiter;

/// What the requests of an instance share. Connections are not kept.
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
