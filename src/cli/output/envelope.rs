//! The envelope: the machine-readable result of a run.

use std::ops::Not;

use serde::{Serialize, Serializer};
use wrun::session::{CallMetrics, Completion};
use wrun::value::base64::Base64Object;
use wrun::{CallResult, Captured, Frame, LimitExceeded, RuntimeKind, Trap};

use crate::cli::exit_code;
use crate::cli::failure::Failure;
use crate::cli::settings::RunSettings;

/// Everything known about a call so far.
#[derive(Debug, Default)]
pub(crate) struct CallSummary {
    pub(crate) function: Option<String>,
    /// The exported function that is running, for reports of signals and timeouts.
    pub(crate) running: Option<String>,
    /// The signature of the function of a batch.
    pub(crate) signature: Option<String>,
    pub(crate) result_types: Vec<String>,
    /// Whether this is a program, which has no result.
    pub(crate) is_program: bool,
    pub(crate) metrics: CallMetrics,
}

/// The envelope; docs/cli.md describes its shape, which is a contract.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<'a> {
    ok: bool,
    runtime: RuntimeKind,
    module: String,
    function: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a CallResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_types: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<GuestOutput>,
    #[serde(skip_serializing_if = "Not::not")]
    stdout_truncated: bool,
    /// The number of bytes that the guest wrote, if `stdout` has only the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<GuestOutput>,
    #[serde(skip_serializing_if = "Not::not")]
    stderr_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_bytes: Option<u64>,
    pub(crate) exit_code: u8,
    /// The code that the guest exited with; `exit_code` differs if wrun uses that code itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_exit_code: Option<i32>,
    metrics: &'a CallMetrics,
}

#[derive(Debug, Serialize)]
pub(super) struct ErrorReport<'a> {
    kind: &'static str,
    trap: Option<Trap>,
    message: &'a str,
    function: Option<&'a str>,
    backtrace: &'a [Frame],
    #[serde(skip_serializing_if = "Not::not")]
    backtrace_truncated: bool,
    limit: Option<LimitExceeded>,
    hints: &'a [String],
}

impl<'a> ErrorReport<'a> {
    /// Creates the report of a failure. `running` is the function that was running if the error does not say.
    pub(super) fn new(failure: &'a Failure, running: Option<&'a str>) -> Self {
        let error = failure.error.as_ref();
        Self {
            kind: failure.kind,
            trap: error.and_then(wrun::Error::trap_code),
            message: &failure.message,
            function: error.and_then(wrun::Error::function).or(running),
            backtrace: error.map(wrun::Error::backtrace).unwrap_or_default(),
            backtrace_truncated: error.is_some_and(wrun::Error::backtrace_is_truncated),
            limit: error.and_then(wrun::Error::limit_exceeded),
            hints: &failure.hints,
        }
    }
}

/// Captured output of a guest: a string if it is UTF-8, else bytes, or base64 in JSON.
#[derive(Debug)]
struct GuestOutput {
    bytes: Vec<u8>,
    /// The number of bytes that the guest wrote, if that is more than was kept.
    written: Option<u64>,
}

impl GuestOutput {
    fn new(captured: &Captured) -> Self {
        // The guest may still be writing, so the number of bytes comes first.
        let written = captured.written();
        let mut bytes = captured.contents();
        let written = Some(written).filter(|written| *written > bytes.len() as u64);
        if written.is_some()
            && let Err(error) = std::str::from_utf8(&bytes)
            && error.error_len().is_none()
        {
            // The output was cut inside a character.
            bytes.truncate(error.valid_up_to());
        }
        Self { bytes, written }
    }
}

impl Serialize for GuestOutput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) if serializer.is_human_readable() => Base64Object(&self.bytes).serialize(serializer),
            Err(_) => serializer.serialize_bytes(&self.bytes),
        }
    }
}

impl<'a> Envelope<'a> {
    /// Creates the envelope of a call that ended with `result`.
    pub(crate) fn new(settings: &RunSettings, call: &'a CallSummary, result: &'a Result<Completion, Failure>) -> Self {
        let failure = result.as_ref().err();
        let (returned, guest_exit_code) = match result {
            Ok(Completion::Returned(result)) => (Some(result), None),
            Ok(Completion::Exited(code)) => (None, Some(*code)),
            Err(_) => (None, None),
        };
        let exit_code = match (failure, guest_exit_code, returned) {
            (Some(failure), ..) => failure.exit_code,
            (None, Some(code), _) => exit_code::of_guest(code),
            (None, None, returned) => returned.map_or(0, exit_code::of_result),
        };
        let [stdout, stderr] = match &settings.captured {
            Some(streams) => streams.each_ref().map(|captured| Some(GuestOutput::new(captured))),
            None => [None, None],
        };
        let written = |output: &Option<GuestOutput>| output.as_ref().and_then(|output| output.written);
        let [stdout_bytes, stderr_bytes] = [written(&stdout), written(&stderr)];
        Self {
            ok: failure.is_none() && exit_code == 0,
            runtime: settings.guest.config.kind,
            module: settings.guest.module.display().to_string(),
            function: call.function.as_deref(),
            result: returned,
            result_types: returned.map(|_| &*call.result_types),
            error: failure.map(|failure| ErrorReport::new(failure, call.running.as_deref())),
            stdout,
            stdout_truncated: stdout_bytes.is_some(),
            stdout_bytes,
            stderr,
            stderr_truncated: stderr_bytes.is_some(),
            stderr_bytes,
            exit_code,
            guest_exit_code,
            metrics: &call.metrics,
        }
    }

    /// Returns a note for each captured output that was cut.
    pub(crate) fn notes(&self) -> Vec<String> {
        let outputs = [("output", &self.stdout), ("error", &self.stderr)];
        let note = |(name, output): (&str, &Option<GuestOutput>)| {
            let GuestOutput { bytes, written } = output.as_ref()?;
            let (kept, written) = (bytes.len(), (*written)?);
            Some(format!(
                "the envelope has only the first {kept} of the {written} bytes that the guest wrote to standard {name}; \
                 `--capture=SIZE` sets how many it keeps"
            ))
        };
        outputs.into_iter().filter_map(note).collect()
    }
}
