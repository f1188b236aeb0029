//! The machine-readable answer: what ran, what came of it, what it took.

use serde::Serialize;
use wrun::session::{CallMetrics, Event};
use wrun::value::serial::Results;
use wrun::{Frame, LimitExceeded, RuntimeKind, Trap, Value};

use crate::cli::failure::Failure;
use crate::cli::settings::RunSettings;

/// What is known of a call, as far as it got.
#[derive(Debug)]
pub(crate) struct Call {
    /// What it is at.
    pub(crate) phase: &'static str,
    pub(crate) function: Option<String>,
    pub(crate) result_types: Vec<String>,
    pub(crate) metrics: CallMetrics,
}

impl Default for Call {
    fn default() -> Self {
        let metrics = CallMetrics::default();
        Self { phase: "reading the module", function: None, result_types: Vec::new(), metrics }
    }
}

impl Call {
    /// Notes what happens.
    pub(crate) fn note(&mut self, event: Event) {
        match event {
            Event::Compiling(_) => self.phase = "compiling",
            Event::Instantiating => self.phase = "instantiating",
            Event::Calling => self.phase = "the guest ran",
            Event::Measured(mut metrics) => {
                metrics.load_ns = self.metrics.load_ns;
                self.metrics = metrics;
            }
            _ => {}
        }
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
    exit_code: u8,
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

impl<'a> Envelope<'a> {
    /// The envelope of a call that ended in `result`.
    pub(crate) fn new(settings: &RunSettings, call: &'a Call, result: &'a Result<Vec<Value>, Failure>) -> Self {
        let failure = result.as_ref().err();
        Self {
            ok: failure.is_none(),
            runtime: settings.config.kind,
            module: settings.module.display().to_string(),
            function: call.function.as_deref(),
            result: result.as_ref().ok().map(|values| Results(values)),
            result_types: failure.is_none().then_some(&call.result_types),
            error: failure.map(ErrorReport::new),
            exit_code: failure.map_or(0, |failure| failure.exit_code),
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
