//! Records of a stream, in chunks.

mod delimited;
mod record;

pub(super) use delimited::Delimited;
pub(super) use record::{Id, decode};
