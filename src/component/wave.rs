//! Reads WAVE, the text format of the component model for values: `{name: "tea", tags: []}`, `some(1)`, `err(not-found)`.

use wasm_wave::ast::{Node, NodeType};
use wasm_wave::untyped::UntypedValue;

use crate::component::compound::{missing, needs_payload};
use crate::component::context::duplicate;
use crate::component::decode::mismatch;
use crate::component::failure::{Failure, MAX_DEPTH, Refusal, Step};
use crate::component::labels::{find, unknown};
use crate::component::scalar;
use crate::component::types::{Name, TypeKind, WitType};
use crate::component::value::WitValue;
use crate::escape::Escaped;

/// Reads a text that holds one value. Its parser limits the nesting to 100 levels.
pub(crate) fn parse(text: &str, ty: &WitType) -> Result<WitValue, Refusal> {
    let parsed = UntypedValue::parse(text).map_err(|error| {
        let column = text.get(..error.span().start).map_or(1, |before| before.chars().count() + 1);
        Refusal::Syntax(format!("{} at column {column}", error.kind()))
    })?;
    Ok(Wave { source: text }.value(parsed.node(), ty, 0)?)
}

/// Converts nodes of a text.
#[derive(Clone, Copy)]
struct Wave<'s> {
    source: &'s str,
}

type Converted<T = WitValue> = Result<T, Failure>;

impl<'s> Wave<'s> {
    fn value(self, node: &Node, ty: &WitType, depth: usize) -> Converted {
        if depth > MAX_DEPTH {
            return Err(Failure::too_deep());
        }
        let part = |node: &Node, ty: &WitType| self.value(node, ty, depth + 1);
        match (ty, node.ty()) {
            (WitType::Bool, NodeType::BoolTrue) => Ok(WitValue::Bool(true)),
            (WitType::Bool, NodeType::BoolFalse) => Ok(WitValue::Bool(false)),
            (WitType::Char, NodeType::Char) => self.read(node, ty, node.as_char(self.source)).map(WitValue::Char),
            (WitType::String, NodeType::String | NodeType::MultilineString) => {
                self.string(node, ty).map(WitValue::String)
            }
            (ty, NodeType::Number) if scalar::is_number(ty) => scalar::parse_number(self.text(node), ty),
            (WitType::Defined(def), _) => match &def.kind {
                TypeKind::Record(fields) => self.record(node, ty, fields, &part),
                TypeKind::Variant(cases) => self.variant(node, ty, cases, &part),
                TypeKind::Enum(cases) => self.enumeration(node, ty, cases),
                TypeKind::Flags(names) => self.flags(node, ty, names),
                TypeKind::Option(inner) => self.option(node, ty, inner, &part),
                TypeKind::Result { ok, err } => self.result(node, ty, [ok, err], &part),
                TypeKind::List(WitType::U8) => self.bytes(node, ty, &part),
                TypeKind::List(element) => self.list(node, ty, element, &part).map(WitValue::List),
                TypeKind::FixedLengthList(element, length) => {
                    let values = self.list(node, ty, element, &part)?;
                    if values.len() == *length as usize {
                        return Ok(WitValue::List(values));
                    }
                    Err(mismatch(ty, &format!("one of {}", values.len())))
                }
                TypeKind::Tuple(types) => self.tuple(node, ty, types, &part),
                TypeKind::Map(..) => Err(Failure::new("WAVE has no maps; write the value in JSON")),
                _ => Err(self.mismatch(node, ty)),
            },
            _ => Err(self.mismatch(node, ty)),
        }
    }

    fn record(self, node: &Node, ty: &WitType, fields: &[(Name, WitType)], part: Part<'_>) -> Converted {
        let given = self.read(node, ty, node.as_record(self.source))?;
        let mut values: Vec<_> = fields.iter().map(|(name, _)| (name.clone(), None)).collect();
        for (at, (name, node)) in given.enumerate() {
            let at = find(fields, at, name).ok_or_else(|| unknown(fields, "field", name))?;
            let (name, ty) = &fields[at];
            values[at].1 = Some(part(node, ty).map_err(|failure| failure.at(Step::Name(name.clone())))?);
        }
        if let Some(failure) = missing(fields, |at| values[at].1.is_some()) {
            return Err(failure);
        }
        let values = values.into_iter().map(|(name, value)| (name, value.unwrap_or(WitValue::Option(None))));
        Ok(WitValue::Record(values.collect()))
    }

    fn variant(self, node: &Node, ty: &WitType, cases: &[(Name, Option<WitType>)], part: Part<'_>) -> Converted {
        let (name, payload) = self.read(node, ty, node.as_variant(self.source))?;
        let at = find(cases, 0, name).ok_or_else(|| unknown(cases, "case", name))?;
        let (name, ty) = &cases[at];
        let payload = payload_of(name, payload, ty.as_ref(), Step::Name(name.clone()), part)?;
        Ok(WitValue::Variant(name.clone(), payload))
    }

    fn enumeration(self, node: &Node, ty: &WitType, cases: &[Name]) -> Converted {
        let name = self.read(node, ty, node.as_enum(self.source))?;
        let at = find(cases, 0, name).ok_or_else(|| unknown(cases, "case", name))?;
        Ok(WitValue::Enum(cases[at].clone()))
    }

    fn flags(self, node: &Node, ty: &WitType, names: &[Name]) -> Converted {
        let mut given = vec![false; names.len()];
        for name in self.read(node, ty, node.as_flags(self.source))? {
            let name = name.trim_start_matches('%');
            let at = find(names, 0, name).ok_or_else(|| unknown(names, "flag", name))?;
            if std::mem::replace(&mut given[at], true) {
                return Err(duplicate("flag", name));
            }
        }
        let set = names.iter().zip(given).filter(|(_, given)| *given);
        Ok(WitValue::Flags(set.map(|(name, _)| name.clone()).collect()))
    }

