//! Checks of values and types before a call.

use crate::component::args::count;
use crate::component::clipped::Clipped;
use crate::component::decode::number_of_values;
use crate::component::failure::{Failure, MAX_DEPTH, Step};
use crate::component::labels::{Labelled, find, unknown};
use crate::component::types::{Name, TypeKind, WitFunction, WitType};
use crate::component::value::WitValue;
use crate::error::Result;
use crate::escape::Escaped;
use crate::value::json_text::JsonText;

/// Checks that all arguments and the result of a function can be written as text, JSON or MessagePack. The library can pass
/// resources in a call by values; streams, futures and error contexts cannot be passed at all.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`](crate::ErrorKind::UnsupportedFeature) with the parameter, the path into its type, and the reason.
pub fn check_passable(ty: &WitFunction) -> Result<()> {
    passable(ty, &|ty| refusal(ty))
}

/// Checks that all arguments and the result of a function can be passed as values: everything but streams, futures and error
/// contexts.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`](crate::ErrorKind::UnsupportedFeature) with the parameter, the path into its type, and the reason.
pub fn check_callable(ty: &WitFunction) -> Result<()> {
    passable(ty, &|ty| match ty.kind() {
        Some(TypeKind::Own(_) | TypeKind::Borrow(_)) => None,
        _ => refusal(ty),
    })
}

/// Checks that `values` fit the parameters of a function.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) with the path into the value, such as `items[3].qty: `.
pub fn check_args(values: &[WitValue], ty: &WitFunction) -> Result<()> {
    count(values.len(), ty)?;
    values.iter().zip(ty.params()).try_for_each(|(value, (name, ty))| {
        fits(value, ty, 0).map_err(|failure| failure.at(Step::Name(name.clone())).into_error())
    })
}

/// Checks that a value fits a type. A record has the fields of its type in the same order.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) with the path into the value.
pub fn check(value: &WitValue, ty: &WitType) -> Result<()> {
    fits(value, ty, 0).map_err(Failure::into_error)
}

/// The maximum number of values in a list of fixed length, with those in the lists in it. Wasmtime panics at one whose size in
/// memory does not fit 32 bits.
const MAX_FIXED: u64 = 1 << 20;

/// Returns whether a type is a list of fixed length that is too long to pass.
pub(crate) fn is_too_long(ty: &WitType) -> bool {
    matches!(ty.kind(), Some(TypeKind::FixedLengthList(..))) && values_in(ty) > MAX_FIXED
}

/// Returns the number of values that every value of a type consists of, or may consist of without a list of any length.
fn values_in(ty: &WitType) -> u64 {
    let sum =
        |types: &mut dyn Iterator<Item = &WitType>| types.fold(1, |sum: u64, ty| sum.saturating_add(values_in(ty)));
    match ty.kind() {
        Some(TypeKind::FixedLengthList(ty, length)) => values_in(ty).saturating_mul(u64::from(*length)),
        Some(TypeKind::Record(fields)) => sum(&mut fields.iter().map(|(_, ty)| ty)),
        Some(TypeKind::Tuple(types)) => sum(&mut types.iter()),
        Some(TypeKind::Variant(cases)) => sum(&mut cases.iter().filter_map(|(_, ty)| ty.as_ref())),
        Some(TypeKind::Option(ty)) => values_in(ty),
        Some(TypeKind::Result { ok, err }) => sum(&mut [ok, err].into_iter().flatten()),
        _ => 1,
    }
}

/// Why values of a type cannot be passed, after the name of the parameter.
fn refusal(ty: &WitType) -> Option<Failure> {
    match ty.kind() {
        Some(TypeKind::Own(resource) | TypeKind::Borrow(resource)) => {
            let name = resource
                .name
                .as_deref()
                .map_or_else(|| "a resource".to_owned(), |name| format!("the resource `{}`", Escaped(name)));
            let failure = Failure::new(format!("contains {name}, which has no text form"));
            Some(failure.with_hint(Some("the library can pass resources".to_owned())))
        }
        Some(TypeKind::FixedLengthList(..)) if is_too_long(ty) => {
            Some(Failure::new(format!("contains {}, which has more than {MAX_FIXED} values", Clipped(ty))))
        }
        Some(TypeKind::Stream(_) | TypeKind::Future(_)) => Some(unpassable(ty)),
        _ if *ty == WitType::ErrorContext => Some(unpassable(ty)),
        _ => None,
    }
}

