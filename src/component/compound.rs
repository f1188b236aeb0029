//! Decodes records, variants, results, flags and nested options.

use std::fmt;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use smallvec::{SmallVec, smallvec};

use crate::component::clipped::Clipped;
use crate::component::context::{LabelOf, duplicate};
use crate::component::decode::{Typed, mismatch};
use crate::component::failure::{Failure, Step};
use crate::component::labels::{Labelled, unknown};
use crate::component::types::{Name, TypeKind, WitType};
use crate::component::value::WitValue;
use crate::escape::Escaped;

/// For each name of a type, whether it was given.
type Given = SmallVec<[bool; 32]>;

impl<'t> Typed<'t> {
    fn label<L: Labelled>(self, labels: &'t [L], first: usize, what: &'static str) -> LabelOf<'t, L> {
        LabelOf { labels, first, what, context: self.context }
    }

    pub(crate) fn record<'de, A: MapAccess<'de>>(
        self,
        mut map: A,
        fields: &'t [(Name, WitType)],
    ) -> Result<WitValue, A::Error> {
        let mut values: Vec<_> = fields.iter().map(|(name, _)| (name.clone(), WitValue::Option(None))).collect();
        let mut given: Given = smallvec![false; fields.len()];
        let mut next = 0;
        while let Some(at) = map.next_key_seed(self.label(fields, next, "field"))? {
            let (name, ty) = &fields[at];
            if std::mem::replace(&mut given[at], true) {
                return self.fail(duplicate("field", name));
            }
            let value = map.next_value_seed(self.part(ty));
            values[at].1 = self.context.at(value, || Step::Name(name.clone()))?;
            next = at + 1;
        }
        match missing(fields, |at| given[at]) {
            None => Ok(WitValue::Record(values)),
            Some(failure) => self.fail(failure),
        }
    }

    pub(crate) fn flags<'de, A: SeqAccess<'de>>(self, mut seq: A, names: &'t [Name]) -> Result<WitValue, A::Error> {
        let mut given: Given = smallvec![false; names.len()];
        let (mut next, mut count) = (0, 0);
        loop {
            let found = seq.next_element_seed(self.label(names, next, "flag"));
            let Some(at) = self.context.at(found, || Step::Index(count))? else { break };
            if std::mem::replace(&mut given[at], true) {
                return self.fail(duplicate("flag", &names[at]));
            }
            (next, count) = (at + 1, count + 1);
        }
        let set = names.iter().zip(&given).filter(|(_, given)| **given);
        Ok(WitValue::Flags(set.map(|(name, _)| name.clone()).collect()))
    }

    pub(crate) fn enumeration<E: de::Error>(self, cases: &[Name], name: &str) -> Result<WitValue, E> {
        match self.context.find(cases, 0, name) {
            Some(at) => Ok(WitValue::Enum(cases[at].clone())),
            None => self.fail(unknown(cases, "case", name)),
        }
    }

    /// A case without a payload, given by its name alone.
    pub(crate) fn bare_case<E: de::Error>(self, cases: &[(Name, Option<WitType>)], name: &str) -> Result<WitValue, E> {
        match self.context.find(cases, 0, name).map(|at| &cases[at]) {
            Some((name, None)) => Ok(WitValue::Variant(name.clone(), None)),
            Some((name, Some(payload))) => self.fail(needs_payload(name, payload)),
            None => self.fail(unknown(cases, "case", name)),
        }
    }

    pub(crate) fn variant<'de, A: MapAccess<'de>>(
        self,
        map: A,
        cases: &'t [(Name, Option<WitType>)],
    ) -> Result<WitValue, A::Error> {
        let step = |at: usize| Step::Name(Name::clone(&cases[at].0));
        let (at, payload) = self.only_entry(map, cases, "case", |at| cases[at].1.as_ref(), step)?;
        Ok(WitValue::Variant(cases[at].0.clone(), Some(Box::new(payload))))
    }

    pub(crate) fn bare_result<E: de::Error>(self, payloads: [Option<&WitType>; 2], name: &str) -> Result<WitValue, E> {
        match (name, payloads) {
            ("ok", [None, _]) => Ok(WitValue::Result(Ok(None))),
            ("err", [_, None]) => Ok(WitValue::Result(Err(None))),
            ("ok", [Some(ty), _]) | ("err", [_, Some(ty)]) => self.fail(needs_payload(name, ty)),
            _ => self.mismatch(&format!("the string \"{}\"", Escaped(name))),
        }
    }

    pub(crate) fn result<'de, A: MapAccess<'de>>(
        self,
        map: A,
        payloads: [Option<&'t WitType>; 2],
    ) -> Result<WitValue, A::Error> {
        const CASES: &[&str] = &["ok", "err"];
        let (at, payload) = self.only_entry(map, CASES, "case", |at| payloads[at], |at| Step::Payload(CASES[at]))?;
        let payload = Some(Box::new(payload));
        Ok(WitValue::Result(if at == 0 { Ok(payload) } else { Err(payload) }))
    }

    /// The value of an option whose payload is an option: `{"some": value}`.
    pub(crate) fn nested<'de, D: Deserializer<'de>>(self, source: D, inner: &'t WitType) -> Result<WitValue, D::Error> {
        source.deserialize_any(SomeOf { option: self, inner })
    }

    /// Decodes an object with one key: the name of a case, and its payload.
    fn only_entry<'de, A: MapAccess<'de>, L: Labelled>(
        self,
        mut map: A,
        labels: &'t [L],
        what: &'static str,
        payload: impl Fn(usize) -> Option<&'t WitType>,
        step: impl Fn(usize) -> Step,
    ) -> Result<(usize, WitValue), A::Error> {
        let Some(at) = map.next_key_seed(self.label(labels, 0, what))? else {
            return self.mismatch("an empty object");
        };
        let Some(ty) = payload(at) else {
            let name = Escaped(labels[at].label());
            return self.fail(Failure::new(format!("the case `{name}` has no payload: write \"{name}\"")));
        };
        let value = self.context.at(map.next_value_seed(self.part(ty)), || step(at))?;
        match map.next_key::<de::IgnoredAny>()? {
            None => Ok((at, value)),
            Some(_) => self.mismatch("an object with several keys"),
        }
    }
}

