//! Conversion between wrun's values and Wasmtime's, by type.

use std::sync::Arc;

use wasmtime::component::Val;

use super::resources::{Resources, Use, Uses};
use crate::component::check;
use crate::component::types::{Name, TypeDef, TypeKind, WitFunction, WitType};
use crate::component::value::WitValue;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;

/// Converts the arguments of a call. Resources whose ownership passes to the guest are no longer held afterwards.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if they do not fit the type. Nothing has changed then.
pub(super) fn arguments(resources: &mut Resources, ty: &WitFunction, args: &[WitValue]) -> Result<Vec<Val>> {
    let mut lowering = Lowering { resources: Some(resources), uses: Uses::default() };
    let vals = if args.len() == ty.params().len() { lowering.arguments(ty, args) } else { Err(mismatch()) };
    // The conversion says only that a value does not fit, a check says where.
    let vals = vals.map_err(|error| check::check_args(args, ty).err().unwrap_or(error))?;
    let Lowering { uses, .. } = lowering;
    resources.give_away(&uses);
    Ok(vals)
}

/// Converts the result of a host function, which contains no resources.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] if it does not have the type.
pub(super) fn host_result(value: &WitValue, ty: &WitType) -> Result<Val> {
    Lowering { resources: None, uses: Uses::default() }.lower(value, ty)
}

#[cold]
fn in_argument(name: &Name, error: &Error) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{}: {error}", Escaped(name)))
}

#[cold]
fn mismatch() -> Error {
    Error::new(ErrorKind::InvalidArgument, "a value does not have its type")
}

/// The conversion of the values of one call to Wasmtime's.
struct Lowering<'r> {
    /// `None` if no value can be a resource.
    resources: Option<&'r Resources>,
    uses: Uses,
}

