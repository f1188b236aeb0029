//! The arguments in a record.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Result;
use crate::runtime::callable::{CallArgs, Callable};

/// The id that a record gives itself: any JSON value.
pub(in crate::batch) type Id<'a> = &'a RawValue;

/// A record that names its call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    args: &'a RawValue,
}

/// Decodes a record in JSON: an array of arguments, a bare value for one parameter, or an object with `args` and perhaps `id`.
/// An object with other keys is a bare value.
///
/// # Errors
/// Those of [`Callable::decode_json`].
pub(in crate::batch) fn decode<'a>(record: &'a [u8], callable: &Callable) -> (Option<Id<'a>>, Result<CallArgs>) {
    if record.trim_ascii_start().starts_with(b"{")
        && let Ok(Call { id, args }) = serde_json::from_slice(record)
    {
        return (id, callable.decode_json(args.get().as_bytes()));
    }
    (None, callable.decode_json(record))
}
