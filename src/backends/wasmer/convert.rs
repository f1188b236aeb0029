//! Values between the contract and Wasmer.
#![expect(unsafe_code, reason = "a function is known again by its raw address, which stands in a union")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use wasmer::{AsStoreMut, ExternRef, Function, Type};

use crate::error::{Error, ErrorKind, Result};
use crate::value::types::{FuncType, ValType, Value};

/// The references of one store that its host knows: functions that a call returned or the guest passed to a host function, and
/// what the host passed to the guest. Clones share them, so a number means the same everywhere.
#[derive(Debug, Default)]
pub(super) struct Funcs(OnceLock<Arc<Mutex<Known>>>);

/// Functions by the number the host was given, and their numbers by address; the host's own references by their number, since
/// the engine keeps each that is made as long as the store lives.
#[derive(Debug, Default)]
struct Known {
    funcs: Vec<Function>,
    numbers: HashMap<usize, u32>,
    externs: HashMap<u64, ExternRef>,
}

impl Clone for Funcs {
    fn clone(&self) -> Self {
        Self(Arc::clone(self.shared()).into())
    }
}

impl Funcs {
    /// What clones share, which most stores never need.
    fn shared(&self) -> &Arc<Mutex<Known>> {
        self.0.get_or_init(Arc::default)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.shared().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The function of this number.
    fn get(&self, number: u32) -> Option<Function> {
        self.known().funcs.get(number as usize).cloned()
    }

    /// The reference of this number of the host's.
    fn external(&self, store: &mut impl AsStoreMut, number: u64) -> ExternRef {
        self.known().externs.entry(number).or_insert_with(|| ExternRef::new(store, number)).clone()
    }

    /// The number under which the host knows a function: the same one each time.
    fn number(&self, store: &mut impl AsStoreMut, func: Function) -> u32 {
        let raw = wasmer::Value::FuncRef(Some(func.clone())).as_raw(store);
        // SAFETY: `as_raw` of a function reference writes this field.
        let address = unsafe { raw.funcref };
        let Known { funcs, numbers, .. } = &mut *self.known();
        let next = u32::try_from(funcs.len()).unwrap_or(u32::MAX);
        *numbers.entry(address).or_insert_with(|| {
            funcs.push(func);
            next
        })
    }
}

/// Wasmer's type of a passable type; `None` for the others.
pub(super) fn val_type(ty: &ValType) -> Option<Type> {
    Some(match ty {
        ValType::I32 => Type::I32,
        ValType::I64 => Type::I64,
        ValType::F32 => Type::F32,
        ValType::F64 => Type::F64,
        ValType::V128 => Type::V128,
        ValType::FuncRef => Type::FuncRef,
        ValType::ExternRef => Type::ExternRef,
        ValType::Ref(_) => return None,
    })
}

/// Wasmer's type of a function; `None` where a type of it does not pass.
pub(super) fn func_type(ty: &FuncType) -> Option<wasmer::FunctionType> {
    let types = |types: &[ValType]| types.iter().map(val_type).collect::<Option<Vec<_>>>();
    Some(wasmer::FunctionType::new(types(ty.params())?, types(ty.results())?))
}

/// Wasmer's value; references are resolved in, or kept in, the store.
pub(super) fn to_val(store: &mut impl AsStoreMut, funcs: &Funcs, value: Value) -> Result<wasmer::Value> {
    Ok(match value {
        Value::I32(v) => wasmer::Value::I32(v),
        Value::I64(v) => wasmer::Value::I64(v),
        Value::F32(v) => wasmer::Value::F32(v),
        Value::F64(v) => wasmer::Value::F64(v),
        Value::V128(v) => wasmer::Value::V128(v),
        Value::FuncRef(None) => wasmer::Value::FuncRef(None),
        Value::FuncRef(Some(n)) => wasmer::Value::FuncRef(Some(funcs.get(n).ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("funcref {n} is none of this instance's"))
        })?)),
        Value::ExternRef(None) => wasmer::Value::ExternRef(None),
        Value::ExternRef(Some(n)) => wasmer::Value::ExternRef(Some(funcs.external(store, n))),
    })
}

/// The contract's value of one of Wasmer's.
pub(super) fn from_val(store: &mut impl AsStoreMut, funcs: &Funcs, val: &wasmer::Value) -> Result<Value> {
    Ok(match val {
        wasmer::Value::I32(v) => Value::I32(*v),
        wasmer::Value::I64(v) => Value::I64(*v),
        wasmer::Value::F32(v) => Value::F32(*v),
        wasmer::Value::F64(v) => Value::F64(*v),
        wasmer::Value::V128(v) => Value::V128(*v),
        wasmer::Value::FuncRef(None) => Value::FuncRef(None),
        wasmer::Value::FuncRef(Some(func)) => Value::FuncRef(Some(funcs.number(store, func.clone()))),
        wasmer::Value::ExternRef(None) => Value::ExternRef(None),
        wasmer::Value::ExternRef(Some(reference)) => {
            Value::ExternRef(Some(reference.downcast::<u64>(store).copied().ok_or_else(|| {
                Error::new(ErrorKind::UnsupportedFeature, "an externref that is no number of the host")
            })?))
        }
        wasmer::Value::ExceptionRef(_) => {
            return Err(Error::new(ErrorKind::UnsupportedFeature, "wrun passes no exception references"));
        }
    })
}
