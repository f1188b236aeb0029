//! The machine-readable answer: what ran, what came of it, what it took.

use base64::Engine as _;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use wrun::session::{CallMetrics, Completion, Event};
use wrun::value::serial::Results;
use wrun::{Frame, LimitExceeded, RuntimeKind, Trap};

use crate::cli::exit_code;
use crate::cli::failure::Failure;
use crate::cli::settings::RunSettings;

/// What is known of a call, as far as it got.
#[derive(Debug)]
pub(crate) struct Call {
    /// What it is at.
    pub(crate) phase: &'static str,
    /// Whether that is guest code, which the library stops when its time is up.
    pub(crate) guest_runs: bool,
    pub(crate) function: Option<String>,
    pub(crate) result_types: Vec<String>,
    pub(crate) metrics: CallMetrics,
}

impl Default for Call {
    fn default() -> Self {
        let metrics = CallMetrics::default();
        Self { phase: "reading the module", guest_runs: false, function: None, result_types: Vec::new(), metrics }
    }
}

impl Call {
    /// Notes what happens.
    pub(crate) fn note(&mut self, event: Event) {
        match event {
            Event::Compiling { .. } => self.phase = "compiling",
            Event::Instantiating => (self.phase, self.guest_runs) = ("instantiating", true),
            Event::Calling => self.phase = "the guest ran",
            _ => {}
        }
        self.metrics = self.metrics.with(event);
    }
}

/// See "Envelope" in the README; the shape is a contract.
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
    stdout: Option<Written>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<Written>,
    exit_code: u8,
    /// The guest's own code, where it ended itself; `exit_code` stands for it where it is none of wrun's.
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

/// What a guest wrote: text, where it is text.
#[derive(Debug)]
struct Written(Vec<u8>);

impl Serialize for Written {
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
    /// The envelope of a call that ended in `result`.
    pub(crate) fn new(settings: &RunSettings, call: &'a Call, result: &'a Result<Completion, Failure>) -> Self {
        let failure = result.as_ref().err();
        let (values, guest_exit_code) = match result {
            Ok(Completion::Returned(values)) => (Some(values), None),
            Ok(Completion::Exited(code)) => (None, Some(*code)),
            Err(_) => (None, None),
        };
        let exited = guest_exit_code.map_or(0, exit_code::of_guest);
        let written = |which: usize| settings.captured.as_ref().map(|both| Written(both[which].contents()));
        Self {
            ok: failure.is_none() && guest_exit_code.unwrap_or(0) == 0,
            runtime: settings.config.kind,
            module: settings.module.display().to_string(),
            function: call.function.as_deref(),
            result: values.map(|values| Results(values)),
            result_types: values.map(|_| &*call.result_types),
            error: failure.map(ErrorReport::new),
            stdout: written(0),
            stderr: written(1),
            exit_code: failure.map_or(exited, |failure| failure.exit_code),
            guest_exit_code,
            metrics: &call.metrics,
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }
}

impl<'a> ErrorReport<'a> {
    fn new(failure: &'a Failure) -> Self {
        let error = failure.error.as_ref();
        Self {
            kind: failure.kind,
            trap: error.and_then(wrun::Error::trap_code),
            message: &failure.message,
            function: error.and_then(wrun::Error::function),
            backtrace: error.map(wrun::Error::backtrace).unwrap_or_default(),
            limit: error.and_then(wrun::Error::limit_exceeded),
            hints: &failure.hints,
        }
    }
}
