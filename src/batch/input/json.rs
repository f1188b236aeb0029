//! Arguments from records in JSON.

use super::call::CallParts;
use super::explain;
use super::lines::bytes_of;
use crate::batch::format::{Decode, Formats, Record};
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
    fn decode(&mut self, record: &mut Record<'_>, args: &mut CallArgs) -> Result<()> {
        self.args(record, args).map_err(explain::in_one_line)
    }
}

impl JsonDecoder<'_> {
    #[inline]
    fn args(&self, record: &mut Record<'_>, args: &mut CallArgs) -> Result<()> {
        let (callable, bytes) = (self.formats.callable, bytes_of(record, self.formats)?);
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return callable.decode_json_into(bytes, args);
        }
        if let CallableType::Core(ty) = callable.ty()
            && let Some(call) = CallParts::read_with(bytes, Args::new(ty, args.core_mut()))
        {
            record.id = call.id.map(|id| Id::Json(id.get()));
            return Ok(());
        }
        let Some(call) = CallParts::read(bytes) else {
            return callable.decode_json_into(bytes, args).map_err(|error| match serde_json::from_slice(bytes) {
                Ok(keys) => explain::no_call(error, &keys, callable),
                Err(_) => error,
            });
        };
        record.id = call.id.map(|id| Id::Json(id.get()));
        callable.decode_json_into(call.args.get().as_bytes(), args).map_err(|error| match callable.decode_json(bytes) {
            Ok(_) => explain::call_like_argument(&error),
            Err(_) => error,
        })
    }
}
