//! Functions of WASIX that wrun replaces: `proc_exit` reports the full exit code, functions that would start or copy
//! programs, or link code, always fail, and functions that panic on some paths return an errno instead.

use wasmer::{AsStoreMut, Function, FunctionEnv, FunctionEnvMut, RuntimeError, Type, Value};
use wasmer_wasix::WasiEnv;
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

use super::fs;
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

/// The functions that panic on some paths, each with the index of the argument that points to the path; the next argument is its length.
pub(super) const GUARDED: &[(&str, usize)] = &[("path_rename", 4), ("path_symlink", 3), ("path_unlink_file", 1)];

/// Wraps a function of [`GUARDED`].
///
/// `path_symlink` and `path_unlink_file` panic on a path that ends in a link and `/.`; paths that end in `/.` are refused.
/// `path_rename` panics after moving a file to a path with a trailing slash; only directories are moved there, as POSIX demands.
pub(super) fn guard(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<WasiEnv>,
    path: usize,
    renames: bool,
    function: Function,
) -> Function {
    let ty = function.ty(store);
    Function::new_with_env(store, env, ty, move |mut env, args| {
        let end = path_end(&env, &args[path..]);
        if renames {
            fs::rename_only_dirs(end[1] == b'/');
        } else if end == *b"/." {
            return Ok(vec![Value::I32(i32::from(Errno::Notdir as u16))]);
        }
        Ok(function.call(&mut env, args)?.into_vec())
    })
}

/// Returns the last two bytes of a path, given its pointer and length; zeros if there are none.
fn path_end(env: &FunctionEnvMut<'_, WasiEnv>, args: &[Value]) -> [u8; 2] {
    let mut end = [0; 2];
    if let ([Value::I32(pointer), Value::I32(length), ..], Some(memory)) = (args, env.data().try_memory_view(env))
        && *length >= 2
    {
        // WASIX returns the errno of a path outside the memory.
        let _ = memory.read(u64::from(pointer.cast_unsigned()) + u64::from(length.cast_unsigned()) - 2, &mut end);
    }
    end
}