impl Lowering<'_> {
    fn arguments(&mut self, ty: &WitFunction, args: &[WitValue]) -> Result<Vec<Val>> {
        let pairs = args.iter().zip(ty.params());
        pairs.map(|(arg, (name, ty))| self.lower(arg, ty).map_err(|error| in_argument(name, &error))).collect()
    }

    fn lower(&mut self, value: &WitValue, ty: &WitType) -> Result<Val> {
        Ok(match (ty, value) {
            (WitType::Bool, WitValue::Bool(v)) => Val::Bool(*v),
            (WitType::S8, WitValue::S8(v)) => Val::S8(*v),
            (WitType::U8, WitValue::U8(v)) => Val::U8(*v),
            (WitType::S16, WitValue::S16(v)) => Val::S16(*v),
            (WitType::U16, WitValue::U16(v)) => Val::U16(*v),
            (WitType::S32, WitValue::S32(v)) => Val::S32(*v),
            (WitType::U32, WitValue::U32(v)) => Val::U32(*v),
            (WitType::S64, WitValue::S64(v)) => Val::S64(*v),
            (WitType::U64, WitValue::U64(v)) => Val::U64(*v),
            (WitType::F32, WitValue::F32(v)) => Val::Float32(*v),
            (WitType::F64, WitValue::F64(v)) => Val::Float64(*v),
            (WitType::Char, WitValue::Char(v)) => Val::Char(*v),
            (WitType::String, WitValue::String(v)) => Val::String(v.clone()),
            (WitType::Defined(def), value) => self.lower_defined(value, def).ok_or_else(mismatch)??,
            _ => return Err(mismatch()),
        })
    }

    /// Converts a value of a type with parts; returns `None` if it does not have the type.
    fn lower_defined(&mut self, value: &WitValue, def: &TypeDef) -> Option<Result<Val>> {
        Some(match (&def.kind, value) {
            (TypeKind::Record(types), WitValue::Record(fields)) if types.len() == fields.len() => {
                let fields = types.iter().zip(fields).map(|((name, ty), (given, value))| {
                    (name == given).then(|| self.lower(value, ty).map(|val| (name.as_ref().to_owned(), val)))
                });
                let fields: Result<_> = fields.collect::<Option<Vec<_>>>()?.into_iter().collect();
                fields.map(Val::Record)
            }
            (TypeKind::Tuple(types), WitValue::Tuple(values)) if types.len() == values.len() => {
                types.iter().zip(values).map(|(ty, value)| self.lower(value, ty)).collect::<Result<_>>().map(Val::Tuple)
            }
            (TypeKind::List(ty), WitValue::List(values)) => self.lower_all(values, ty).map(Val::List),
            (TypeKind::List(WitType::U8), WitValue::Bytes(bytes)) => Ok(Val::List(bytes_to_vals(bytes))),
            (TypeKind::FixedLengthList(ty, length), WitValue::List(values)) if values.len() == *length as usize => {
                self.lower_all(values, ty).map(Val::FixedLengthList)
            }
            (TypeKind::Map(key_type, value_type), WitValue::Map(entries)) => entries
                .iter()
                .map(|(key, value)| Ok((self.lower(key, key_type)?, self.lower(value, value_type)?)))
                .collect::<Result<_>>()
                .map(Val::Map),
            (TypeKind::Variant(cases), WitValue::Variant(name, payload)) => {
                let (_, ty) = cases.iter().find(|(case, _)| case == name)?;
                self.lower_payload(payload.as_deref(), ty.as_ref())?
                    .map(|payload| Val::Variant(name.as_ref().to_owned(), payload))
            }
            (TypeKind::Enum(cases), WitValue::Enum(name)) => {
                cases.contains(name).then(|| Ok(Val::Enum(name.as_ref().to_owned())))?
            }
            (TypeKind::Flags(names), WitValue::Flags(set)) => {
                let known = set.iter().all(|name| names.contains(name));
                known.then(|| Ok(Val::Flags(set.iter().map(ToString::to_string).collect())))?
            }
            (TypeKind::Option(_), WitValue::Option(None)) => Ok(Val::Option(None)),
            (TypeKind::Option(ty), WitValue::Option(Some(value))) => {
                self.lower(value, ty).map(|val| Val::Option(Some(Box::new(val))))
            }
            (TypeKind::Result { ok, .. }, WitValue::Result(Ok(payload))) => {
                self.lower_payload(payload.as_deref(), ok.as_ref())?.map(|payload| Val::Result(Ok(payload)))
            }
            (TypeKind::Result { err, .. }, WitValue::Result(Err(payload))) => {
                self.lower_payload(payload.as_deref(), err.as_ref())?.map(|payload| Val::Result(Err(payload)))
            }
            (TypeKind::Own(ty), WitValue::Resource(handle)) => {
                self.resources?.find(*handle, ty, Use::Own, &mut self.uses).map(Val::Resource)
            }
            (TypeKind::Borrow(ty), WitValue::Resource(handle)) => {
                self.resources?.find(*handle, ty, Use::Borrow, &mut self.uses).map(Val::Resource)
            }
            _ => return None,
        })
    }

    fn lower_all(&mut self, values: &[WitValue], ty: &WitType) -> Result<Vec<Val>> {
        values.iter().map(|value| self.lower(value, ty)).collect()
    }

    /// Converts a payload; returns `None` if there is one without a type or the reverse.
    fn lower_payload(&mut self, payload: Option<&WitValue>, ty: Option<&WitType>) -> Option<Result<Option<Box<Val>>>> {
        match (payload, ty) {
            (None, None) => Some(Ok(None)),
            (Some(value), Some(ty)) => Some(self.lower(value, ty).map(|val| Some(Box::new(val)))),
            _ => None,
        }
    }
}

fn bytes_to_vals(bytes: &[u8]) -> Vec<Val> {
    bytes.iter().map(|byte| Val::U8(*byte)).collect()
}

/// Converts a value of type `ty` from Wasmtime's. Keeps its resources.
///
/// # Errors
/// [`ErrorKind::Internal`] if it does not have the type.
pub(super) fn from_val(resources: &mut Resources, val: Val, ty: &WitType) -> Result<WitValue> {
    Ok(match (val, ty) {
        (Val::Bool(v), WitType::Bool) => WitValue::Bool(v),
        (Val::S8(v), WitType::S8) => WitValue::S8(v),
        (Val::U8(v), WitType::U8) => WitValue::U8(v),
        (Val::S16(v), WitType::S16) => WitValue::S16(v),
        (Val::U16(v), WitType::U16) => WitValue::U16(v),
        (Val::S32(v), WitType::S32) => WitValue::S32(v),
        (Val::U32(v), WitType::U32) => WitValue::U32(v),
        (Val::S64(v), WitType::S64) => WitValue::S64(v),
        (Val::U64(v), WitType::U64) => WitValue::U64(v),
        (Val::Float32(v), WitType::F32) => WitValue::F32(v),
        (Val::Float64(v), WitType::F64) => WitValue::F64(v),
        (Val::Char(v), WitType::Char) => WitValue::Char(v),
        (Val::String(v), WitType::String) => WitValue::String(v),
        (val, WitType::Defined(def)) => from_defined(resources, val, def)?,
        _ => return Err(unexpected(ty)),
    })
}

