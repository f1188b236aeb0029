//! What of WASIX is done otherwise: a guest exits with the code it says, all of it; and what would start another program, copy
//! this one, or link code to it fails.

use wasmer::{AsStoreMut, Function, RuntimeError, Type, Value};
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

use crate::backends::wasmer::convert::func_type;
use crate::module::info::{ExternType, Import};
use crate::runtime::host::{Exit, HostFailure};

/// The function that an import gets in place of the one of WASIX, where there is one.
pub(super) fn replacement(store: &mut impl AsStoreMut, import: &Import) -> Option<Function> {
    let ExternType::Func(ty) = &import.ty else { return None };
    let ty = func_type(ty)?;
    Some(match &*import.name {
        "proc_exit" | "proc_exit2" => Function::new(store, ty, |args| {
            let code = args.first().and_then(Value::i32).unwrap_or_default();
            Err(RuntimeError::user(Box::new(HostFailure(Box::new(Exit(code))))))
        }),
        name if is_refused(name) && ty.results() == [Type::I32] => {
            let errno = Value::I32(i32::from(Errno::Notsup as u16));
            Function::new(store, ty, move |_| Ok(vec![errno.clone()]))
        }
        name if is_refused(name) => {
            let message = format!("`{name}` is not supported: a guest is one program, and stays it");
            Function::new(store, ty, move |_| Err(RuntimeError::user(Box::new(HostFailure(message.as_str().into())))))
        }
        _ => return None,
    })
}

/// Whether a function fails always: with an errno where it returns one, else with a trap. Processes and snapshots, since each
/// would have a memory of its own; coroutines and the saving of stacks, which need a guest transformed for that; dynamic
/// linking. And a second name for a file, which WASIX says it has made and has not.
fn is_refused(name: &str) -> bool {
    let refused =
        ["proc_exec", "proc_fork", "proc_spawn", "proc_snapshot", "stack_", "context_", "closure_", "dlopen", "dlsym"];
    refused.iter().any(|start| name.starts_with(start))
        || matches!(name, "call_dynamic" | "reflect_signature" | "path_link")
}
