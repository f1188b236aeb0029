//! Values between the contract and Wasmtime.

use wasmtime::{AsContextMut, ExternRef, Func, HeapType, RefType, StoreContextMut, Val, ValRaw};

use super::limits::StoreData;
use crate::error::{Error, ErrorKind, Result};
use crate::value::types::{ValType, Value};

/// Wasmtime's type of a passable type; `None` for the others.
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

/// A type whose values fit a raw slot, without a root for the garbage collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    I32,
    I64,
    F32,
    F64,
    V128,
}

impl Kind {
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

/// Writes a number or vector to its raw slot; a reference is none of these, and writes nothing.
pub(super) fn put(slot: &mut ValRaw, value: &Value) {
    match *value {
        Value::I32(v) => *slot = ValRaw::i32(v),
        Value::I64(v) => *slot = ValRaw::i64(v),
        Value::F32(v) => *slot = ValRaw::f32(v.to_bits()),
        Value::F64(v) => *slot = ValRaw::f64(v.to_bits()),
        Value::V128(v) => *slot = ValRaw::v128(v),
        Value::FuncRef(_) | Value::ExternRef(_) => {}
    }
}

/// The value of a kind in a raw slot.
pub(super) fn from_raw(raw: &ValRaw, kind: Kind) -> Value {
    match kind {
        Kind::I32 => Value::I32(raw.get_i32()),
        Kind::I64 => Value::I64(raw.get_i64()),
        Kind::F32 => Value::F32(f32::from_bits(raw.get_f32())),
        Kind::F64 => Value::F64(f64::from_bits(raw.get_f64())),
        Kind::V128 => Value::V128(raw.get_v128()),
    }
}

/// Wasmtime's value; references are resolved in, or rooted in, the store.
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
                Error::new(ErrorKind::InvalidArgument, format!("funcref {n} is none of this instance's"))
            })?))
        }
        Value::ExternRef(None) => Val::ExternRef(None),
        Value::ExternRef(Some(n)) => Val::ExternRef(Some(
            ExternRef::new(&mut store, n)
                .map_err(|error| Error::new(ErrorKind::Limit, format!("no room for a reference: {error:#}")))?,
        )),
    })
}

/// The contract's value of one of Wasmtime's.
pub(super) fn from_val(mut store: StoreContextMut<'_, StoreData>, val: &Val) -> Result<Value> {
    Ok(match val {
        Val::I32(v) => Value::I32(*v),
        Val::I64(v) => Value::I64(*v),
        Val::F32(bits) => Value::F32(f32::from_bits(*bits)),
        Val::F64(bits) => Value::F64(f64::from_bits(*bits)),
        Val::V128(v) => Value::V128(v.as_u128()),
        Val::FuncRef(None) => Value::FuncRef(None),
        Val::FuncRef(Some(func)) => Value::FuncRef(Some(number(store, *func))),
        Val::ExternRef(None) => Value::ExternRef(None),
        Val::ExternRef(Some(reference)) => {
            let data = reference.data(&mut store).ok().flatten();
            Value::ExternRef(Some(data.and_then(|data| data.downcast_ref::<u64>()).copied().ok_or_else(|| {
                Error::new(ErrorKind::UnsupportedFeature, "an externref that is no number of the host")
            })?))
        }
        other => {
            let message = format!("wrun passes no values such as {other:?}");
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
    })
}

/// The number under which the host knows a function: the same one each time.
fn number(mut store: StoreContextMut<'_, StoreData>, func: Func) -> u32 {
    let address = func.to_raw(&mut store) as usize;
    let guest = store.data_mut();
    let next = u32::try_from(guest.funcs.len()).unwrap_or(u32::MAX);
    *guest.func_numbers.entry(address).or_insert_with(|| {
        guest.funcs.push(func);
        next
    })
}

/// A zero of each type, for results to be written over.
pub(super) fn zeros(types: &[ValType]) -> Vec<Val> {
    let zero = |ty: &ValType| val_type(ty).and_then(|ty| Val::default_for_ty(&ty)).unwrap_or(Val::I32(0));
    types.iter().map(zero).collect()
}