    /// `some(value)`, `none`, or the value where it is neither an option nor a result.
    fn option(self, node: &Node, ty: &WitType, inner: &WitType, part: Part<'_>) -> Converted {
        let value = match node.ty() {
            NodeType::OptionSome => match self.read(node, ty, node.as_option())? {
                Some(payload) => part(payload, inner).map_err(|failure| failure.at(Step::Payload("some")))?,
                None => return Err(self.mismatch(node, ty)),
            },
            NodeType::OptionNone => return Ok(WitValue::Option(None)),
            _ if is_wrapped(inner) => return Err(self.mismatch(node, ty)),
            _ => part(node, inner)?,
        };
        Ok(WitValue::Option(Some(Box::new(value))))
    }

    /// `ok(value)`, `err(value)`, or the value of `ok` where it is neither an option nor a result.
    fn result(self, node: &Node, ty: &WitType, [ok, err]: [&Option<WitType>; 2], part: Part<'_>) -> Converted {
        match (node.ty(), ok) {
            (NodeType::ResultOk | NodeType::ResultErr, _) => Ok(WitValue::Result(match node.as_result() {
                Ok(Ok(payload)) => Ok(payload_of("ok", payload, ok.as_ref(), Step::Payload("ok"), part)?),
                Ok(Err(payload)) => Err(payload_of("err", payload, err.as_ref(), Step::Payload("err"), part)?),
                Err(_) => return Err(self.mismatch(node, ty)),
            })),
            (_, Some(ok)) if !is_wrapped(ok) => Ok(WitValue::Result(Ok(Some(Box::new(part(node, ok)?))))),
            _ => Err(self.mismatch(node, ty)),
        }
    }

    fn bytes(self, node: &Node, ty: &WitType, part: Part<'_>) -> Converted {
        if matches!(node.ty(), NodeType::String | NodeType::MultilineString) {
            return self.string(node, ty).map(|text| WitValue::Bytes(text.into_bytes()));
        }
        let byte = |value| if let WitValue::U8(byte) = value { Some(byte) } else { None };
        let values = self.list(node, ty, &WitType::U8, part)?;
        Ok(WitValue::Bytes(values.into_iter().filter_map(byte).collect()))
    }

    fn list(self, node: &Node, ty: &WitType, element: &WitType, part: Part<'_>) -> Converted<Vec<WitValue>> {
        let items = self.read(node, ty, node.as_list())?.enumerate();
        items.map(|(at, item)| part(item, element).map_err(|failure| failure.at(Step::Index(at)))).collect()
    }

    /// `(1, 2)`, or `[1, 2]` as in JSON.
    fn tuple(self, node: &Node, ty: &WitType, types: &[WitType], part: Part<'_>) -> Converted {
        let items: Vec<_> = match node.as_list() {
            Ok(items) => items.collect(),
            Err(_) => self.read(node, ty, node.as_tuple())?.collect(),
        };
        if items.len() != types.len() {
            return Err(mismatch(ty, &format!("one of {}", items.len())));
        }
        let items = items.into_iter().zip(types).enumerate();
        let values = items.map(|(at, (item, ty))| part(item, ty).map_err(|failure| failure.at(Step::Index(at))));
        Ok(WitValue::Tuple(values.collect::<Result<_, _>>()?))
    }

    fn string(self, node: &Node, ty: &WitType) -> Converted<String> {
        self.read(node, ty, node.as_str(self.source)).map(String::from)
    }

    /// Unwraps a node. An error of the parser says only that the node has another kind or an invalid escape.
    fn read<T, E>(self, node: &Node, ty: &WitType, read: Result<T, E>) -> Converted<T> {
        read.map_err(|_| self.mismatch(node, ty))
    }

    fn text(self, node: &Node) -> &'s str {
        self.source.get(node.span()).unwrap_or_default()
    }

    fn mismatch(self, node: &Node, ty: &WitType) -> Failure {
        let text = Escaped(self.text(node));
        let is_word = node.ty() == NodeType::Label && accepts_strings(ty);
        mismatch(ty, &format!("`{text}`")).with_hint(is_word.then(|| format!("a string needs quotes: \"{text}\"")))
    }
}

/// Converts the payload of a case.
fn payload_of(
    case: &str,
    node: Option<&Node>,
    ty: Option<&WitType>,
    step: Step,
    part: Part<'_>,
) -> Converted<Option<Box<WitValue>>> {
    match (node, ty) {
        (None, None) => Ok(None),
        (Some(node), Some(ty)) => Ok(Some(Box::new(part(node, ty).map_err(|failure| failure.at(step))?))),
        (None, Some(ty)) => Err(needs_payload(case, ty)),
        (Some(_), None) => Err(Failure::new(format!("the case `{}` has no payload", Escaped(case)))),
    }
}

/// Converts a part of a value.
type Part<'p> = &'p dyn Fn(&Node, &WitType) -> Converted;

/// Whether a value of this type is written in `some`, `ok` or `err`.
fn is_wrapped(ty: &WitType) -> bool {
    ty.is_option() || matches!(ty.kind(), Some(TypeKind::Result { .. }))
}

fn accepts_strings(ty: &WitType) -> bool {
    match ty.kind() {
        Some(TypeKind::Option(inner)) => accepts_strings(inner),
        Some(TypeKind::List(WitType::U8)) => true,
        _ => matches!(ty, WitType::String | WitType::Char),
    }
}
