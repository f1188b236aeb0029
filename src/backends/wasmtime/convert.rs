//! Conversion between wrun's values and Wasmtime's.

use wasmtime::{AsContextMut, ExternRef, Func, HeapType, RefType, StoreContextMut, Val, ValRaw};

use super::limits::StoreData;
use crate::error::{Error, ErrorKind, Result};
use crate::value::types::{ValType, Value};

/// Converts a type; returns `None` if its values cannot be passed between host and guest.
pub(super) fn val_type(ty: &ValType) -> Option<wasmtime::ValType> {
    Some(match ty {
        ValType::I32 => wasmtime::ValType::I32,
        ValType::I64 => wasmtime::ValType::I64,
        ValType::F32 => wasmtime::ValType::F32,
        ValType::F64 => wasmtime::ValType::F64,
        ValType::V128 => wasmtime::ValType::V128,
        ValType::FuncRef => wasmtime::ValType::Ref(RefType::new(true, HeapType::Func)),
        ValType::ExternRef => wasmtime::ValType::Ref(RefType::new(true, HeapType::Extern)),
        ValType::Ref(_) => return None,
    })
}

/// A type that is not a reference: its values need no garbage-collection root in a raw slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RawType {
    I32,
    I64,
    F32,
    F64,
    V128,
}

impl RawType {
    pub(super) fn of(ty: &ValType) -> Option<Self> {
        Some(match ty {
            ValType::I32 => Self::I32,
            ValType::I64 => Self::I64,
            ValType::F32 => Self::F32,
            ValType::F64 => Self::F64,
            ValType::V128 => Self::V128,
            ValType::FuncRef | ValType::ExternRef | ValType::Ref(_) => return None,
        })
    }
}

/// Writes a number or vector to a raw slot; ignores references.
pub(super) fn write_raw(slot: &mut ValRaw, value: &Value) {
    match *value {
        Value::I32(v) => *slot = ValRaw::i32(v),
        Value::I64(v) => *slot = ValRaw::i64(v),
        Value::F32(v) => *slot = ValRaw::f32(v.to_bits()),
        Value::F64(v) => *slot = ValRaw::f64(v.to_bits()),
        Value::V128(v) => *slot = ValRaw::v128(v),
        Value::FuncRef(_) | Value::ExternRef(_) => {}
    }
}

/// Reads a value of type `ty` from a raw slot.
pub(super) fn read_raw(slot: &ValRaw, ty: RawType) -> Value {
    match ty {
        RawType::I32 => Value::I32(slot.get_i32()),
        RawType::I64 => Value::I64(slot.get_i64()),
        RawType::F32 => Value::F32(f32::from_bits(slot.get_f32())),
        RawType::F64 => Value::F64(f64::from_bits(slot.get_f64())),
        RawType::V128 => Value::V128(slot.get_v128()),
    }
}

/// Converts a value to Wasmtime's; looks up function references in the store, and roots external references in it.
pub(super) fn to_val(mut store: impl AsContextMut<Data = StoreData>, value: Value) -> Result<Val> {
    Ok(match value {
        Value::I32(v) => Val::I32(v),
        Value::I64(v) => Val::I64(v),
        Value::F32(v) => Val::F32(v.to_bits()),
        Value::F64(v) => Val::F64(v.to_bits()),
        Value::V128(v) => Val::V128(v.into()),
        Value::FuncRef(None) => Val::FuncRef(None),
        Value::FuncRef(Some(n)) => {
            let known = store.as_context().data().funcs.get(n as usize).copied();
            Val::FuncRef(Some(known.ok_or_else(|| {
                Error::new(ErrorKind::InvalidArgument, format!("funcref {n} does not belong to this instance"))
            })?))
        }
        Value::ExternRef(None) => Val::ExternRef(None),
        Value::ExternRef(Some(n)) => Val::ExternRef(Some(
            ExternRef::new(&mut store, n)
                .map_err(|error| Error::new(ErrorKind::Limit, format!("cannot allocate an externref: {error:#}")))?,
        )),
    })
}

/// Converts a value from Wasmtime's.
pub(super) fn from_val(mut store: StoreContextMut<'_, StoreData>, val: &Val) -> Result<Value> {
    Ok(match val {
        Val::I32(v) => Value::I32(*v),
        Val::I64(v) => Value::I64(*v),
        Val::F32(bits) => Value::F32(f32::from_bits(*bits)),
        Val::F64(bits) => Value::F64(f64::from_bits(*bits)),
        Val::V128(v) => Value::V128(v.as_u128()),
        Val::FuncRef(None) => Value::FuncRef(None),
        Val::FuncRef(Some(func)) => Value::FuncRef(Some(func_number(store, *func))),
        Val::ExternRef(None) => Value::ExternRef(None),
        Val::ExternRef(Some(reference)) => {
            let data = reference.data(&mut store).ok().flatten();
            Value::ExternRef(Some(data.and_then(|data| data.downcast_ref::<u64>()).copied().ok_or_else(|| {
                Error::new(ErrorKind::UnsupportedFeature, "the externref was not created by this library")
            })?))
        }
        other => {
            let message = format!("values such as {other:?} cannot be passed between host and guest");
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
    })
}

/// Returns the number by which the host refers to a function; the same function always gets the same number.
fn func_number(mut store: StoreContextMut<'_, StoreData>, func: Func) -> u32 {
    let address = func.to_raw(&mut store) as usize;
    let data = store.data_mut();
    let next = u32::try_from(data.funcs.len()).unwrap_or(u32::MAX);
    *data.func_numbers.entry(address).or_insert_with(|| {
        data.funcs.push(func);
        next
    })
}

/// Returns a default value of each type, for a call to overwrite with its results.
pub(super) fn default_values(types: &[ValType]) -> Vec<Val> {
    let default = |ty: &ValType| val_type(ty).and_then(|ty| Val::default_for_ty(&ty)).unwrap_or(Val::I32(0));
    types.iter().map(default).collect()
}
