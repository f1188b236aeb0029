//! The exports that initialize a plug-in.

use crate::module::info::ModuleInfo;
use crate::value::types::{FuncType, ValType, Value};

/// Returns the exports to call once before any other, with their arguments, as Extism chooses them: `_initialize` and `hs_init`
/// of a plug-in in Haskell, else `__wasm_call_ctors`, else `_initialize`.
pub(crate) fn initializers(info: &ModuleInfo) -> Vec<(&'static str, &'static [Value])> {
    let has = |name: &str| info.function(name) == Some(&FuncType::default());
    let initialize = has("_initialize").then_some(("_initialize", [].as_slice()));
    match info.function("hs_init") {
        Some(ty) if *ty.params() == [ValType::I32, ValType::I32] => {
            let haskell = ("hs_init", [Value::I32(0), Value::I32(0)].as_slice());
            initialize.into_iter().chain([haskell]).collect()
        }
        _ if info.function("__wasm_call_ctors").is_some() => {
            has("__wasm_call_ctors").then_some(("__wasm_call_ctors", [].as_slice())).into_iter().collect()
        }
        _ => initialize.into_iter().collect(),
    }
}
