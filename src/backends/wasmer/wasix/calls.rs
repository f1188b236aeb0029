//! Helpers for functions that wrap WASIX functions to correct them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wasmer::{AsStoreMut, Function, FunctionEnv, FunctionEnvMut, FunctionType, RuntimeError, Value};
use wasmer_wasix::WasiEnv;
use wasmer_wasix::wasmer_wasix_types::wasi::Errno;

pub(super) type Env<'e> = FunctionEnvMut<'e, WasiEnv>;
/// An errno, or the end of the program.
pub(super) type CallResult = Result<i32, RuntimeError>;

/// The maximum number of descriptors of a guest. WASIX has the same limit, but only for numbers that the guest chooses.
pub(super) const MAX_DESCRIPTORS: u32 = 64 * 1024;
/// The flags of writes that wait for the disk: `dsync`, `rsync` and `sync`. WASIX accepts and ignores them.
pub(super) const SYNC: i32 = 2 | 8 | 16;

/// Creates a function that returns an errno.
pub(super) fn function(
    store: &mut impl AsStoreMut,
    env: &FunctionEnv<WasiEnv>,
    ty: FunctionType,
    call: impl Fn(&mut Env<'_>, &[Value]) -> CallResult + Send + Sync + 'static,
) -> Function {
    Function::new_with_env(store, env, ty, move |mut env, args| Ok(vec![Value::I32(caught(|| call(&mut env, args))?)]))
}

/// Makes a call. Returns `io` if WASIX panics. A lock that WASIX held then stays poisoned, so later calls can panic as well.
pub(super) fn caught(call: impl FnOnce() -> CallResult) -> CallResult {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Ok(number(Errno::Io)))
}

/// Calls a function that returns an errno.
pub(super) fn call(function: &Function, env: &mut Env<'_>, args: &[Value]) -> CallResult {
    let results = function.call(env, args)?;
    Ok(results.first().and_then(Value::i32).unwrap_or_default())
}

pub(super) fn number(errno: Errno) -> i32 {
    i32::from(errno as u16)
}

/// Returns whether this descriptor is open.
pub(super) fn is_open(env: &Env<'_>, descriptor: u32) -> bool {
    matches!(env.data().std_dev_get(descriptor), Ok(Some(_)))
}

/// Returns whether all descriptors with this number or a greater one are in use. WASIX opens the lowest free one.
pub(super) fn has_all_descriptors(env: &Env<'_>, from: u32) -> bool {
    is_open(env, MAX_DESCRIPTORS - 1) && (from..MAX_DESCRIPTORS).all(|descriptor| is_open(env, descriptor))
}

/// Returns the bytes at an address of the guest's memory.
pub(super) fn read<const N: usize>(env: &Env<'_>, address: u64) -> Result<[u8; N], Errno> {
    let mut bytes = [0; N];
    let view = env.data().try_memory_view(env).ok_or(Errno::Fault)?;
    view.read(address, &mut bytes).map_err(|_| Errno::Fault)?;
    Ok(bytes)
}

/// Writes bytes to an address of the guest's memory.
pub(super) fn write(env: &Env<'_>, address: u64, bytes: &[u8]) -> Result<(), Errno> {
    let view = env.data().try_memory_view(env).ok_or(Errno::Fault)?;
    view.write(address, bytes).map_err(|_| Errno::Fault)
}

/// Returns a pointer, or another unsigned number, from the arguments of a call.
pub(super) fn unsigned(args: &[Value], index: usize) -> u32 {
    args.get(index).and_then(Value::i32).unwrap_or_default().cast_unsigned()
}
