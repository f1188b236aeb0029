//! `wasi:sockets/ip-name-lookup` of WASI 0.2, by the network rules. wasmtime-wasi can only allow or deny all lookups.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::vec;

use async_trait::async_trait;
use wasmtime::component::{Linker, Resource, ResourceType};
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, IpAddress};
use wasmtime_wasi::p2::{DynPollable, Network, Pollable, subscribe};

use super::interface::p2;
use super::state::HasWasi;
use crate::network::{LookupError, look_up};

/// A lookup, `resolve-address-stream`.
enum Lookup {
    Running(Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, LookupError>> + Send>>),
    Done(Result<vec::IntoIter<IpAddr>, LookupError>),
}

impl Lookup {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<&mut vec::IntoIter<IpAddr>, LookupError>> {
        if let Self::Running(lookup) = self {
            match lookup.as_mut().poll(context) {
                Poll::Ready(found) => *self = Self::Done(found.map(Vec::into_iter)),
                Poll::Pending => return Poll::Pending,
            }
        }
        match self {
            Self::Done(found) => Poll::Ready(found.as_mut().map_err(|error| *error)),
            Self::Running(_) => Poll::Pending,
        }
    }

    fn poll_now(&mut self) -> Poll<Result<&mut vec::IntoIter<IpAddr>, LookupError>> {
        self.poll(&mut Context::from_waker(Waker::noop()))
    }
}

#[async_trait]
impl Pollable for Lookup {
    async fn ready(&mut self) {
        poll_fn(|context| self.poll(context).map(drop)).await;
    }
}

fn error_code(error: LookupError) -> ErrorCode {
    match error {
        LookupError::Denied => ErrorCode::AccessDenied,
        LookupError::Invalid => ErrorCode::InvalidArgument,
        LookupError::NotFound => ErrorCode::NameUnresolvable,
        LookupError::TooMany => ErrorCode::OutOfMemory,
    }
}

/// Links the interface.
pub(super) fn add_to_linker<T: HasWasi>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(p2!("wasi:sockets/ip-name-lookup"))?;
    interface.resource("resolve-address-stream", ResourceType::host::<Lookup>(), |mut store, number| {
        store.data_mut().wasi().table().delete(Resource::<Lookup>::new_own(number))?;
        Ok(())
    })?;
    interface.func_wrap("resolve-addresses", |mut store, (network, name): (Resource<Network>, String)| {
        let wasi = store.data_mut().wasi();
        wasi.table().get(&network)?;
        let mut lookup = Lookup::Running(Box::pin(look_up(Arc::clone(wasi.firewall()), name)));
        if let Poll::Ready(Err(error)) = lookup.poll_now() {
            return Ok((Err(error_code(error)),));
        }
        Ok((Ok(wasi.table().push(lookup)?),))
    })?;
    interface.func_wrap(
        "[method]resolve-address-stream.resolve-next-address",
        |mut store, (lookup,): (Resource<Lookup>,)| {
            let next = match store.data_mut().wasi().table().get_mut(&lookup)?.poll_now() {
                Poll::Ready(Ok(found)) => Ok(found.next().map(|address| IpAddress::from(address.to_canonical()))),
                Poll::Ready(Err(error)) => Err(error_code(error)),
                Poll::Pending => Err(ErrorCode::WouldBlock),
            };
            Ok((next,))
        },
    )?;
    interface.func_wrap(
        "[method]resolve-address-stream.subscribe",
        |mut store, (lookup,): (Resource<Lookup>,)| -> wasmtime::Result<(Resource<DynPollable>,)> {
            Ok((subscribe(store.data_mut().wasi().table(), lookup)?,))
        },
    )
}
