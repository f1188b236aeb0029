//! Conversion between wrun's values and Wasmer's.
#![expect(unsafe_code, reason = "a function is identified by its raw address, which Wasmer returns in a union")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use wasmer::{AsStoreMut, ExternRef, Function, Type};

use crate::error::{Error, ErrorKind, Result};
use crate::value::types::{FuncType, ValType, Value};

/// The references of one store that its host refers to by number: functions that the guest passed to the host, and external
/// references that the host passed to the guest. Clones share the numbers.
#[derive(Debug, Default)]
pub(super) struct References(OnceLock<Arc<Mutex<Tables>>>);

#[derive(Debug, Default)]
struct Tables {
    /// Functions by number.
    funcs: Vec<Function>,
    /// The numbers of functions by address.
    func_numbers: HashMap<usize, u32>,
    /// External references by number. Each is created once, since the engine keeps it until the store is dropped.
    externs: HashMap<u64, ExternRef>,
}

impl Clone for References {
    fn clone(&self) -> Self {
        Self(Arc::clone(self.shared()).into())
    }
}

impl References {
    /// Allocates the tables on first use: most stores need none.
    fn shared(&self) -> &Arc<Mutex<Tables>> {
        self.0.get_or_init(Arc::default)
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.shared().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the function with this number.
    fn func(&self, number: u32) -> Option<Function> {
        self.lock().funcs.get(number as usize).cloned()
    }

    /// Returns the external reference that holds `number`.
    fn external(&self, store: &mut impl AsStoreMut, number: u64) -> ExternRef {
        self.lock().externs.entry(number).or_insert_with(|| ExternRef::new(store, number)).clone()
    }

    /// Returns the number by which the host refers to a function; the same function always gets the same number.
    fn func_number(&self, store: &mut impl AsStoreMut, func: Function) -> u32 {
        let raw = wasmer::Value::FuncRef(Some(func.clone())).as_raw(store);
        // SAFETY: `as_raw` of a function reference initializes this field.
        let address = unsafe { raw.funcref };
        let Tables { funcs, func_numbers, .. } = &mut *self.lock();
        let next = u32::try_from(funcs.len()).unwrap_or(u32::MAX);
        *func_numbers.entry(address).or_insert_with(|| {
            funcs.push(func);
            next
        })
    }
}

/// Converts a type; returns `None` if its values cannot be passed between host and guest.
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

/// Converts a function type; returns `None` if one of its types cannot be passed between host and guest.
pub(super) fn func_type(ty: &FuncType) -> Option<wasmer::FunctionType> {
    let types = |types: &[ValType]| types.iter().map(val_type).collect::<Option<Vec<_>>>();
    Some(wasmer::FunctionType::new(types(ty.params())?, types(ty.results())?))
}

/// Converts a value to Wasmer's; looks up function references, and creates external references in the store.
pub(super) fn to_val(store: &mut impl AsStoreMut, references: &References, value: Value) -> Result<wasmer::Value> {
    Ok(match value {
        Value::I32(v) => wasmer::Value::I32(v),
        Value::I64(v) => wasmer::Value::I64(v),
        Value::F32(v) => wasmer::Value::F32(v),
        Value::F64(v) => wasmer::Value::F64(v),
        Value::V128(v) => wasmer::Value::V128(v),
        Value::FuncRef(None) => wasmer::Value::FuncRef(None),
        Value::FuncRef(Some(n)) => wasmer::Value::FuncRef(Some(references.func(n).ok_or_else(|| {
            Error::new(ErrorKind::InvalidArgument, format!("funcref {n} does not belong to this instance"))
        })?)),
        Value::ExternRef(None) => wasmer::Value::ExternRef(None),
        Value::ExternRef(Some(n)) => wasmer::Value::ExternRef(Some(references.external(store, n))),
    })
}

/// Converts a value from Wasmer's.
pub(super) fn from_val(store: &mut impl AsStoreMut, references: &References, val: &wasmer::Value) -> Result<Value> {
    Ok(match val {
        wasmer::Value::I32(v) => Value::I32(*v),
        wasmer::Value::I64(v) => Value::I64(*v),
        wasmer::Value::F32(v) => Value::F32(*v),
        wasmer::Value::F64(v) => Value::F64(*v),
        wasmer::Value::V128(v) => Value::V128(*v),
        wasmer::Value::FuncRef(None) => Value::FuncRef(None),
        wasmer::Value::FuncRef(Some(func)) => Value::FuncRef(Some(references.func_number(store, func.clone()))),
        wasmer::Value::ExternRef(None) => Value::ExternRef(None),
        wasmer::Value::ExternRef(Some(reference)) => {
            Value::ExternRef(Some(reference.downcast::<u64>(store).copied().ok_or_else(|| {
                Error::new(ErrorKind::UnsupportedFeature, "the externref was not created by this library")
            })?))
        }
        wasmer::Value::ExceptionRef(_) => {
            let message = "exception references cannot be passed between host and guest";
            return Err(Error::new(ErrorKind::UnsupportedFeature, message));
        }
    })
}
