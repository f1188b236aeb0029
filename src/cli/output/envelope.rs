//! The envelope: the machine-readable result of a run.

use base64::Engine as _;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use wrun::session::{CallMetrics, Completion};
use wrun::value::serial::Results;
use wrun::{Frame, LimitExceeded, RuntimeKind, Trap};

use crate::cli::exit_code;
use crate::cli::failure::Failure;
use crate::cli::settings::RunSettings;

/// Everything known about a call so far.
#[derive(Debug, Default)]
pub(crate) struct CallSummary {
    pub(crate) function: Option<String>,
    pub(crate) result_types: Vec<String>,
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
    result: Option<Results<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_types: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorReport<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<GuestOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<GuestOutput>,
    pub(crate) exit_code: u8,
    /// The code that the guest exited with; `exit_code` differs if wrun uses that code itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    guest_exit_code: Option<i32>,
    metrics: &'a CallMetrics,
}

#[derive(Debug, Serialize)]
struct ErrorReport<'a> {
    kind: &'static str,
    trap: Option<Trap>,
    message: &'a str,
    function: Option<&'a str>,
    backtrace: &'a [Frame],
    limit: Option<LimitExceeded>,
    hints: &'a [String],
}

/// Captured output of a guest: a string if it is UTF-8, else bytes, or base64 in JSON.
#[derive(Debug)]
struct GuestOutput(Vec<u8>);

impl Serialize for GuestOutput {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) if serializer.is_human_readable() => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("base64", &base64::engine::general_purpose::STANDARD.encode(&self.0))?;
                map.end()
            }
            Err(_) => serializer.serialize_bytes(&self.0),
        }
    }
}

impl<'a> Envelope<'a> {
    /// Creates the envelope of a call that ended with `result`.
    pub(crate) fn new(settings: &RunSettings, call: &'a CallSummary, result: &'a Result<Completion, Failure>) -> Self {
        let failure = result.as_ref().err();
        let error = failure.and_then(|failure| failure.error.as_ref());
        let (values, guest_exit_code) = match result {
            Ok(Completion::Returned(values)) => (Some(values), None),
            Ok(Completion::Exited(code)) => (None, Some(*code)),
            Err(_) => (None, None),
        };
        let exited = guest_exit_code.map_or(0, exit_code::of_guest);
        let captured =
            |stream: usize| settings.captured.as_ref().map(|streams| GuestOutput(streams[stream].contents()));
        Self {
            ok: failure.is_none() && guest_exit_code.unwrap_or(0) == 0,
            runtime: settings.config.kind,
            module: settings.module.display().to_string(),
            function: call.function.as_deref(),
            result: values.map(|values| Results(values)),
            result_types: values.map(|_| &*call.result_types),
            error: failure.map(|failure| ErrorReport {
                kind: failure.kind,
                trap: error.and_then(wrun::Error::trap_code),
                message: &failure.message,
                function: error.and_then(wrun::Error::function),
                backtrace: error.map(wrun::Error::backtrace).unwrap_or_default(),
                limit: error.and_then(wrun::Error::limit_exceeded),
                hints: &failure.hints,
            }),
            stdout: captured(0),
            stderr: captured(1),
            exit_code: failure.map_or(exited, |failure| failure.exit_code),
            guest_exit_code,
            metrics: &call.metrics,
        }
    }
}
