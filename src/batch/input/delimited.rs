//! Records that end with one byte: lines, and strings that end with NUL.

use std::ops::Range;

use memchr::memchr;

use super::call::CallParts;
use super::framed::{Frame, Scan};
use crate::batch::lines::{self, Lines};

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Splits a stream at a byte.
#[derive(Debug)]
pub(super) struct DelimitedFrame {
    delimiter: u8,
    is_json: bool,
}

impl DelimitedFrame {
    /// Lines of JSON: empty lines are no records, and the stream can begin with a byte order mark.
    pub(super) fn json() -> Self {
        Self { delimiter: b'\n', is_json: true }
    }

    /// Lines, which end with `\n` or `\r\n`.
    pub(super) fn lines() -> Self {
        Self { delimiter: b'\n', is_json: false }
    }

    /// Strings that end with NUL.
    pub(super) fn nul() -> Self {
        Self { delimiter: b'\0', is_json: false }
    }
}

impl Frame for DelimitedFrame {
    #[inline]
    fn scan(&mut self, bytes: &[u8]) -> Scan {
        memchr(self.delimiter, bytes).map_or(Scan::More, |at| Scan::End(at + 1))
    }

    #[inline]
    fn content(&self, record: &[u8], is_first: bool) -> Option<Range<usize>> {
        let mut content = record.strip_suffix(&[self.delimiter]).unwrap_or(record);
        content = lines::content(content, self.delimiter);
        let end = content.len();
        if is_first && self.is_json {
            content = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
        }
        let is_record = !self.is_json || !content.trim_ascii_start().is_empty();
        is_record.then_some(end - content.len()..end)
    }

    fn lines(&self, bytes: &[u8], scanned: usize, max: usize) -> Option<(usize, Lines)> {
        let end = scanned + Lines::length(&bytes[scanned..], self.delimiter)?;
        let complete = &bytes[..end];
        if self.is_json && may_have_blank_line(complete) {
            return None;
        }
        Lines::count(complete, self.delimiter, max).map(|lines| (end, lines))
    }

    fn unfinished(&self) -> Option<&'static str> {
        None
    }

    fn has_id(&self, record: &[u8]) -> bool {
        self.is_json && CallParts::read(record).is_some_and(|parts| parts.id.is_some())
    }
}

/// Returns whether one of the complete lines is empty, or begins with white space. Looks at many bytes at a time.
fn may_have_blank_line(lines: &[u8]) -> bool {
    let is_blank = |first: u8| first <= b' ';
    let Some((first, rest)) = lines.split_first() else { return false };
    let begins = lines.iter().zip(rest);
    begins.fold(is_blank(*first), |found, (end, first)| found | ((*end == b'\n') & is_blank(*first)))
}
