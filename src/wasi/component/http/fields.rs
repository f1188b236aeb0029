//! Headers and trailers of responses. A guest can keep them after the connection has ended, so `--memory` limits them.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use wasmtime_wasi_http::{Error, Result};

use super::limits::MAX_FIELD_BYTES;
use crate::runtime::host::InterruptToken;

/// The approximate size of an entry of the map, besides its name and value.
const ENTRY_BYTES: usize = 160;

/// The values of some fields, one after the other.
struct Values {
    bytes: Vec<u8>,
    /// The memory taken for the fields.
    taken: u64,
    instance: InterruptToken,
}

impl AsRef<[u8]> for Values {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        self.instance.status().memory().release(self.taken);
    }
}

/// Returns a copy of fields without the connection's buffer. They count as memory of the instance until the last value of the copy
/// is dropped.
///
/// # Errors
/// `too_large` with their size if the memory limit does not allow them.
pub(super) fn counted(
    fields: &HeaderMap,
    instance: &InterruptToken,
    too_large: impl Fn(Option<u32>) -> Error,
) -> Result<HeaderMap> {
    let names: usize = fields.keys().map(|name| name.as_str().len()).sum();
    let length: usize = fields.values().map(HeaderValue::len).sum();
    let taken = names + length + fields.len() * ENTRY_BYTES;
    let too_large = || too_large(u32::try_from(taken).ok());
    // Empty values share nothing that could be counted, so the limit is that of fields that a guest creates.
    let empty = fields.iter().filter(|(_, value)| value.is_empty());
    if empty.map(|(name, _)| name.as_str().len() + ENTRY_BYTES).sum::<usize>() > MAX_FIELD_BYTES {
        return Err(too_large());
    }
    if !instance.status().memory().take(taken as u64) {
        return Err(too_large());
    }
    let mut values = Values { bytes: Vec::with_capacity(length), taken: taken as u64, instance: instance.clone() };
    fields.values().for_each(|value| values.bytes.extend_from_slice(value.as_bytes()));
    let mut values = Bytes::from_owner(values);
    let mut copy = fields.clone();
    for value in copy.values_mut() {
        let shared = values.split_to(value.len());
        *value = HeaderValue::from_maybe_shared(shared).map_err(|_| Error::HttpProtocolError)?;
    }
    Ok(copy)
}
