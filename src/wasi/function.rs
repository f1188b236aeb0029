//! A function of WASI as a host function.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime_wasi::p1::types::Errno;
use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1;
use wiggle::{GuestError, GuestMemory};

use super::output::BrokenPipe;
use super::state::WasiState;
use crate::error::ErrorKind;
use crate::runtime::host::{Exit, HostContext, HostError, HostFunction, InterruptToken};
use crate::value::types::{FuncType, ValType, Value};

/// The export that WASI reads and writes.
const MEMORY: &str = "memory";
const NO_MEMORY: &str = "the module exports no memory named `memory`, which WASI needs to read and write";

/// The maximum number of bytes that one call may copy from the guest. Calls that use its memory in place have no limit.
pub(super) const MAX_COPIED: usize = 128 << 20;

/// The context of one call.
pub(super) struct HostCall<'c, 'm> {
    pub(super) state: &'c mut WasiState,
    pub(super) memory: &'c mut GuestMemory<'m>,
    pub(super) interrupt_token: &'c InterruptToken,
}

impl<'m> HostCall<'_, 'm> {
    /// Reborrows the context, for one of several calls.
    pub(super) fn again(&mut self) -> HostCall<'_, 'm> {
        HostCall { state: self.state, memory: self.memory, interrupt_token: self.interrupt_token }
    }
}

/// A function of WASI. It returns an errno, except `proc_exit`, which does not return.
pub(super) struct WasiFunction {
    pub(super) name: &'static str,
    pub(super) params: &'static [ValType],
    pub(super) results: &'static [ValType],
    pub(super) call: fn(HostCall<'_, '_>, &[Value]) -> Result<i32, HostError>,
}

impl WasiFunction {
    /// Returns its type.
    pub(super) fn ty(&self) -> FuncType {
        FuncType::new(self.params, self.results)
    }

    /// Creates the host function that calls it with this state.
    pub(super) fn host_function(&'static self, state: &Arc<Mutex<WasiState>>) -> HostFunction {
        let state = Arc::clone(state);
        HostFunction::new(self.ty(), move |context, args| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.wasi.set_hostcall_fuel(MAX_COPIED);
            let errno = with_memory(context, |memory, interrupt_token| {
                (self.call)(HostCall { state: &mut state, memory, interrupt_token }, args)
            })
            .or_else(errno_of)?;
            Ok(vec![Value::I32(errno)])
        })
    }
}

/// Calls with the guest's memory, or with an empty one if the guest exports none.
fn with_memory(
    context: &mut dyn HostContext,
    mut call: impl FnMut(&mut GuestMemory<'_>, &InterruptToken) -> Result<i32, HostError>,
) -> Result<i32, HostError> {
    let interrupt_token = context.interrupt_token();
    let mut result = None;
    let opened = context.memory(MEMORY, &mut |bytes| {
        result = Some(call(&mut GuestMemory::Unshared(bytes), &interrupt_token));
    });
    match (opened, result) {
        (_, Some(result)) => result,
        (Err(error), None) if error.kind() == ErrorKind::UnknownExport => {
            let errno = call(&mut GuestMemory::Unshared(&mut []), &interrupt_token).or_else(errno_of)?;
            // Any pointer is out of bounds in an empty memory. The guest cannot make this call without a memory.
            if errno == i32::from(Errno::Fault as u16) { Err(NO_MEMORY.into()) } else { Ok(errno) }
        }
        (Err(error), None) => Err(error.into()),
        (Ok(()), None) => Err("the guest's memory is unavailable".into()),
    }
}

/// Converts a failure of wasmtime-wasi. A broken pipe makes the guest exit with 0.
pub(super) fn host_error(error: &wiggle::error::Error) -> HostError {
    if let Some(error) = error.downcast_ref::<GuestError>() {
        return guest_errno(error).into();
    }
    match error.downcast_ref() {
        Some(BrokenPipe) => Exit(0).into(),
        None => format!("{error:#}").into(),
    }
}

/// Returns the errno of a failed call.
///
/// # Errors
/// Returns an error unchanged if the guest cannot handle it: an interrupt, an exit, a failure of wrun.
pub(super) fn errno_of(error: HostError) -> Result<i32, HostError> {
    let errno = error.downcast_ref::<Errno>().copied().or_else(|| error.downcast_ref().map(guest_errno));
    errno.map(|errno| i32::from(errno as u16)).ok_or(error)
}

/// Returns the errno for an invalid argument. wiggle's functions would trap, as early versions of the specification required.
fn guest_errno(error: &GuestError) -> Errno {
    match error {
        GuestError::InFunc { err, .. } => guest_errno(err),
        GuestError::PtrOutOfBounds(_) | GuestError::PtrOverflow | GuestError::SliceLengthsDiffer => Errno::Fault,
        GuestError::InvalidUtf8(_) => Errno::Ilseq,
        // The only conversions of integers are to enums and flags.
        GuestError::InvalidEnumValue(_)
        | GuestError::InvalidFlagValue(_)
        | GuestError::TryFromIntError(_)
        | GuestError::PtrNotAligned(..) => Errno::Inval,
    }
}
