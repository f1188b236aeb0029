//! Arguments from records in MessagePack.

use super::lines::bytes_at;
use super::msgpack_call::MsgpackCall;
use crate::batch::chunk::Chunk;
use crate::batch::format::{Decode, Formats};
use crate::batch::id::Id;
use crate::batch::options::BatchOutput;
use crate::error::{Error, ErrorKind, Result};
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
    fn decode<'c>(&mut self, chunk: &'c Chunk, index: usize, args: &mut CallArgs) -> (Option<Id<'c>>, Result<()>) {
        let record = match bytes_at(chunk, index, self.formats) {
            Ok(record) => record,
            Err(error) => return (None, Err(error)),
        };
        let Some(call) = MsgpackCall::read(record) else {
            return (None, self.args(record, args));
        };
        let id = call.id.map(Id::Msgpack);
        if self.formats.options.output != BatchOutput::Msgpack && id.is_some_and(|id| !id.is_json()) {
            let message = "the id is a MessagePack value that JSON does not have";
            return (None, Err(Error::new(ErrorKind::InvalidArgument, message)));
        }
        (id, self.args(call.args, args))
    }
}
