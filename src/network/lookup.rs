//! Looks up names for a guest, by its rules.

use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::thread;

use futures_channel::oneshot;

use super::firewall::{Firewall, LookupError};
use super::host;

/// Returns the addresses of a name, or of an address in text form. Waits without blocking the thread; the lookup ends in the
/// background if the future is dropped.
///
/// # Errors
/// A [`LookupError`].
pub(crate) async fn look_up(firewall: Arc<Firewall>, text: String) -> Result<Vec<IpAddr>, LookupError> {
    if !firewall.allows_any() {
        return Err(LookupError::Denied);
    }
    // An IP address resolves to itself. It is not recorded, so no rule with a name grants it.
    if let Ok(address) = text.parse() {
        return Ok(vec![address]);
    }
    let name = host::name(&text).ok_or(LookupError::Invalid)?;
    if !firewall.allows_resolve(&name) {
        return Err(LookupError::Denied);
    }
    let running = firewall.begin_lookup().ok_or(LookupError::TooMany)?;
    let addresses = resolve(name.clone(), running).await?;
    firewall.add_resolved(&name, &addresses)?;
    Ok(addresses)
}

/// Returns the addresses of a name. The system's resolver blocks, so it runs on its own thread, which drops `running` when it ends.
async fn resolve(name: String, running: impl Send + 'static) -> Result<Vec<IpAddr>, LookupError> {
    let (sender, receiver) = oneshot::channel();
    let resolve = move || {
        let addresses = (name.as_str(), 0).to_socket_addrs().map(|found| found.map(|address| address.ip()).collect());
        drop(running);
        // The receiver is gone if the guest has ended.
        let _ = sender.send(addresses);
    };
    let started = thread::Builder::new().name("wrun-lookup".to_owned()).spawn(resolve);
    started.map_err(|_| LookupError::TooMany)?;
    match receiver.await {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(_)) | Err(_) => Err(LookupError::NotFound),
    }
}
