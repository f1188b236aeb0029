//! Names to addresses, as the machine looks them up.

use std::net::{IpAddr, ToSocketAddrs as _};
use std::thread;

use futures_channel::oneshot;
use virtual_net::{NetworkError, Result};

/// The addresses of a name. The system's resolver blocks, so a thread waits for it.
pub(super) async fn addresses(name: String) -> Result<Vec<IpAddr>> {
    let (sender, receiver) = oneshot::channel();
    let look = move || {
        let found = (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|one| one.ip()).collect());
        // Nobody waits any more where the guest has ended.
        let _ = sender.send(found);
    };
    let started = thread::Builder::new().name("wrun-lookup".to_owned()).spawn(look);
    started.map_err(|_| NetworkError::InsufficientMemory)?;
    match receiver.await {
        Ok(Ok(found)) => Ok(found),
        // The resolver's failures have no kinds.
        Ok(Err(_)) => Err(NetworkError::AddressNotAvailable),
        Err(_) => Err(NetworkError::IOError),
    }
}
