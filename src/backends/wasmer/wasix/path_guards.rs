//! Guards for functions of WASIX that panic on some paths. The guarded functions return an errno instead.

use wasmer::{AsStoreMut, Function, FunctionEnv, FunctionEnvMut, Value};
use wasmer_wasix::WasiEnv;
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

use super::fs;

/// The guarded functions, each with the index of the argument that points to the path; the next argument is its length.
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
