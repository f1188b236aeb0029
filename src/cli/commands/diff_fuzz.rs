//! `wrun diff --fuzz N`

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::HumanCount;
use serde::Serialize;
use wrun::CallArgs;
use wrun::compare::fuzz::{self, Finding, FuzzCounters, FuzzOptions, FuzzReport, Signature};
use wrun::compare::{Comparer, Variant};
use wrun::escape::Escaped;

use crate::cli::args::{FuzzArgs, ReportArgs};
use crate::cli::failure::Failure;
use crate::cli::output::{machine, printer};
use crate::cli::settings::{Arguments, GuestSettings};
use crate::cli::supervisor::{Phase, Supervisor, SupervisorOptions};
use crate::cli::{exit_code, repro, signals};

/// A generated module on which variants differ.
#[derive(Serialize)]
struct Found {
    number: u64,
    #[serde(flatten)]
    signature: Signature,
    function: String,
    args: Vec<String>,
    bytes: usize,
    bytes_before: usize,
    #[serde(serialize_with = "machine::path")]
    repro: PathBuf,
}

#[derive(Serialize)]
struct Report {
    seed: u64,
    first: u64,
    #[serde(flatten)]
    counts: FuzzReport,
    findings: Vec<Found>,
}

/// The counters of a run and how it is stopped.
#[derive(Clone, Default)]
struct Fuzz {
    counters: Arc<FuzzCounters>,
    stop: Arc<AtomicBool>,
}

/// Compares generated modules, and writes the differences to directories. Returns the exit code.
pub(super) fn main(
    args: &FuzzArgs,
    variants: Vec<Variant>,
    dir: Option<PathBuf>,
    guest: GuestSettings,
    format: ReportArgs,
    mut supervised: SupervisorOptions,
) -> Result<u8, Failure> {
    let fuzz = Fuzz::default();
    let [stopped, counted] = [fuzz.clone(), fuzz.clone()];
    supervised.stop = Some(Box::new(move || stopped.stop()));
    let report = Supervisor::run(supervised, |supervisor| {
        supervisor.enter(Phase::Fuzzing);
        supervisor.count(move || counted.progress());
        fuzz.run(args, variants, dir, guest)
    })?;
    printer::data(&machine::report(&report, format, Report::text))?;
    if let Some(signal) = signals::caught() {
        signals::end_by(signal);
    }
    Ok(match report.counts.differ {
        0 => 0,
        _ => exit_code::DIFFERENT,
    })
}

impl Fuzz {
    /// Ends the run after the modules that are being compared.
    fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }

    /// Describes how far it is.
    fn progress(&self) -> String {
        let FuzzReport { modules, calls, differ, .. } = self.counters.report();
        format!("{} modules, {} calls, {} differ", HumanCount(modules), HumanCount(calls), HumanCount(differ))
    }

    fn run(
        &self,
        args: &FuzzArgs,
        variants: Vec<Variant>,
        dir: Option<PathBuf>,
        mut guest: GuestSettings,
    ) -> Result<Report, Failure> {
        let (seed, first) = (args.seed.unwrap_or_default(), args.skip.unwrap_or_default());
        let mut options = FuzzOptions::new(seed, args.fuzz.unwrap_or_default());
        (options.first, options.variants) = (first, variants);
        options.without.clone_from(&args.without);
        let limits = &mut guest.limits;
        for (limit, default) in [
            (&mut limits.fuel, options.limits.fuel),
            (&mut limits.memory, options.limits.memory),
            (&mut limits.table_elements, options.limits.table_elements),
        ] {
            limit.value = limit.value.or(default);
        }
        (options.limits, options.max_stack) = (limits.limits(), limits.stack.value);

        let dir = dir.unwrap_or_else(|| PathBuf::from(format!("fuzz-{seed}")));
        if fs::symlink_metadata(&dir).is_ok() {
            return Err(Failure::usage(format!("{} already exists", dir.display()))
                .hint("--repro names a new directory for the differences"));
        }
        let findings = Mutex::new((guest, Ok(Vec::new())));
        let found = |finding: Finding| {
            let mut findings = findings.lock().unwrap_or_else(PoisonError::into_inner);
            let (guest, found) = &mut *findings;
            let Ok(list) = found else { return };
            match write(&dir, finding, guest) {
                Ok(written) => list.push(written),
                Err(failure) => {
                    *found = Err(failure);
                    self.stop();
                }
            }
        };
        fuzz::run(&options, &self.counters, &self.stop, &found)
            .map_err(|error| Failure::io("cannot start a thread", &error))?;

        let (_, findings) = findings.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut findings = findings?;
        findings.sort_by_key(|found| found.number);
        Ok(Report { seed, first, counts: self.counters.report(), findings })
    }
}

/// Writes a directory for a difference.
fn write(dir: &Path, finding: Finding, guest: &mut GuestSettings) -> Result<Found, Failure> {
    let args: Vec<_> = finding.args.iter().map(ToString::to_string).collect();
    guest.function = Some(finding.function.clone());
    guest.limits.memory.value = finding.options.limits.memory;
    let comparer = Comparer::new(&finding.module, Some(&finding.function), finding.options.clone())?;
    let outcome = comparer.compare(&CallArgs::Core(finding.args.clone()))?;
    let created = match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    };
    created.map_err(|error| Failure::io(&format!("cannot create the directory {}", dir.display()), &error))?;
    let path_with = |end: &str| dir.join(format!("{}-{}{end}", finding.number, finding.function));
    let mut names = std::iter::once(path_with("")).chain((2..).map(|count| path_with(&format!("-{count}"))));
    let repro = names.find(|name| fs::symlink_metadata(name).is_err()).unwrap_or_default();
    repro::write(&repro, &finding.module, &[], &Arguments::Typed(args.clone()), guest, &comparer, &outcome)?;
    Ok(Found {
        number: finding.number,
        signature: finding.signature,
        function: finding.function,
        args,
        bytes: finding.module.len(),
        bytes_before: finding.bytes_before,
        repro,
    })
}

impl Report {
    fn text(&self) -> String {
        let FuzzReport { modules, calls, same, differ, inconclusive, .. } = &self.counts;
        let mut text = String::new();
        for Found { number, signature, function, args, bytes, bytes_before, repro } in &self.findings {
            let call = [std::slice::from_ref(function), args.as_slice()].concat().join(" ");
            text += &format!(
                "module {number}, {}: {}: {} differs ({} instead of {}), {bytes} bytes of {bytes_before}: {}\n",
                Escaped(&call),
                signature.variant,
                signature.aspect,
                Escaped(&signature.found),
                Escaped(&signature.expected),
                repro.display()
            );
        }
        let undecided: u64 = inconclusive.values().sum();
        text += &format!(
            "{} modules, {} calls: {} same, {} differ, {} inconclusive\n",
            HumanCount(*modules),
            HumanCount(*calls),
            HumanCount(*same),
            HumanCount(*differ),
            HumanCount(undecided)
        );
        text + &inconclusive.iter().map(|(reason, n)| format!("{n} {}\n", Escaped(reason))).collect::<String>()
    }
}
