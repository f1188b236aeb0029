//! Operations on a live instance.

use super::fields::{self, EXAMPLES, Fields, Raw};
use super::shapes;
use crate::batch::id::Id;
use crate::component::failure::Step;
use crate::component::labels::unknown;
use crate::component::scalar;
use crate::component::types::{Name, WitType};
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::CallArgs;

/// The keys of a record; all but the last two choose the operation.
const KEYS: [&str; 7] = ["call", "write", "read", "global", "restart", "args", "id"];

/// An operation on the instance of a [`Driver`](super::Driver).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// Calls an exported function.
    Call {
        /// The name of the function, as [`Callable::find`](crate::Callable::find) accepts it.
        function: String,
        /// The arguments.
        args: CallArgs,
    },
    /// Writes bytes to an exported memory of a module.
    Write {
        /// The memory. `None` is the export `memory`, or else the only exported memory.
        memory: Option<String>,
        /// The address of the first byte.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Reads bytes from an exported memory of a module.
    Read {
        /// The memory. `None` is the export `memory`, or else the only exported memory.
        memory: Option<String>,
        /// The address of the first byte.
        offset: u64,
        /// The number of bytes.
        length: u64,
        /// Whether the bytes are UTF-8 and the answer is a string.
        as_text: bool,
    },
    /// Reads an exported global of a module.
    Global {
        /// The name of the global.
        name: String,
    },
    /// Replaces the instance by a new one.
    Restart,
}

/// A record: an operation whose arguments are not decoded yet, and perhaps an id.
#[derive(Debug)]
pub(in crate::batch) struct Request<'a> {
    id: Option<Raw<'a>>,
    pub(super) action: Result<Action<'a>>,
}

#[derive(Debug)]
pub(super) enum Action<'a> {
    Call { function: String, args: Option<Raw<'a>> },
    Other(Operation),
}

impl<'a> Request<'a> {
    /// Reads a record in JSON.
    pub(in crate::batch) fn from_json(record: &'a [u8]) -> Self {
        Self::new(fields::of_json(record))
    }

    /// Reads a record in MessagePack.
    pub(in crate::batch) fn from_msgpack(record: &'a [u8]) -> Self {
        Self::new(fields::of_msgpack(record))
    }

    /// Returns the id, also if the operation is wrong.
    pub(in crate::batch) fn id(&self) -> Option<Id<'a>> {
        self.id.map(|id| match id {
            Raw::Json(json) => Id::Json(json.get()),
            Raw::Msgpack(bytes) => Id::Msgpack(bytes),
        })
    }

    fn new(fields: Result<Fields<'a>>) -> Self {
        match fields {
            Ok(fields) => {
                let id = fields.iter().find(|(key, _)| key == "id").map(|(_, id)| *id);
                Self { id, action: action(&fields) }
            }
            Err(error) => Self { id: None, action: Err(error) },
        }
    }
}

fn action<'a>(fields: &Fields<'a>) -> Result<Action<'a>> {
    let (mut action, mut args) = (None, None);
    for (at, (key, value)) in fields.iter().enumerate() {
        if !KEYS.contains(&key.as_str()) {
            return Err(unknown(&KEYS, "key", key).into_error());
        }
        if fields[..at].iter().any(|(other, _)| other == key) {
            return Err(invalid(format!("the key `{key}` appears twice")));
        }
        match key.as_str() {
            "id" => {}
            "args" => args = Some(*value),
            _ => {
                if let Some((other, _)) = action.replace((key, *value)) {
                    return Err(invalid(format!("one operation at a time: this record has `{other}` and `{key}`")));
                }
            }
        }
    }
    let Some((key, value)) = action else { return Err(invalid("no operation").with_hint(EXAMPLES)) };
    if args.is_some() && key != "call" {
        return Err(invalid(format!("`args` are those of a `call`, not of `{key}`")));
    }
    let decoded = value.decode(shape(key));
    let decoded = decoded.map_err(|failure| failure.at(Step::Name(key.as_str().into())).into_error())?;
    match (key.as_str(), decoded) {
        ("call", WitValue::String(function)) => Ok(Action::Call { function, args }),
        ("global", WitValue::String(name)) => Ok(Action::Other(Operation::Global { name })),
        ("restart", WitValue::Bool(true)) => Ok(Action::Other(Operation::Restart)),
        ("restart", _) => Err(invalid("`restart` must be true")),
        ("write", WitValue::Record(parts)) => write(parts).map(Action::Other),
        ("read", WitValue::Record(parts)) => Ok(Action::Other(read(parts))),
        (_, other) => unreachable!("the codec returned {other:?} for `{key}`"),
    }
}

fn shape(key: &str) -> &'static WitType {
    match key {
        "write" => &shapes::WRITE,
        "read" => &shapes::READ,
        "restart" => &shapes::BOOL,
        _ => &shapes::STRING,
    }
}

fn write(parts: Vec<(Name, WitValue)>) -> Result<Operation> {
    let (mut offset, mut memory, mut bytes) = (0, None, Vec::new());
    for (name, part) in parts {
        match (&*name, present(part)) {
            ("offset", Some(WitValue::U64(value))) => offset = value,
            ("memory", Some(WitValue::String(name))) => memory = Some(name),
            ("text", Some(WitValue::String(text))) => bytes.push(text.into_bytes()),
            ("bytes", Some(WitValue::Bytes(data))) => bytes.push(data),
            ("base64", Some(WitValue::String(text))) => {
                let decoded = scalar::parse_base64(&text)
                    .map_err(|failure| failure.at(Step::Payload("base64")).at(Step::Payload("write")).into_error());
                bytes.push(decoded?);
            }
            _ => {}
        }
    }
    let mut bytes = bytes.into_iter();
    match (bytes.next(), bytes.next()) {
        (Some(bytes), None) => Ok(Operation::Write { memory, offset, bytes }),
        _ => Err(invalid("`write` takes one of `text`, `base64` and `bytes`")),
    }
}

fn read(parts: Vec<(Name, WitValue)>) -> Operation {
    let (mut offset, mut length, mut memory, mut as_text) = (0, 0, None, false);
    for (name, part) in parts {
        match (&*name, present(part)) {
            ("offset", Some(WitValue::U64(value))) => offset = value,
            ("length", Some(WitValue::U64(value))) => length = value,
            ("memory", Some(WitValue::String(name))) => memory = Some(name),
            ("as", Some(WitValue::Enum(form))) => as_text = &*form == "text",
            _ => {}
        }
    }
    Operation::Read { memory, offset, length, as_text }
}

/// Returns the value of a key that may be absent.
fn present(part: WitValue) -> Option<WitValue> {
    match part {
        WitValue::Option(value) => value.map(|value| *value),
        value => Some(value),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
