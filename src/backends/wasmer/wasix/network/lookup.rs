//! Resolves names with the system's resolver.

use std::net::{IpAddr, ToSocketAddrs as _};
use std::thread;

use futures_channel::oneshot;
use virtual_net::{NetworkError, Result};

/// Returns the addresses of a name. The system's resolver blocks, so it runs on its own thread.
pub(super) async fn addresses(name: String) -> Result<Vec<IpAddr>> {
    let (sender, receiver) = oneshot::channel();
    let resolve = move || {
        let addresses = (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect());
        // The receiver is gone if the guest has ended.
        let _ = sender.send(addresses);
    };
    let started = thread::Builder::new().name("wrun-lookup".to_owned()).spawn(resolve);
    started.map_err(|_| NetworkError::InsufficientMemory)?;
    match receiver.await {
        Ok(Ok(addresses)) => Ok(addresses),
        // The resolver does not say why it failed.
        Ok(Err(_)) => Err(NetworkError::AddressNotAvailable),
        Err(_) => Err(NetworkError::IOError),
    }
}
