//! Measures the variants in turns.

use std::time::Instant;

use super::calibration::CalibrationSamples;
use super::measurement::Failed;
use super::report::{BenchReport, PhaseReport, SCHEMA, Settings, VariantReport};
use super::statistics::{CONFIDENCE, RATIO_CONFIDENCE, block_medians, median_interval, quantile};
use super::subject::{Subject, Work};
use super::{Baseline, BenchOptions, Calibration, EngineVersion, Machine, Measurement, Phase, RunInputs, regressions};
use crate::cache::Cache;
use crate::capabilities::Input;
use crate::compare::{CompareSessions, Comparison, Ending, Observation};
use crate::component::info::CodeInfo;
use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::EscapedText;
use crate::module::hash;
use crate::runtime::callable::{CallArgs, Callable, CallableType};
use crate::session::{Event, nanoseconds};

/// The most rounds before samples count, and the part of the phase's time that they may take.
const WARM_UP_ROUNDS: usize = 5;
const WARM_UP_PART: u32 = 10;
/// The most rounds that count.
const MAX_ROUNDS: usize = 100_000;
/// How many rounds pass between two looks at the precision.
const ROUNDS_PER_LOOK: usize = 30;
/// A sample of less than this follows an unmeasured one of the same variant.
const SHORT_NS: f64 = 1e6;
/// The part of the phase's time that is used even if the precision is reached, since the machine's speed drifts.
const MIN_PART: u32 = 3;
/// How often a phase is measured again if it differs from the baseline.
const MAX_REPEATS: usize = 2;

/// The most characters of a guest's standard error that an error quotes.
const MAX_STDERR: usize = 2000;

/// Measures a function or a program on several variants.
#[derive(Debug)]
pub struct Bench<'a> {
    code: &'a [u8],
    sessions: CompareSessions<'a>,
    options: BenchOptions,
    /// Whether it runs a program, which needs a new instance each time.
    is_program: bool,
}

/// The progress of a bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The code is compiled, and each variant runs once to compare the results.
    Checking,
    /// An event of the run of a bench.
    Run(Event),
    /// A phase begins.
    Measuring(Phase),
}

impl<'a> Bench<'a> {
    /// Opens a module or component, in the binary or the text format, on each variant. `function` is the function to call; `None`
    /// runs the program.
    ///
    /// # Errors
    /// Those of [`CompareSessions::open`].
    pub fn new(code: &'a [u8], function: Option<&str>, options: BenchOptions) -> Result<Self> {
        let mut compare = options.compare.clone();
        compare.capabilities.seed.get_or_insert_default();
        let sessions = CompareSessions::open(code, function, compare)?;
        let is_program = function.is_none_or(|name| name == "_start") || sessions.callable().is_program();
        Ok(Self { code, sessions, options, is_program })
    }

    /// Returns the function, which decodes its arguments.
    #[must_use]
    pub fn callable(&self) -> &Callable {
        self.sessions.callable()
    }

    /// Returns the imports, exports and other facts.
    #[must_use]
    pub fn info(&self) -> &CodeInfo {
        self.sessions.info()
    }

    /// Returns the phases that are measured. A program has no later calls.
    #[must_use]
    pub fn phases(&self) -> Vec<Phase> {
        let has_calls = !self.is_program && !matches!(self.callable().ty(), CallableType::Stdio(..));
        Phase::ALL.iter().copied().filter(|phase| has_calls || *phase != Phase::Call).collect()
    }

    /// Returns whether the code can read standard input.
    #[must_use]
    pub fn reads_stdin(&self) -> bool {
        self.sessions.reads_stdin()
    }

    /// Sets what each instance reads from standard input.
    pub fn set_stdin(&mut self, bytes: Vec<u8>) {
        self.options.compare.capabilities.stdin = Input::Bytes(bytes);
    }

    /// Compiles the code, runs each variant once and compares the results, and then measures the phases.
    ///
    /// # Errors
    /// The error of the first variant if all fail; [`ErrorKind::InvalidArgument`] if the arguments do not fit the function;
    /// [`ErrorKind::Io`] if there is no room for temporary files. The error of a single variant is part of the report.
    pub fn run(self, args: &CallArgs, progress: &dyn Fn(Progress)) -> Result<BenchReport> {
        let selected = self.phases();
        let Self { code, sessions, options, .. } = self;
        progress(Progress::Checking);
        let events = |event| progress(Progress::Run(event));
        let mut comparer = sessions.compile(&events);
        if let Input::Bytes(bytes) = &options.compare.capabilities.stdin {
            comparer.set_stdin(bytes.clone());
        }
        let comparison = comparer.compare_with_events(args, &events)?;
        let callable = comparer.callable().clone();
        // Its code takes memory.
        drop(comparer);

        let folder = tempfile::tempdir().map_err(|error| no_directory(&error))?;
        let cache = Cache::open(folder.path().join("code"))?.with_max_bytes(u64::MAX);
        let work = Work { code, callable: &callable, args, options: &options.compare, cache: &cache };
        let mut variants = Vec::new();
        let mut subjects = Vec::new();
        let mut first_error = None;
        for run in &comparison.runs {
            let mut report = VariantReport::new(run.variant, Some(run));
            let mut subject = Subject::new(run.variant, &work);
            match error_of(run).map_or_else(|| subject.start(&mut report), Err) {
                Ok(()) => subjects.push((report.name.clone(), subject)),
                Err(error) => {
                    report.failed = Some(Failed::from(&error));
                    first_error.get_or_insert(error);
                }
            }
            variants.push(report);
        }
        if let (true, Some(error)) = (subjects.is_empty(), first_error) {
            return Err(error);
        }
        let mut measured = |phase| {
            progress(Progress::Measuring(phase));
            measure(phase, &mut subjects, &options)
        };
        let mut phases: Vec<_> = selected.into_iter().map(&mut measured).collect();
        // A moment of other work on the machine is over after the other phases.
        for _ in 0..MAX_REPEATS {
            for phase in phases.iter_mut().filter(|phase| options.baseline.as_ref().is_some_and(|it| it.differs(phase)))
            {
                *phase = measured(phase.phase);
            }
        }
        let inputs = RunInputs::new(&callable, args, &options.compare);
        let mut report = report(code, &comparison, inputs, &options, variants, phases);
        report.baseline = options
            .baseline
            .map(|Baseline { report: then, max_regression }| regressions(&report, &then, max_regression));
        Ok(report)
    }
}

