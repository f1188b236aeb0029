//! Programs that read their argument from standard input and write their result to standard output.

use super::Completion;
use crate::capabilities::{Capabilities, Captured, Input, MAX_CAPTURED_BYTES, Output};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::call::CallResult;
use crate::runtime::callable::{CallArgs, Callable, CallableType};
use crate::runtime::code::CodeInstance;

/// The standard input of one call.
#[derive(Debug)]
pub(super) struct ProgramStreams {
    input: Vec<u8>,
}

impl ProgramStreams {
    /// Returns the input for a call, if the callable reads its argument from standard input.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if the arguments do not fit.
    pub(super) fn of(callable: &Callable, args: &CallArgs) -> Result<Option<Self>> {
        let CallableType::Stdio(function, _) = callable.ty() else { return Ok(None) };
        let CallArgs::Component(args) = args else {
            let message = "the arguments do not have the types of the function";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        };
        function.input(args).map(|input| Some(Self { input }))
    }

    /// Returns `capabilities` with these streams, and the output.
    pub(super) fn replace_in(self, capabilities: &Capabilities) -> (Capabilities, ProgramOutput) {
        let captured = Captured::with_max_bytes(MAX_CAPTURED_BYTES);
        let mut capabilities = capabilities.clone();
        capabilities.stdin = Input::Bytes(self.input);
        capabilities.stdout = Output::Capture(captured.clone());
        (capabilities, ProgramOutput { captured })
    }
}

/// The standard output of one call.
#[derive(Debug)]
pub(super) struct ProgramOutput {
    captured: Captured,
}

impl ProgramOutput {
    /// Runs the program of `callable`, and returns its output as the result. The exit code 0 is a success.
    ///
    /// # Errors
    /// Those of [`CodeInstance::call`]; [`ErrorKind::Limit`] if it wrote more than [`MAX_CAPTURED_BYTES`].
    pub(super) fn run(&mut self, instance: &mut CodeInstance, callable: &Callable) -> Result<Completion> {
        let CallableType::Stdio(function, program) = callable.ty() else {
            return Err(Error::new(ErrorKind::InvalidArgument, "the instance was made for another callable"));
        };
        let no_args = CallArgs::Core(Vec::new());
        match instance.call(program, &no_args).map(Completion::Returned).or_else(Completion::from_error)? {
            Completion::Returned(_) | Completion::Exited(0) => {}
            exited @ Completion::Exited(_) => return Ok(exited),
        }
        let written = self.captured.written();
        if written > MAX_CAPTURED_BYTES as u64 {
            let message = format!(
                "the program wrote {written} bytes to standard output, but a result has at most {MAX_CAPTURED_BYTES}"
            );
            return Err(Error::new(ErrorKind::Limit, message));
        }
        let result = function.result(self.captured.take())?;
        Ok(Completion::Returned(CallResult::Component(Some(result), function.ty().clone())))
    }
}

/// Returns whether each call of `callable` needs a new instance.
pub(super) fn is_needed(callable: &Callable) -> bool {
    matches!(callable.ty(), CallableType::Stdio(..))
}
