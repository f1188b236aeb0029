//! One variant that is measured.

use std::time::{Duration, Instant};

use super::Phase;
use super::report::VariantReport;
use crate::cache::Cache;
use crate::capabilities::{Capabilities, Captured, Output};
use crate::compare::{CompareOptions, Variant};
use crate::config::RuntimeConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limits;
use crate::runtime::call::ResolvedCallable;
use crate::runtime::callable::{CallArgs, Callable};
use crate::session::{CacheUse, Completion, PreparedCode, PreparedInstance, Session};

/// The length of a sample of calls. The clock's error is less than a thousandth of it.
const SAMPLE: Duration = Duration::from_micros(200);
/// The number of samples from one copy of the code: then another is next, since its place in memory matters. For later calls, they
/// are made in one instance.
const SAMPLES_PER_INSTANCE: usize = 32;
/// The most copies of the code.
const MAX_COPIES: usize = 4;
/// The most bytes of all copies.
const MAX_COPIED_BYTES: u64 = 64 << 20;
/// The most bytes that are kept of an instance's output.
const MAX_OUTPUT: usize = 64 << 10;

/// The inputs that all variants share.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub(super) code: &'a [u8],
    pub(super) callable: &'a Callable,
    pub(super) args: &'a CallArgs,
    pub(super) options: &'a CompareOptions,
    pub(super) cache: &'a Cache,
}

