//! `wrun diff --batch MODULE FUNCTION`: records from standard input, compared one by one.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use wrun::batch::{BatchInput, BatchOptions, DecodedRecord, Stop, read_records};
use wrun::compare::{CompareOptions, CompareSessions, Comparer, Comparison, Verdict};
use wrun::escape::Escaped;
use wrun::session::Event;

use super::compared;
use crate::cli::args::{InputFormat, ReportArgs, TextArgs};
use crate::cli::failure::Failure;
use crate::cli::output::{comparison, machine, printer};
use crate::cli::records::Records;
use crate::cli::settings::GuestSettings;
use crate::cli::supervisor::{Phase, Supervisor, SupervisorOptions};
use crate::cli::{exit_code, hints, input, run_watch, signals};

/// A record on which variants differ.
#[derive(Serialize)]
struct Differing<'a> {
    /// Counts from 1.
    record: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

/// How many records agreed, differed, or could not be compared.
#[derive(Default, Serialize)]
struct Summary {
    records: u64,
    same: u64,
    differ: u64,
    inconclusive: u64,
    invalid: u64,
    /// The reasons of the inconclusive ones.
    reasons: BTreeMap<String, u64>,
    /// The numbers of the first records of each reason.
    #[serde(skip)]
    places: BTreeMap<String, Vec<u64>>,
}

/// The most records that the summary names for each reason.
const MAX_NAMED: usize = 10;

/// Compares each record of standard input, and prints those that differ and a summary. Returns the exit code.
pub(super) fn main(
    guest: &GuestSettings,
    text: &TextArgs,
    options: CompareOptions,
    format: InputFormat,
    report: ReportArgs,
    mut supervised: SupervisorOptions,
) -> Result<u8, Failure> {
    if input::is_stdin(&guest.module) {
        return Err(Failure::both_from_stdin());
    }
    let mut record_options = BatchOptions::default();
    record_options.input = match format {
        InputFormat::Json => BatchInput::Json,
        InputFormat::Msgpack => BatchInput::Msgpack,
    };
    let no_socket = |error| Failure::io("cannot read standard input", &error);
    let (records, waker) = Records::new().map_err(no_socket)?;
    let stop = Arc::new(Stop::with_waker(move || waker.wake()));
    let stopped = Arc::clone(&stop);
    supervised.stop = Some(Box::new(move || stopped.request()));
    let compared = Supervisor::run(supervised, |supervisor| {
        let module = compared::read_module("diff", guest, false)?;
        let code = module.bytes().map_err(|error| Failure::module(&guest.module, &error))?;
        let sessions = CompareSessions::open(code, guest.function.as_deref(), options)?;
        compared::check(guest, text, sessions.info(), sessions.callable())?;
        let comparer = compared::compile(sessions, supervisor)?;
        supervisor.enter(Phase::ProcessingRecords);
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            printer::note("reading records from standard input", guest.quiet);
        }
        let mut summary = Summary::default();
        let mut reader = records.reader(&stop);
        run_watch::watch(supervisor, guest.limits.limits().time, exit_code::INCONCLUSIVE, |events| {
            read_records(comparer.callable(), &record_options, &mut reader, |record| {
                if stop.is_requested() {
                    Ok(())
                } else {
                    summary.compare(&comparer, record, events, report, guest.quiet)
                }
            })
        })??;
        printer::data(&machine::report(&summary, report, Summary::text))?;
        Ok(summary.exit_code())
    });
    if let Some(signal) = signals::caught() {
        signals::end_by(signal);
    }
    compared.map_err(|failure| hints::for_grant(failure, &guest.grants))
}

impl Summary {
    /// Compares a record, and prints it if variants differ.
    fn compare(
        &mut self,
        comparer: &Comparer,
        record: DecodedRecord<'_>,
        events: &dyn Fn(Event),
        report: ReportArgs,
        quiet: bool,
    ) -> Result<(), Failure> {
        let DecodedRecord { number, id, args, .. } = record;
        self.records += 1;
        let comparison = match args.and_then(|args| comparer.compare_with_events(args, events)) {
            Ok(comparison) => comparison,
            Err(error) => {
                self.invalid += 1;
                let failure = Failure::from(error);
                let message = format!("record {number}: {}", failure.message);
                let failure = Failure { message, ..failure };
                // Once, since many records can be invalid.
                let is_first = self.invalid == 1;
                let signature = is_first.then(|| format!("signature: {}", comparer.callable()));
                printer::failure(&signature.into_iter().fold(failure, Failure::hint), quiet);
                return Ok(());
            }
        };
        self.count(number, &comparison);
        if comparison.verdict != Verdict::Differ {
            return Ok(());
        }
        let text = |record: &Differing<'_>| {
            let id = record.id.as_ref().map(|id| format!(", id {}", Escaped(&id.to_string()))).unwrap_or_default();
            format!("record {number}{id}\n{}\n", comparison::text(record.comparison, printer::columns()))
        };
        printer::data(&machine::report(&Differing { record: number, id, comparison: &comparison }, report, text))
    }

    fn count(&mut self, record: u64, comparison: &Comparison) {
        match comparison.verdict {
            Verdict::Same => self.same += 1,
            Verdict::Differ => self.differ += 1,
            Verdict::Inconclusive => {
                self.inconclusive += 1;
                let reason = comparison.inconclusive.first().map_or("", |inconclusive| inconclusive.kind());
                *self.reasons.entry(reason.to_owned()).or_default() += 1;
                let places = self.places.entry(reason.to_owned()).or_default();
                if places.len() < MAX_NAMED {
                    places.push(record);
                }
            }
        }
    }

    fn text(&self) -> String {
        let Self { records, same, differ, inconclusive, invalid, reasons, places } = self;
        let s = if *records == 1 { "" } else { "s" };
        let mut text = format!("{records} record{s}: {same} same, {differ} differ, {inconclusive} inconclusive");
        if *invalid > 0 {
            text += &format!(", {invalid} invalid");
        }
        text.push('\n');
        for (reason, count) in reasons {
            let places: Vec<_> = places.get(reason).into_iter().flatten().map(u64::to_string).collect();
            let (s, more) = (if *count == 1 { "" } else { "s" }, if *count > MAX_NAMED as u64 { ", …" } else { "" });
            text += &format!("{count} {} (record{s} {}{more})\n", Escaped(reason), places.join(", "));
        }
        text
    }

    /// Returns the exit code: that of one comparison, or [`exit_code::INCONCLUSIVE`] if a record is invalid.
    fn exit_code(&self) -> u8 {
        match self {
            Self { invalid: 1.., .. } => exit_code::INCONCLUSIVE,
            Self { differ: 1.., .. } => exit_code::DIFFERENT,
            Self { inconclusive: 1.., .. } => exit_code::INCONCLUSIVE,
            _ => 0,
        }
    }
}