/// The failure for a case without its payload.
pub(crate) fn needs_payload(name: &str, payload: &WitType) -> Failure {
    let name = Escaped(name);
    let payload = Clipped(payload);
    Failure::new(format!("the case `{name}` needs a payload of type {payload}: {{\"{name}\": …}}"))
}

/// The failure for fields that were not given and are not options.
pub(crate) fn missing(fields: &[(Name, WitType)], is_given: impl Fn(usize) -> bool) -> Option<Failure> {
    let is_option = |ty: &WitType| matches!(ty.kind(), Some(TypeKind::Option(_)));
    let absent = fields.iter().enumerate().find(|(at, (_, ty))| !is_given(*at) && !is_option(ty));
    absent.map(|(_, (name, ty))| Failure::new(format!("the field `{}` ({}) is missing", Escaped(name), Clipped(ty))))
}

/// Decodes `{"some": value}`.
#[derive(Clone, Copy)]
struct SomeOf<'t> {
    option: Typed<'t>,
    inner: &'t WitType,
}

impl<'de> Visitor<'de> for SomeOf<'_> {
    type Value = WitValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.option.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WitValue, A::Error> {
        let step = |_| Step::Payload("some");
        let (_, value) = self.option.only_entry(map, &["some"], "case", |_| Some(self.inner), step)?;
        Ok(value)
    }

    fn visit_bool<E: de::Error>(self, v: bool) -> Result<WitValue, E> {
        self.option.visit_bool(v)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<WitValue, E> {
        self.option.mismatch("a number")
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<WitValue, E> {
        self.option.mismatch("a number")
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<WitValue, E> {
        self.option.mismatch("a number")
    }

    fn visit_str<E: de::Error>(self, v: &str) -> Result<WitValue, E> {
        self.option.fail(mismatch(self.option.ty, &format!("the string \"{}\"", Escaped(v))))
    }

    fn visit_bytes<E: de::Error>(self, v: &[u8]) -> Result<WitValue, E> {
        self.option.visit_bytes(v)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<WitValue, A::Error> {
        self.option.mismatch("an array")
    }
}
