//! MessagePack values, one after the other.

use std::ops::Range;

use super::framed::{Frame, Scan};
use super::msgpack_call::MsgpackCall;
use super::value_scan::ValueScan;

/// Splits a stream into values.
#[derive(Debug, Default)]
pub(super) struct ValueFrame {
    scan: ValueScan,
}

impl Frame for ValueFrame {
    fn scan(&mut self, bytes: &[u8]) -> Scan {
        self.scan.scan(bytes)
    }

    fn content(&self, record: &[u8], _: bool) -> Option<Range<usize>> {
        Some(0..record.len())
    }

    fn unfinished(&self) -> Option<&'static str> {
        Some("the input ends within the value")
    }

    fn has_id(&self, record: &[u8]) -> bool {
        MsgpackCall::read(record).is_some_and(|call| call.id.is_some())
    }
}
