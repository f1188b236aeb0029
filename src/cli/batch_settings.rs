//! The settings of a batch.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::thread;

use wrun::batch::{BatchInput, BatchOptions, BatchOutput, OnError};
use wrun::session::InstanceMode;
use wrun::{Abi, RuntimeConfig, TextOptions};

use super::args::{CallArgs, OutputFormat, RecordArgs, ReportArgs};
use super::provenance::{Provenance, WithProvenance};
use super::settings::GuestSettings;

/// The settings of a batch.
#[derive(Debug)]
pub(crate) struct BatchSettings {
    pub(crate) guest: GuestSettings,
    pub(crate) text: TextOptions,
    pub(crate) input: WithProvenance<BatchInput>,
    pub(crate) output: WithProvenance<BatchOutput>,
    pub(crate) on_error: WithProvenance<OnError>,
    pub(crate) jobs: WithProvenance<NonZeroUsize>,
    pub(crate) instance: WithProvenance<InstanceMode>,
    pub(crate) ordered: WithProvenance<bool>,
    /// In bytes.
    pub(crate) max_record: WithProvenance<u64>,
    columns: Option<Vec<String>>,
    header: bool,
    pub(crate) errors: Option<PathBuf>,
    pub(crate) metrics: Option<PathBuf>,
}

impl BatchSettings {
    /// Merges the options with the defaults.
    pub(crate) fn resolve(guest: GuestSettings, text: TextOptions, records: RecordArgs, calls: CallArgs) -> Self {
        let jobs = match calls.jobs {
            Some(jobs) => WithProvenance::new(jobs, Provenance::Flag),
            None if guest.function.is_none() && text.abi.is_none() => {
                // One instance is driven.
                WithProvenance::new(NonZeroUsize::MIN, Provenance::Default)
            }
            // Respects the affinity mask and the CPU quota of the control group.
            None => {
                let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
                WithProvenance::new(cores, Provenance::Default)
            }
        };
        Self {
            guest,
            text,
            input: or_default(records.input),
            output: or_default(records.output),
            on_error: or_default(calls.on_error),
            jobs,
            instance: or_default(calls.instance),
            ordered: or_else((calls.unordered).then_some(false), true),
            max_record: or_else(records.max_record, BatchOptions::MAX_RECORD as u64),
            columns: records.columns,
            header: !records.no_header,
            errors: calls.errors,
            metrics: records.metrics,
        }
    }

    /// Returns the configuration of the runtime, which keeps memories for new instances if each call has one.
    pub(crate) fn config(&self) -> RuntimeConfig {
        let config = self.guest.config.clone();
        let jobs = u32::try_from(self.jobs.value.get()).ok().and_then(NonZeroU32::new);
        // A program that reads its argument from standard input has a new instance for each call.
        let is_per_call = self.instance.value == InstanceMode::PerCall || self.text.abi == Some(Abi::Stdio);
        match jobs {
            Some(jobs) if is_per_call => config.with_pooled_instances(jobs),
            _ => config,
        }
    }

    /// Returns the options as the library takes them.
    pub(crate) fn options(&self) -> BatchOptions {
        let mut options = BatchOptions::default();
        (options.input, options.output, options.on_error) = (self.input.value, self.output.value, self.on_error.value);
        (options.jobs, options.ordered) = (self.jobs.value, self.ordered.value);
        options.worker.instance = self.instance.value;
        options.worker.limits = self.guest.limits.limits();
        options.max_record = usize::try_from(self.max_record.value).unwrap_or(usize::MAX);
        (options.columns, options.header) = (self.columns.clone(), self.header);
        options.worker.measure_time = self.metrics.is_some();
        options
    }

    /// Returns the format of `--explain`: text, unless `--output` asks for JSON or MessagePack.
    pub(crate) fn explanation_format(&self) -> ReportArgs {
        let output = match (self.output.from, self.output.value) {
            (Provenance::Flag, BatchOutput::Json) => OutputFormat::Json,
            (Provenance::Flag, BatchOutput::Msgpack) => OutputFormat::Msgpack,
            _ => OutputFormat::Text,
        };
        ReportArgs { output, pretty: false }
    }
}

fn or_default<T: Default>(flag: Option<T>) -> WithProvenance<T> {
    or_else(flag, T::default())
}

fn or_else<T>(flag: Option<T>, default: T) -> WithProvenance<T> {
    match flag {
        Some(value) => WithProvenance::new(value, Provenance::Flag),
        None => WithProvenance::new(default, Provenance::Default),
    }
}
