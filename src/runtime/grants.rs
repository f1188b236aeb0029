//! Which grants an engine can hold.

use crate::capabilities::Capabilities;
use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};

/// Checks all about capabilities that can be told without a guest.
///
/// # Errors
/// Those of [`Capabilities::check`]; [`ErrorKind::Grant`] for a network on an engine that has none for guests, or beside a
/// seed, since nothing of a network follows from that.
pub fn check(kind: RuntimeKind, capabilities: &Capabilities) -> Result<()> {
    capabilities.check()?;
    let Capabilities { net, seed, .. } = capabilities;
    let Some(rule) = net.first() else { return Ok(()) };
    if !kind.has_network() {
        let error = Error::new(ErrorKind::Grant, format!("{kind} has no network for guests, and `{rule}` grants one"));
        return Err(match RuntimeKind::available().find(|other| other.has_network()) {
            Some(other) => error.with_hint(format!("use `--runtime {other}`")),
            None => error.with_hint("build with `--features wasix`"),
        });
    }
    if seed.is_some() {
        let message = format!("what comes by a network is not deterministic, and `{rule}` grants one");
        return Err(Error::new(ErrorKind::Grant, message));
    }
    Ok(())
}
