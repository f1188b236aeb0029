//! Shared state of a decoder.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use crate::component::failure::{Failure, Step};
use crate::component::labels::{Labelled, find, unknown};
use crate::escape::Escaped;

/// Types with at least this many names get an index, so lookup stays linear.
const MIN_INDEXED: usize = 64;

/// Shared state of a decoder: the failure, which the error types of the formats cannot carry, and indexes of types with many names.
#[derive(Default)]
pub(crate) struct Context {
    failure: Cell<Option<Failure>>,
    /// By the address of the names, which are borrowed longer than the context lives.
    indexes: RefCell<HashMap<usize, HashMap<Box<str>, usize>>>,
}

impl Context {
    /// Keeps a failure, and returns an error for the format.
    pub(crate) fn fail<E: de::Error>(&self, failure: Failure) -> E {
        self.failure.set(Some(failure));
        E::custom("the value does not fit the type")
    }

    /// Adds a step to the path of the failure if `result` is an error.
    pub(crate) fn at<T, E>(&self, result: Result<T, E>, step: impl FnOnce() -> Step) -> Result<T, E> {
        if result.is_err()
            && let Some(failure) = self.failure.take()
        {
            self.failure.set(Some(failure.at(step())));
        }
        result
    }

    /// Returns the failure, or `None` if the format itself was invalid.
    pub(crate) fn into_failure(self) -> Option<Failure> {
        self.failure.into_inner()
    }

    /// Finds a name, at first at the position `first`.
    pub(crate) fn find<L: Labelled>(&self, labels: &[L], first: usize, name: &str) -> Option<usize> {
        if labels.len() < MIN_INDEXED || labels.get(first).is_some_and(|label| label.label() == name) {
            return find(labels, first, name);
        }
        let mut indexes = self.indexes.borrow_mut();
        let index = indexes.entry(labels.as_ptr().addr()).or_insert_with(|| {
            labels.iter().enumerate().map(|(position, label)| (Box::from(label.label()), position)).collect()
        });
        index.get(name).copied()
    }
}

/// Decodes a name of a type; the value is its position.
pub(crate) struct LabelOf<'t, L> {
    pub(crate) labels: &'t [L],
    /// Where to look first.
    pub(crate) first: usize,
    /// "field", "case" or "flag".
    pub(crate) what: &'static str,
    pub(crate) context: &'t Context,
}

impl<L: Labelled> LabelOf<'_, L> {
    fn mismatch<E: de::Error>(&self, found: &dyn fmt::Display) -> E {
        self.context.fail(Failure::new(format!("expected the name of a {}, found {found}", self.what)))
    }
}

impl<'de, L: Labelled> DeserializeSeed<'de> for LabelOf<'_, L> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<usize, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de, L: Labelled> Visitor<'de> for LabelOf<'_, L> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a {}", self.what)
    }

    fn visit_str<E: de::Error>(self, v: &str) -> Result<usize, E> {
        let found = self.context.find(self.labels, self.first, v);
        found.ok_or_else(|| self.context.fail(unknown(self.labels, self.what, v)))
    }

    fn visit_bool<E: de::Error>(self, v: bool) -> Result<usize, E> {
        Err(self.mismatch(&v))
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<usize, E> {
        Err(self.mismatch(&v))
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<usize, E> {
        Err(self.mismatch(&v))
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<usize, E> {
        Err(self.mismatch(&v))
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<usize, E> {
        Err(self.mismatch(&"binary data"))
    }

    fn visit_unit<E: de::Error>(self) -> Result<usize, E> {
        Err(self.mismatch(&"null"))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, _: A) -> Result<usize, A::Error> {
        Err(self.mismatch(&"an array"))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, _: A) -> Result<usize, A::Error> {
        Err(self.mismatch(&"an object"))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<usize, D::Error> {
        Err(self.mismatch(&"an extension type"))
    }
}

/// The failure for a key or a flag that is given twice.
pub(crate) fn duplicate(what: &str, name: &str) -> Failure {
    Failure::new(format!("the {what} `{}` is given twice", Escaped(name)))
}