fn unpassable(ty: &WitType) -> Failure {
    Failure::new(format!("contains the type {}, whose values cannot be passed", Clipped(ty)))
}

fn passable(ty: &WitFunction, refusal: &dyn Fn(&WitType) -> Option<Failure>) -> Result<()> {
    let params = ty.params().iter().map(|(name, ty)| (Some(name), ty));
    for (name, ty) in params.chain(ty.result().map(|ty| (None, ty))) {
        find_refusal(ty, 0, refusal).map_err(|failure| {
            let part = name.map_or_else(|| "the result".to_owned(), |name| format!("parameter `{}`", Escaped(name)));
            failure.into_error_in_type(&part)
        })?;
    }
    Ok(())
}

/// Fails for the first part of a type that is refused.
fn find_refusal(ty: &WitType, depth: usize, refusal: &dyn Fn(&WitType) -> Option<Failure>) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        return Err(Failure::new(format!("is nested deeper than {MAX_DEPTH} levels")));
    }
    if let Some(failure) = refusal(ty) {
        return Err(failure);
    }
    let part = |ty: &WitType, step: Step| find_refusal(ty, depth + 1, refusal).map_err(|failure| failure.at(step));
    let payload = |ty: &Option<WitType>, step: Step| ty.as_ref().map_or(Ok(()), |ty| part(ty, step));
    match ty.kind() {
        Some(TypeKind::Record(fields)) => fields.iter().try_for_each(|(name, ty)| part(ty, Step::Name(name.clone()))),
        Some(TypeKind::Variant(cases)) => cases.iter().try_for_each(|(name, ty)| payload(ty, Step::Name(name.clone()))),
        Some(TypeKind::Tuple(types)) => {
            types.iter().enumerate().try_for_each(|(index, ty)| part(ty, Step::Index(index)))
        }
        Some(TypeKind::List(ty) | TypeKind::FixedLengthList(ty, _)) => part(ty, Step::Any),
        Some(TypeKind::Map(key, value)) => {
            part(key, Step::Any)?;
            part(value, Step::Any)
        }
        Some(TypeKind::Option(ty)) => part(ty, Step::Payload("some")),
        Some(TypeKind::Result { ok, err }) => {
            payload(ok, Step::Payload("ok"))?;
            payload(err, Step::Payload("err"))
        }
        _ => Ok(()),
    }
}

fn fits(value: &WitValue, ty: &WitType, depth: usize) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        return Err(Failure::too_deep());
    }
    match (value, ty) {
        (WitValue::Bool(_), WitType::Bool)
        | (WitValue::S8(_), WitType::S8)
        | (WitValue::U8(_), WitType::U8)
        | (WitValue::S16(_), WitType::S16)
        | (WitValue::U16(_), WitType::U16)
        | (WitValue::S32(_), WitType::S32)
        | (WitValue::U32(_), WitType::U32)
        | (WitValue::S64(_), WitType::S64)
        | (WitValue::U64(_), WitType::U64)
        | (WitValue::F32(_), WitType::F32)
        | (WitValue::F64(_), WitType::F64)
        | (WitValue::Char(_), WitType::Char)
        | (WitValue::String(_), WitType::String | WitType::StringOrInteger)
        | (WitValue::S64(_) | WitValue::U64(_), WitType::StringOrInteger) => Ok(()),
        (WitValue::String(text), WitType::Json) => {
            JsonText::check(text).map(|_| ()).map_err(|reason| Failure::new(format!("not JSON: {reason}")))
        }
        (value, WitType::Defined(def)) => fits_kind(value, ty, &def.kind, depth + 1),
        _ => Err(mismatch(value, ty)),
    }
}