/// One variant that is measured.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    work: &'a Work<'a>,
    config: RuntimeConfig,
    /// Compiled code, the oldest first.
    copies: Vec<PreparedCode>,
    /// About the size of one copy.
    code_bytes: Option<u64>,
    /// The instance that later calls run in, and the number of samples left for it.
    live: Option<(PreparedInstance, ResolvedCallable, usize)>,
    /// The number of instances so far, times [`SAMPLES_PER_INSTANCE`] for those of later calls.
    turn: usize,
    /// The number of calls in a sample.
    iterations: Option<u64>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(variant: Variant, work: &'a Work<'a>) -> Self {
        let mut config = variant.config();
        config.metering = work.options.limits.fuel.is_some();
        config.interruption = work.options.limits.time.is_some();
        config.canonical_nans = work.options.capabilities.seed.is_some();
        config.max_stack = work.options.max_stack;
        Self { work, config, copies: Vec::new(), code_bytes: None, live: None, turn: 0, iterations: None }
    }

    /// Compiles the code for the first time, also into the cache. Adds its sizes to the report.
    ///
    /// # Errors
    /// Those of [`Session::open`] and [`Session::prepare`].
    pub(super) fn start(&mut self, report: &mut VariantReport) -> Result<()> {
        let prepared = self.open(None)?.prepare(self.work.options.instances(), &|_| {})?;
        report.compiled_bytes = prepared.code().compiled_bytes();
        report.serialized_bytes = prepared.code().serialize().ok().map(|serialized| serialized.code.len() as u64);
        self.code_bytes = report.compiled_bytes.max(report.serialized_bytes);
        self.copies = vec![prepared];
        self.open(Some(self.work.cache))?.prepare(self.work.options.instances(), &|_| {})?;
        Ok(())
    }

    /// Returns the number of calls in a sample of [`Phase::Call`]; 1 for other phases.
    pub(super) fn iterations(&self, phase: Phase) -> u64 {
        if phase == Phase::Call { self.iterations.unwrap_or(1) } else { 1 }
    }

    /// Measures a phase once, in nanoseconds.
    ///
    /// # Errors
    /// Those of the session and the guest. A program that exits with another code than 0 is an error.
    pub(super) fn sample(&mut self, phase: Phase) -> Result<f64> {
        match phase {
            Phase::Load => {
                let (session, time) = timed(|| self.open(None));
                session.map(|_| time)
            }
            Phase::Compile => {
                let (session, options) = (self.open(None)?, self.work.options.instances());
                let (prepared, time) = timed(|| session.prepare(options, &|_| {}));
                self.keep(prepared?);
                Ok(time)
            }
            Phase::CacheLoad => {
                let options = self.work.options.instances();
                let (prepared, time) = timed(|| {
                    let session = self.open(Some(self.work.cache))?;
                    Ok((session.cache(), session.prepare(options, &|_| {})?))
                });
                match prepared? {
                    (CacheUse::Hit, _) => Ok(time),
                    _ => Err(Error::new(ErrorKind::Io, "the code cannot be kept in a cache")),
                }
            }
            Phase::Instantiate => {
                let capabilities = self.capabilities();
                self.turn += 1;
                let (instance, time) = timed(|| self.instantiate(&capabilities));
                instance.map(|_| time)
            }
            Phase::FirstCall => {
                self.turn += 1;
                let mut instance = self.instantiate(&self.capabilities())?;
                let (completion, time) = timed(|| instance.run(self.work.callable, self.work.args));
                match completion? {
                    Completion::Returned(_) | Completion::Exited(0) => Ok(time),
                    Completion::Exited(code) => Err(Error::exited(code)),
                }
            }
            Phase::Call => self.sample_calls(),
        }
    }

    fn sample_calls(&mut self) -> Result<f64> {
        let (mut instance, mut function, left) = match self.live.take() {
            Some(live) => live,
            None => self.warm()?,
        };
        let (work, iterations) = (self.work, self.iterations.unwrap_or(1));
        let (called, time) = timed(|| calls(work, &mut instance, &mut function, iterations));
        called?;
        self.live = (left > 1).then_some((instance, function, left - 1));
        #[expect(clippy::cast_precision_loss, reason = "a sample has far fewer calls")]
        Ok(time / iterations as f64)
    }

    /// Creates an instance for later calls, and calls the function until it is warm. Finds how many calls make up a sample.
    fn warm(&mut self) -> Result<(PreparedInstance, ResolvedCallable, usize)> {
        let mut instance = self.instantiate(&self.capabilities())?;
        self.turn += SAMPLES_PER_INSTANCE;
        let mut function = instance.resolve(self.work.callable)?;
        let mut iterations = self.iterations.unwrap_or(1);
        loop {
            let (called, time) = timed(|| calls(self.work, &mut instance, &mut function, iterations));
            called?;
            let wanted = SAMPLE.as_secs_f64() * 1e9;
            if self.iterations.is_some() || time >= wanted {
                break;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 11")]
            let factor = (wanted / time.max(1.0)).clamp(1.0, 10.0) as u64 + 1;
            iterations *= factor;
        }
        self.iterations = Some(iterations);
        Ok((instance, function, SAMPLES_PER_INSTANCE))
    }

    /// Keeps a copy of the code, in place of the oldest if there are enough.
    fn keep(&mut self, prepared: PreparedCode) {
        let bytes = self.code_bytes.unwrap_or(MAX_COPIED_BYTES);
        let fits = usize::try_from(MAX_COPIED_BYTES / bytes.max(1)).unwrap_or(MAX_COPIES).clamp(1, MAX_COPIES);
        while self.copies.len() >= fits {
            self.copies.remove(0);
        }
        self.copies.push(prepared);
    }

    fn open(&self, cache: Option<&Cache>) -> Result<Session<'a>> {
        Session::open(&self.config, self.work.code, cache)
    }

    fn instantiate(&self, capabilities: &Capabilities) -> Result<PreparedInstance> {
        let Work { callable, args, options, .. } = self.work;
        let code = &self.copies[self.turn / SAMPLES_PER_INSTANCE % self.copies.len()];
        code.instantiate_granting(capabilities, callable, args, options.limits, &|_| {})
    }

    /// Returns the capabilities of one instance.
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.work.options.capabilities.clone();
        let capture = || Output::Capture(Captured::with_max_bytes(MAX_OUTPUT));
        (capabilities.stdout, capabilities.stderr) = (capture(), capture());
        capabilities
    }
}

/// Calls the function this often. Fuel and time are limits of each call.
fn calls(
    work: &Work<'_>,
    instance: &mut PreparedInstance,
    function: &mut ResolvedCallable,
    iterations: u64,
) -> Result<()> {
    let instance = instance.instance();
    let Limits { fuel, time, .. } = work.options.limits;
    for _ in 0..iterations {
        if let Some(fuel) = fuel {
            instance.reset_fuel(fuel)?;
        }
        if let Some(time) = time {
            instance.reset_time(time)?;
        }
        function.call(instance, work.args)?;
    }
    Ok(())
}

/// Runs a step. Returns its result and the nanoseconds it took.
fn timed<T>(step: impl FnOnce() -> Result<T>) -> (Result<T>, f64) {
    let start = Instant::now();
    let result = step();
    let time = start.elapsed().as_secs_f64() * 1e9;
    (result, time)
}
