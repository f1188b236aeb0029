//! Arguments from records in MessagePack.

use super::explain;
use super::lines::bytes_of;
use super::msgpack_call::MsgpackCall;
use crate::batch::format::{Decode, Formats, Record};
use crate::batch::id::Id;
use crate::error::Result;
use crate::runtime::callable::CallArgs;

/// Decodes values of the same shapes as in JSON.
pub(super) struct MsgpackDecoder<'a> {
    formats: &'a Formats<'a>,
}

impl<'a> MsgpackDecoder<'a> {
    pub(super) fn new(formats: &'a Formats<'a>) -> Self {
        Self { formats }
    }

    fn args(&self, bytes: &[u8], args: &mut CallArgs) -> Result<()> {
        *args = self.formats.callable.decode_msgpack(bytes)?;
        Ok(())
    }
}

impl Decode for MsgpackDecoder<'_> {
    fn decode(&mut self, record: &mut Record<'_>, args: &mut CallArgs) -> Result<()> {
        let bytes = bytes_of(record, self.formats)?;
        let Some(call) = MsgpackCall::read(bytes) else {
            return self.args(bytes, args).map_err(|error| match rmp_serde::from_slice(bytes) {
                Ok(keys) => explain::no_call(error, &keys, self.formats.callable),
                Err(_) => error,
            });
        };
        let id = call.id.map(Id::Msgpack);
        self.formats.check_id(id)?;
        record.id = id;
        self.args(call.args, args).map_err(|error| match self.formats.callable.decode_msgpack(bytes) {
            Ok(_) => explain::call_like_argument(&error),
            Err(_) => error,
        })
    }
}