fn from_defined(resources: &mut Resources, val: Val, def: &Arc<TypeDef>) -> Result<WitValue> {
    Ok(match (val, &def.kind) {
        (Val::Record(fields), TypeKind::Record(types)) => WitValue::Record(
            fields
                .into_iter()
                .zip(types)
                .map(|((_, val), (name, ty))| Ok((Arc::clone(name), from_val(resources, val, ty)?)))
                .collect::<Result<_>>()?,
        ),
        (Val::Tuple(vals), TypeKind::Tuple(types)) => WitValue::Tuple(
            vals.into_iter().zip(types).map(|(val, ty)| from_val(resources, val, ty)).collect::<Result<_>>()?,
        ),
        (Val::List(vals), TypeKind::List(WitType::U8)) => {
            let byte = |val| match val {
                Val::U8(byte) => Ok(byte),
                _ => Err(unexpected(&WitType::U8)),
            };
            WitValue::Bytes(vals.into_iter().map(byte).collect::<Result<_>>()?)
        }
        (Val::List(vals), TypeKind::List(ty)) | (Val::FixedLengthList(vals), TypeKind::FixedLengthList(ty, _)) => {
            WitValue::List(vals.into_iter().map(|val| from_val(resources, val, ty)).collect::<Result<_>>()?)
        }
        (Val::Map(entries), TypeKind::Map(key_type, value_type)) => WitValue::Map(
            entries
                .into_iter()
                .map(|(key, value)| Ok((from_val(resources, key, key_type)?, from_val(resources, value, value_type)?)))
                .collect::<Result<_>>()?,
        ),
        (Val::Variant(name, payload), TypeKind::Variant(cases)) => {
            let case = cases.iter().find(|(case, _)| **case == *name);
            let (name, ty) = case.ok_or_else(|| unexpected(&WitType::Defined(Arc::clone(def))))?;
            WitValue::Variant(Arc::clone(name), from_payload(resources, payload, ty.as_ref())?)
        }
        (Val::Enum(name), TypeKind::Enum(cases)) => WitValue::Enum(known_name(name, cases)),
        (Val::Flags(set), TypeKind::Flags(names)) => {
            WitValue::Flags(set.into_iter().map(|name| known_name(name, names)).collect())
        }
        (Val::Option(val), TypeKind::Option(ty)) => WitValue::Option(from_payload(resources, val, Some(ty))?),
        (Val::Result(Ok(val)), TypeKind::Result { ok, .. }) => {
            WitValue::Result(Ok(from_payload(resources, val, ok.as_ref())?))
        }
        (Val::Result(Err(val)), TypeKind::Result { err, .. }) => {
            WitValue::Result(Err(from_payload(resources, val, err.as_ref())?))
        }
        (Val::Resource(resource), TypeKind::Own(ty)) => WitValue::Resource(resources.insert(resource, ty)),
        _ => return Err(unexpected(&WitType::Defined(Arc::clone(def)))),
    })
}

fn from_payload(
    resources: &mut Resources,
    val: Option<Box<Val>>,
    ty: Option<&WitType>,
) -> Result<Option<Box<WitValue>>> {
    match (val, ty) {
        (Some(val), Some(ty)) => Ok(Some(Box::new(from_val(resources, *val, ty)?))),
        _ => Ok(None),
    }
}

/// Returns a name as the type shares it.
fn known_name(name: String, names: &[Name]) -> Name {
    names.iter().find(|known| ***known == *name).cloned().unwrap_or_else(|| name.into())
}

#[cold]
fn unexpected(ty: &WitType) -> Error {
    Error::new(ErrorKind::Internal, format!("the engine passed a value that does not have its type {ty}"))
}
