//! The memory of values.

use crate::component::value::WitValue;

impl WitValue {
    /// Returns about how many bytes of memory the value takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let parts = match self {
            Self::String(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(values) | Self::Tuple(values) => values.iter().map(Self::memory_bytes).sum(),
            Self::Map(pairs) => pairs.iter().map(|(key, value)| key.memory_bytes() + value.memory_bytes()).sum(),
            Self::Record(fields) => fields.iter().map(|(name, value)| size_of_val(name) + value.memory_bytes()).sum(),
            Self::Flags(names) => size_of_val(names.as_slice()),
            Self::Variant(_, value) | Self::Option(value) | Self::Result(Ok(value) | Err(value)) => {
                value.as_ref().map_or(0, |value| value.memory_bytes())
            }
            _ => 0,
        };
        size_of::<Self>() + parts
    }
}
