//! The envelope of a batch, for `--metrics`.

use serde::Serialize;
use wrun::RuntimeKind;
use wrun::batch::BatchReport;
use wrun::session::CacheUse;

use super::envelope::{CallSummary, ErrorReport};
use crate::cli::failure::Failure;
use crate::cli::settings::GuestSettings;

/// The envelope; docs/batch.md describes its shape, which is a contract.
#[derive(Debug, Serialize)]
pub(crate) struct BatchEnvelope<'a> {
    ok: bool,
    runtime: RuntimeKind,
    module: String,
    function: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorReport<'a>>,
    /// The record that ended the batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    exit_code: u8,
    metrics: Metrics,
    /// Null if the batch did not begin.
    batch: Option<&'a BatchReport>,
}

/// Measurements made once per batch. Times are in nanoseconds.
#[derive(Debug, Serialize)]
struct Metrics {
    load_ns: Option<u64>,
    compile_ns: Option<u64>,
    cache: CacheUse,
    total_ns: Option<u64>,
    compiled_bytes: Option<u64>,
}

impl<'a> BatchEnvelope<'a> {
    pub(crate) fn new(
        guest: &'a GuestSettings,
        call: &'a CallSummary,
        failure: Option<&'a Failure>,
        record: Option<u64>,
        exit_code: u8,
        batch: Option<&'a BatchReport>,
    ) -> Self {
        let metrics = call.metrics;
        let runs = |failure: &Failure| record.is_some() && failure.kind != "invalid_argument";
        Self {
            ok: exit_code == 0,
            runtime: guest.config.kind,
            module: guest.module.display().to_string(),
            function: call.function.as_deref(),
            error: failure.map(|failure| ErrorReport::new(failure, call.function.as_deref().filter(|_| runs(failure)))),
            record,
            exit_code,
            metrics: Metrics {
                load_ns: metrics.load_ns,
                compile_ns: metrics.compile_ns,
                cache: metrics.cache,
                total_ns: metrics.total_ns,
                compiled_bytes: metrics.compiled_bytes,
            },
            batch,
        }
    }
}
