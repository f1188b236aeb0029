//! Records in MessagePack that name their call.

use super::value_scan::split_value;

/// The parts of a record that is a map with the key `args`, perhaps with `id`, and with no other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MsgpackCall<'a> {
    pub(super) id: Option<&'a [u8]>,
    pub(super) args: &'a [u8],
}

impl<'a> MsgpackCall<'a> {
    /// Reads a record; `None` if it is another value.
    pub(super) fn read(record: &'a [u8]) -> Option<Self> {
        let (&marker, mut rest) = record.split_first()?;
        let (mut id, mut args) = (None, None);
        let entries = match marker {
            0x81 | 0x82 => marker & 0x0f,
            _ => return None,
        };
        for _ in 0..entries {
            let (key, value);
            (key, rest) = split_value(rest).ok()?;
            (value, rest) = split_value(rest).ok()?;
            let part = match key {
                b"\xa2id" => &mut id,
                b"\xa4args" => &mut args,
                _ => return None,
            };
            if part.replace(value).is_some() {
                return None;
            }
        }
        rest.is_empty().then_some(Self { id, args: args? })
    }
}
