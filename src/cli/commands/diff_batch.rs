//! `wrun diff --batch MODULE FUNCTION`: records from standard input, compared one by one.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use wrun::CallArgs;
use wrun::batch::Stop;
use wrun::compare::{CompareOptions, Comparer, Comparison, Verdict};
use wrun::escape::Escaped;
use wrun::session::Event;

use super::diff;
use crate::cli::args::{OutputFormat, ReportArgs};
use crate::cli::failure::Failure;
use crate::cli::output::{comparison, machine, printer};
use crate::cli::records::Records;
use crate::cli::settings::GuestSettings;
use crate::cli::supervisor::{Phase, Supervisor, SupervisorOptions};
use crate::cli::{exit_code, hints, input, run_watch, signals};

/// A record that names its arguments, as in `wrun batch`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    args: &'a RawValue,
}

/// A record on which variants differ.
#[derive(Serialize)]
struct Record<'a> {
    /// Counts from 1.
    record: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

/// What the records showed.
#[derive(Default, Serialize)]
struct Summary {
    records: u64,
    same: u64,
    differ: u64,
    inconclusive: u64,
    invalid: u64,
    /// The reasons of the inconclusive ones.
    reasons: BTreeMap<String, u64>,
}

/// Compares each record of standard input, and prints those that differ and a summary. Returns the exit code.
pub(super) fn main(
    guest: &GuestSettings,
    options: CompareOptions,
    report: ReportArgs,
    mut supervised: SupervisorOptions,
) -> Result<u8, Failure> {
    let no_socket = |error| Failure::io("cannot read standard input", &error);
    let (records, waker) = Records::new().map_err(no_socket)?;
    let stop = Arc::new(Stop::with_waker(move || waker.wake()));
    let stopped = Arc::clone(&stop);
    supervised.stop = Some(Box::new(move || stopped.request()));
    let compared = Supervisor::run(supervised, |supervisor| {
        if input::is_stdin(&guest.module) {
            return Err(Failure::both_from_stdin());
        }
        let module = diff::read_module(guest, false)?;
        let code = module.bytes().map_err(|error| Failure::module(&guest.module, &error))?;
        let comparer = diff::open(code, guest, options)?.compile(&|event| supervisor.observe(event));
        supervisor.enter(Phase::ProcessingRecords);
        let limit = guest.limits.limits().time;
        run_watch::watch(supervisor, limit, |events| {
            compare_all(&comparer, &records, &stop, events, report, guest.quiet)
        })?
    });
    compared.map_err(|failure| hints::for_grant(failure, &guest.grants))
}

fn compare_all(
    comparer: &Comparer,
    records: &Records,
    stop: &Arc<Stop>,
    events: &dyn Fn(Event),
    report: ReportArgs,
    quiet: bool,
) -> Result<u8, Failure> {
    let mut input = BufReader::new(records.reader(stop));
    let (mut summary, mut line) = (Summary::default(), Vec::new());
    loop {
        line.clear();
        let length = input.read_until(b'\n', &mut line);
        let length = length.map_err(|error| Failure::io("cannot read standard input", &error))?;
        if length == 0 || stop.is_requested() {
            break;
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            summary.records += 1;
            compare(comparer, text, &mut summary, events, report, quiet)?;
        }
    }
    let bytes = match report.output {
        OutputFormat::Text => summary.text().into_bytes(),
        OutputFormat::Json | OutputFormat::Msgpack => machine::encode(&summary, report),
    };
    printer::data(&bytes)?;
    if let Some(signal) = signals::caught() {
        signals::end_by(signal);
    }
    Ok(summary.exit_code())
}

fn compare(
    comparer: &Comparer,
    line: &[u8],
    summary: &mut Summary,
    events: &dyn Fn(Event),
    report: ReportArgs,
    quiet: bool,
) -> Result<(), Failure> {
    let (id, args) = decode(comparer, line);
    let compared = args.and_then(|args| comparer.compare_with_events(&args, events));
    let comparison = match compared {
        Ok(comparison) => comparison,
        Err(error) => {
            summary.invalid += 1;
            let failure = Failure::from(error);
            let message = format!("record {}: {}", summary.records, failure.message);
            printer::failure(&Failure { message, ..failure }, quiet);
            return Ok(());
        }
    };
    summary.count(&comparison);
    if comparison.verdict != Verdict::Differ {
        return Ok(());
    }
    let record = Record { record: summary.records, id, comparison: &comparison };
    let text = |record: &Record<'_>| {
        let id = record.id.map(|id| format!(", id {}", Escaped(id.get()))).unwrap_or_default();
        format!("record {}{id}\n{}\n", record.record, comparison::text(record.comparison))
    };
    printer::data(&machine::report(&record, report, text))
}

/// Decodes an array of arguments, a bare value for one parameter, or an object with `args` and perhaps `id`.
fn decode<'a>(comparer: &Comparer, line: &'a [u8]) -> (Option<&'a RawValue>, wrun::Result<CallArgs>) {
    let call = Some(line).filter(|line| line.first() == Some(&b'{'));
    match call.and_then(|line| serde_json::from_slice::<Call<'_>>(line).ok()) {
        Some(Call { id, args }) => (id, comparer.callable().decode_json(args.get().as_bytes())),
        None => (None, comparer.callable().decode_json(line)),
    }
}

impl Summary {
    fn count(&mut self, comparison: &Comparison) {
        match comparison.verdict {
            Verdict::Same => self.same += 1,
            Verdict::Differ => self.differ += 1,
            Verdict::Inconclusive => {
                self.inconclusive += 1;
                let reason = comparison.inconclusive.first().map_or("", |inconclusive| inconclusive.kind());
                *self.reasons.entry(reason.to_owned()).or_default() += 1;
            }
        }
    }

    fn text(&self) -> String {
        let Self { records, same, differ, inconclusive, invalid, reasons } = self;
        let mut text = format!("{records} records: {same} same, {differ} differ, {inconclusive} inconclusive");
        if *invalid > 0 {
            text += &format!(", {invalid} invalid");
        }
        text.push('\n');
        text + &reasons.iter().map(|(reason, count)| format!("{count} {}\n", Escaped(reason))).collect::<String>()
    }

    /// As for one comparison; invalid records are trouble, whatever the others show.
    fn exit_code(&self) -> u8 {
        match self {
            Self { invalid: 1.., .. } => exit_code::TROUBLE,
            Self { differ: 1.., .. } => exit_code::DIFFERENT,
            Self { inconclusive: 1.., .. } => exit_code::TROUBLE,
            _ => 0,
        }
    }
}