fn fits_kind(value: &WitValue, ty: &WitType, kind: &TypeKind, depth: usize) -> Result<(), Failure> {
    let part = |value: &WitValue, ty: &WitType, step: &dyn Fn() -> Step| {
        fits(value, ty, depth).map_err(|failure| failure.at(step()))
    };
    let payload =
        |value: &Option<Box<WitValue>>, ty: &Option<WitType>, case: &str, step: &dyn Fn() -> Step| match (value, ty) {
            (None, None) => Ok(()),
            (Some(value), Some(ty)) => part(value, ty, step),
            (None, Some(ty)) => Err(Failure::new(format!("the case `{case}` needs a payload of type {}", Clipped(ty)))),
            (Some(_), None) => Err(Failure::new(format!("the case `{case}` has no payload"))),
        };
    let elements = |values: &[WitValue], ty: &WitType| {
        values.iter().enumerate().try_for_each(|(index, value)| part(value, ty, &|| Step::Index(index)))
    };
    match (value, kind) {
        (WitValue::Bytes(_), TypeKind::List(WitType::U8))
        | (WitValue::Resource(_), TypeKind::Own(_) | TypeKind::Borrow(_))
        | (WitValue::Option(None), TypeKind::Option(_)) => Ok(()),
        (WitValue::List(values), TypeKind::List(ty)) => elements(values, ty),
        (WitValue::List(values), TypeKind::FixedLengthList(element, length)) => {
            if values.len() != *length as usize {
                return Err(Failure::new(format!(
                    "expected {}, found {}",
                    number_of_values(*length as usize),
                    values.len()
                )));
            }
            elements(values, element)
        }
        (WitValue::Tuple(values), TypeKind::Tuple(types)) => {
            if values.len() != types.len() {
                return Err(Failure::new(format!(
                    "expected {}, found {}",
                    number_of_values(types.len()),
                    values.len()
                )));
            }
            let mut parts = values.iter().zip(types).enumerate();
            parts.try_for_each(|(index, (value, ty))| part(value, ty, &|| Step::Index(index)))
        }
        (WitValue::Record(values), TypeKind::Record(fields)) => {
            same_fields(values, fields)?;
            let mut parts = values.iter().zip(fields);
            parts.try_for_each(|((name, value), (_, ty))| part(value, ty, &|| Step::Name(name.clone())))
        }
        (WitValue::Map(entries), TypeKind::Map(key_ty, ty)) => {
            entries.iter().enumerate().try_for_each(|(at, entry)| {
                part(&entry.0, key_ty, &|| Step::Index(at))?;
                part(&entry.1, ty, &|| Step::Index(at))
            })
        }
        (WitValue::Variant(name, value), TypeKind::Variant(cases)) => {
            let at = find(cases, 0, name).ok_or_else(|| unknown(cases, "case", name))?;
            payload(value, &cases[at].1, name, &|| Step::Name(name.clone()))
        }
        (WitValue::Enum(name), TypeKind::Enum(cases)) => {
            find(cases, 0, name).map(|_| ()).ok_or_else(|| unknown(cases, "case", name))
        }
        (WitValue::Flags(set), TypeKind::Flags(names)) => {
            set.iter().try_for_each(|name| find(names, 0, name).map(|_| ()).ok_or_else(|| unknown(names, "flag", name)))
        }
        (WitValue::Option(Some(value)), TypeKind::Option(ty)) => part(value, ty, &|| Step::Payload("some")),
        (WitValue::Result(Ok(value)), TypeKind::Result { ok, .. }) => payload(value, ok, "ok", &|| Step::Payload("ok")),
        (WitValue::Result(Err(value)), TypeKind::Result { err, .. }) => {
            payload(value, err, "err", &|| Step::Payload("err"))
        }
        _ => Err(mismatch(value, ty)),
    }
}

/// Checks that a record has the fields of its type in the same order.
fn same_fields(values: &[(Name, WitValue)], fields: &[(Name, WitType)]) -> Result<(), Failure> {
    for (at, (name, _)) in values.iter().enumerate() {
        match fields.get(at) {
            Some((expected, _)) if expected == name => {}
            Some((expected, _)) if find(fields, at, name).is_some() => {
                let (expected, name) = (Escaped(expected), Escaped(name));
                return Err(Failure::new(format!("expected the field `{expected}`, found `{name}`")));
            }
            _ => return Err(unknown(fields, "field", name)),
        }
    }
    match fields.get(values.len()) {
        None => Ok(()),
        Some(absent) => {
            Err(Failure::new(format!("the field `{}` ({}) is missing", Escaped(absent.label()), Clipped(&absent.1))))
        }
    }
}

fn mismatch(value: &WitValue, ty: &WitType) -> Failure {
    Failure::new(format!("expected a value of type {}, found {}", Clipped(ty), value.description()))
}
