//! Functions of WASIX that wrun replaces: `proc_exit` reports the full exit code, and functions that would start or copy
//! programs, or link code, always fail.

use wasmer::{AsStoreMut, Function, RuntimeError, Type, Value};
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

use crate::backends::wasmer::convert::func_type;
use crate::module::info::{ExternType, Import};
use crate::runtime::host::{Exit, HostFailure};

/// Returns the replacement of an imported function, if it has one.
pub(super) fn replacement(store: &mut impl AsStoreMut, import: &Import) -> Option<Function> {
    let ExternType::Func(ty) = &import.ty else { return None };
    let ty = func_type(ty)?;
    Some(match &*import.name {
        "proc_exit" | "proc_exit2" => Function::new(store, ty, |args| {
            let code = args.first().and_then(Value::i32).unwrap_or_default();
            Err(RuntimeError::user(Box::new(HostFailure(Box::new(Exit(code))))))
        }),
        name if is_unsupported(name) && ty.results() == [Type::I32] => {
            let errno = Value::I32(i32::from(Errno::Notsup as u16));
            Function::new(store, ty, move |_| Ok(vec![errno.clone()]))
        }
        name if is_unsupported(name) => {
            let message = format!("`{name}` is not supported");
            Function::new(store, ty, move |_| Err(RuntimeError::user(Box::new(HostFailure(message.as_str().into())))))
        }
        _ => return None,
    })
}

/// Returns whether a function always fails: with `notsup` if it returns an errno, else with a trap.
///
/// - Processes and snapshots: each would have a memory outside the limits.
/// - Coroutines and stack switching: the module would have to be transformed for them.
/// - Dynamic linking.
/// - `path_link`: WASIX reports success without creating a link.
fn is_unsupported(name: &str) -> bool {
    let prefixes =
        ["proc_exec", "proc_fork", "proc_spawn", "proc_snapshot", "stack_", "context_", "closure_", "dlopen", "dlsym"];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
        || matches!(name, "call_dynamic" | "reflect_signature" | "path_link")
}
