//! Where a MessagePack value ends, without building it.

use super::framed::Scan;

/// Finds the end of a value in parts of its bytes. The state is a few numbers, however deep or long the value is.
#[derive(Debug)]
pub(super) struct ValueScan {
    /// Values that the value still needs.
    values: u64,
    /// Bytes of the current value that have no structure.
    skip: u64,
    /// The header that is being read.
    length: Option<Length>,
}

/// The length in the header of a value.
#[derive(Clone, Copy, Debug)]
struct Length {
    kind: Kind,
    /// Bytes of the length that are missing.
    missing: u8,
    value: u64,
}

/// The unit of a length.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Bytes,
    /// Bytes that follow one for the type.
    Extension,
    Items,
    Entries,
}

const MALFORMED: &str = "the byte 0xc1 is not MessagePack, so the end of the value is unknown";

impl Default for ValueScan {
    fn default() -> Self {
        Self { values: 1, skip: 0, length: None }
    }
}

impl ValueScan {
    /// Reads a marker; `false` if there is no such marker.
    fn marker(&mut self, marker: u8) -> bool {
        self.values -= 1;
        let length = |kind, missing| Some(Length { kind, missing, value: 0 });
        match marker {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => {}
            0x80..=0x8f => self.items(u64::from(marker & 0x0f) * 2),
            0x90..=0x9f => self.items(u64::from(marker & 0x0f)),
            0xa0..=0xbf => self.skip = u64::from(marker & 0x1f),
            0xc1 => return false,
            0xc4..=0xc6 => self.length = length(Kind::Bytes, 1 << (marker - 0xc4)),
            0xc7..=0xc9 => self.length = length(Kind::Extension, 1 << (marker - 0xc7)),
            0xca => self.skip = 4,
            0xcb => self.skip = 8,
            0xcc..=0xcf => self.skip = 1 << (marker - 0xcc),
            0xd0..=0xd3 => self.skip = 1 << (marker - 0xd0),
            0xd4..=0xd8 => self.skip = 1 + (1 << (marker - 0xd4)),
            0xd9..=0xdb => self.length = length(Kind::Bytes, 1 << (marker - 0xd9)),
            0xdc | 0xdd => self.length = length(Kind::Items, 2 << (marker - 0xdc)),
            0xde | 0xdf => self.length = length(Kind::Entries, 2 << (marker - 0xde)),
        }
        true
    }

    /// Looks for the end of the value in the bytes that follow those of earlier calls.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Scan {
        let mut at = 0;
        while self.values > 0 || self.skip > 0 || self.length.is_some() {
            if self.skip > 0 {
                let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len() - at);
                self.skip -= skipped as u64;
                at += skipped;
                if self.skip > 0 {
                    return Scan::More;
                }
                continue;
            }
            let Some(byte) = bytes.get(at) else { return Scan::More };
            at += 1;
            if let Some(length) = self.length.take() {
                self.length_byte(length, *byte);
            } else if !self.marker(*byte) {
                return Scan::Malformed(MALFORMED);
            }
        }
        *self = Self::default();
        Scan::End(at)
    }

    fn items(&mut self, count: u64) {
        self.values = self.values.saturating_add(count);
    }

    /// Reads a byte of a length.
    fn length_byte(&mut self, mut length: Length, byte: u8) {
        length.value = length.value << 8 | u64::from(byte);
        length.missing -= 1;
        if length.missing > 0 {
            self.length = Some(length);
            return;
        }
        match length.kind {
            Kind::Bytes => self.skip = length.value,
            Kind::Extension => self.skip = length.value + 1,
            Kind::Items => self.items(length.value),
            Kind::Entries => self.items(length.value * 2),
        }
    }
}

/// Returns the first of several values, and the bytes after it.
///
/// # Errors
/// Why the bytes do not begin with a value.
pub(in crate::batch) fn split_value(bytes: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    match ValueScan::default().scan(bytes) {
        Scan::End(end) => Ok(bytes.split_at(end)),
        Scan::More => Err("unexpected end of input"),
        Scan::Malformed(reason) => Err(reason),
    }
}
