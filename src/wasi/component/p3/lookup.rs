//! `wasi:sockets/ip-name-lookup` of WASI 0.3, by the network rules.

use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::{Accessor, HasData};
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup::{ErrorCode, Host, HostWithStore};
use wasmtime_wasi::p3::bindings::sockets::types::IpAddress;

use crate::network::{LookupError, look_up};
use crate::wasi::component::state::ComponentWasi;

/// The interface.
pub(super) struct NameLookup;

impl HasData for NameLookup {
    type Data<'a> = &'a mut ComponentWasi;
}

impl Host for ComponentWasi {}

impl<T> HostWithStore<T> for NameLookup {
    async fn resolve_addresses(store: &Accessor<T, Self>, name: String) -> Result<Result<Vec<IpAddress>, ErrorCode>> {
        let firewall = store.with(|mut access| Arc::clone(access.get().firewall()));
        Ok(match look_up(firewall, name).await {
            Ok(found) => Ok(found.into_iter().map(|address| IpAddress::from(address.to_canonical())).collect()),
            Err(LookupError::Denied) => Err(ErrorCode::AccessDenied),
            Err(LookupError::Invalid) => Err(ErrorCode::InvalidArgument),
            Err(LookupError::NotFound) => Err(ErrorCode::NameUnresolvable),
            Err(LookupError::TooMany) => Err(ErrorCode::TemporaryResolverFailure),
        })
    }
}
