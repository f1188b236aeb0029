//! The values of exported globals.

use std::collections::BTreeMap;

use crate::module::info::ExternType;
use crate::runtime::traits::WasmInstance;
use crate::value::types::Value;

/// Returns the exported globals whose types can pass to the host. References are left out: their numbers mean nothing in
/// another instance.
pub(super) fn read(instance: &mut dyn WasmInstance) -> BTreeMap<String, Value> {
    let info = instance.info().clone();
    let names = info.exports.iter().filter(|export| matches!(&export.ty, ExternType::Global(..)));
    names
        .filter_map(|export| Some((export.name.clone(), instance.global(&export.name).ok()?)))
        .filter(|(_, value)| !matches!(value, Value::FuncRef(_) | Value::ExternRef(_)))
        .collect()
}
