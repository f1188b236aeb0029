//! A placeholder.

use std::sync::Arc;

use virtual_net::{DynVirtualNetworking, UnsupportedVirtualNetworking};

/// No network.
pub(super) fn network(_: &[()]) -> DynVirtualNetworking {
    Arc::new(UnsupportedVirtualNetworking::default())
}
