//! Checks capabilities.

use crate::capabilities::Capabilities;
use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};

/// Checks that an engine can grant capabilities.
///
/// # Errors
/// Those of [`Capabilities::check`]; [`ErrorKind::Grant`] for network access if the engine provides none, or together with a
/// seed, because network access is not deterministic.
pub fn check_grants(kind: RuntimeKind, capabilities: &Capabilities) -> Result<()> {
    capabilities.check()?;
    let Capabilities { net, seed, .. } = capabilities;
    let Some(rule) = net.first() else { return Ok(()) };
    if !kind.has_network() {
        let error = Error::new(ErrorKind::Grant, format!("cannot grant `{rule}`: {kind} has no network for guests"));
        return Err(match RuntimeKind::available().find(|other| other.has_network()) {
            Some(other) => error.with_hint(format!("use `--runtime {other}`")),
            None => error.with_hint("build with `--features wasix`"),
        });
    }
    if seed.is_some() {
        let message = format!("cannot grant `{rule}` in deterministic mode: network access is not deterministic");
        return Err(Error::new(ErrorKind::Grant, message));
    }
    Ok(())
}