fn report(
    code: &[u8],
    comparison: &Comparison,
    inputs: RunInputs,
    options: &BenchOptions,
    variants: Vec<VariantReport>,
    phases: Vec<PhaseReport>,
) -> BenchReport {
    let is_measured = |kind: &RuntimeKind| comparison.runs.iter().any(|run| run.variant.runtime == *kind);
    BenchReport {
        schema: SCHEMA,
        wrun: env!("CARGO_PKG_VERSION").to_owned(),
        engines: RuntimeKind::available().filter(is_measured).map(EngineVersion::from).collect(),
        machine: Machine::this(),
        module: None,
        module_hash: hash::contents(code).to_hex().to_string(),
        module_bytes: code.len(),
        function: comparison.function.clone(),
        inputs: Some(inputs),
        settings: Settings {
            time_ns: nanoseconds(options.time),
            precision: options.precision,
            min_effect: options.min_effect,
            confidence: CONFIDENCE,
            ratio_confidence: RATIO_CONFIDENCE,
        },
        agreement: comparison.verdict.to_string(),
        variants,
        phases,
        baseline: None,
    }
}

/// Measures a phase: in each round, every variant once.
fn measure(phase: Phase, subjects: &mut [(String, Subject<'_>)], options: &BenchOptions) -> PhaseReport {
    let begin = Instant::now();
    let mut samples: Vec<Result<Vec<f64>, Failed>> = vec![Ok(Vec::new()); subjects.len()];
    let mut calibration = CalibrationSamples::default();
    let mut is_warm = false;
    let mut round = 0;
    loop {
        for turn in 0..subjects.len() {
            // Each round begins with another variant, and every other goes backwards, so that each has all neighbours.
            let turn = if round % 2 == 0 { turn } else { subjects.len() - 1 - turn };
            let index = (turn + round / 2) % subjects.len();
            if let Ok(own) = &mut samples[index] {
                let subject = &mut subjects[index].1;
                // A short sample also depends on the processor caches, which the previous variant filled.
                let is_short = own.last().is_some_and(|last| *last < SHORT_NS) && phase != Phase::Call;
                let primed = if is_short { subject.sample(phase).map(|_| ()) } else { Ok(()) };
                match primed.and_then(|()| subject.sample(phase)) {
                    Ok(time) => own.push(time),
                    Err(error) => samples[index] = Err(Failed::from(&error)),
                }
            }
        }
        calibration.measure();
        round += 1;
        let elapsed = begin.elapsed();
        if !is_warm {
            is_warm = round >= WARM_UP_ROUNDS || elapsed * WARM_UP_PART >= options.time;
            // If a round takes longer than the phase may, it counts.
            if elapsed < options.time {
                samples.iter_mut().flatten().for_each(Vec::clear);
                calibration.clear();
                continue;
            }
        }
        let is_precise = || {
            round % ROUNDS_PER_LOOK == 0
                && elapsed * MIN_PART >= options.time
                && samples.iter().flatten().all(|own| half_width(own) <= options.precision)
        };
        let count = samples.iter().flatten().map(Vec::len).max();
        if elapsed >= options.time || count.is_none_or(|count| count >= MAX_ROUNDS) || is_precise() {
            break;
        }
    }
    let measured = subjects.iter().zip(samples).map(|((name, subject), samples)| match samples {
        Ok(samples) => Measurement::new(name.clone(), &samples, subject.iterations(phase)),
        Err(failed) => Measurement::failed(name.clone(), failed),
    });
    PhaseReport::new(phase, measured.collect(), Calibration::new(&calibration), options.min_effect)
}

/// Returns how far the interval of the median reaches to either side, as a part of the median.
fn half_width(samples: &[f64]) -> f64 {
    let blocks = block_medians(samples);
    median_interval(&blocks, CONFIDENCE)
        .map_or(f64::INFINITY, |[low, high]| (high - low) / 2.0 / quantile(&blocks, 0.5))
}

/// Returns the error of a run that cannot be measured.
fn error_of(run: &Observation) -> Option<Error> {
    let error = match &run.ending {
        Ending::Returned(_) | Ending::Exited(0) => return None,
        Ending::Exited(code) => Error::exited(*code),
        Ending::Failed(summary) | Ending::Refused(summary) => {
            let error = Error::new(summary.kind, summary.message.clone());
            summary.limit.into_iter().fold(error, Error::with_limit)
        }
    };
    let stderr = String::from_utf8_lossy(&run.stderr);
    Some(match stderr.trim_end().char_indices().nth_back(MAX_STDERR) {
        _ if stderr.trim_end().is_empty() => error,
        None => error.with_hint(format!("standard error of the guest:\n{}", EscapedText(stderr.trim_end()))),
        Some((start, _)) => error
            .with_hint(format!("end of standard error of the guest:\n{}", EscapedText(&stderr.trim_end()[start..]))),
    })
}

fn no_directory(error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot create a temporary directory for compiled code: {error}"))
}
