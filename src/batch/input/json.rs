//! Arguments from records in JSON.

use serde_json::value::RawValue;

use super::call::CallParts;
use super::lines::bytes_at;
use crate::batch::chunk::Chunk;
use crate::batch::format::{Decode, Formats};
use crate::batch::id::Id;
use crate::error::Result;
use crate::runtime::callable::CallArgs;
use crate::runtime::callable::CallableType;
use crate::value::json::Args;

/// Decodes an array of arguments, a bare value for one parameter, or an object with `args` and perhaps `id`. An object with other
/// keys is a bare value.
pub(super) struct JsonDecoder<'a> {
    formats: &'a Formats<'a>,
}

impl<'a> JsonDecoder<'a> {
    pub(super) fn new(formats: &'a Formats<'a>) -> Self {
        Self { formats }
    }
}

impl Decode for JsonDecoder<'_> {
    fn decode<'c>(&mut self, chunk: &'c Chunk, index: usize, args: &mut CallArgs) -> (Option<Id<'c>>, Result<()>) {
        let record = match bytes_at(chunk, index, self.formats) {
            Ok(record) => record,
            Err(error) => return (None, Err(error)),
        };
        let callable = self.formats.callable;
        let as_id = |id: Option<&'c RawValue>| id.map(|id| Id::Json(id.get()));
        if let CallableType::Core(ty) = callable.ty()
            && let Some(call) = CallParts::read_with(record, Args::new(ty, args.core_mut()))
        {
            return (as_id(call.id), Ok(()));
        }
        match CallParts::read(record) {
            Some(call) => (as_id(call.id), callable.decode_json_into(call.args.get().as_bytes(), args)),
            None => (None, callable.decode_json_into(record, args)),
        }
    }
}
