//! Log lines of plug-ins, as events with the target `extism`.

use tracing::Level;

use super::function::{Call, MAX_READ};
use crate::escape::EscapedText;
use crate::runtime::host::HostError;
use crate::value::types::Value;

const TARGET: &str = "extism";

macro_rules! is_enabled {
    ($level:expr) => {
        match $level {
            Level::TRACE => tracing::enabled!(target: TARGET, Level::TRACE),
            Level::DEBUG => tracing::enabled!(target: TARGET, Level::DEBUG),
            Level::INFO => tracing::enabled!(target: TARGET, Level::INFO),
            Level::WARN => tracing::enabled!(target: TARGET, Level::WARN),
            Level::ERROR => tracing::enabled!(target: TARGET, Level::ERROR),
        }
    };
}

/// Logs the message at this offset, one event for each of its lines, and frees it. Shortens a message of more than
/// [`MAX_READ`] bytes.
pub(super) fn write(call: &mut Call<'_>, level: Level, offset: u64) -> Result<Option<Value>, HostError> {
    if is_enabled!(level) {
        let token = call.context.interrupt_token();
        let message = call.block(offset)?;
        let end = (message.len() > MAX_READ).then(|| format!("… ({} bytes)", message.len()));
        let start = String::from_utf8_lossy(&message[..message.len().min(MAX_READ)]);
        for line in start.lines().chain(end.as_deref()) {
            token.check_interrupt()?;
            let line = EscapedText(line);
            match level {
                Level::TRACE => tracing::trace!(target: TARGET, "{line}"),
                Level::DEBUG => tracing::debug!(target: TARGET, "{line}"),
                Level::INFO => tracing::info!(target: TARGET, "{line}"),
                Level::WARN => tracing::warn!(target: TARGET, "{line}"),
                Level::ERROR => tracing::error!(target: TARGET, "{line}"),
            }
        }
    }
    call.state.blocks.free(offset);
    Ok(None)
}

/// Returns the number of the lowest level that is logged: 0 for trace to 4 for error, the largest number for none.
pub(super) fn level() -> i32 {
    let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
    (0..).zip(levels).find_map(|(number, level)| is_enabled!(level).then_some(number)).unwrap_or(i32::MAX)
}
