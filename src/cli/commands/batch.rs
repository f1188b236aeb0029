//! `wrun batch MODULE [FUNCTION]`

use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueHint};
use wrun::batch::{self, BatchCounters, BatchInput, BatchOptions, BatchOutput, OnError, Stop, Streams};
use wrun::session::{InstanceMode, InstanceOptions};
use wrun::stdio::Blocking;
use wrun::{Callable, Capabilities};

use crate::cli::args::{
    CacheArgs, EngineArgs, FORMAT_HEADING, GrantArgs, LimitArgs, LogArgs, PluginArgs, PolicyArgs, ProgressArgs,
    TextArgs, variant,
};
use crate::cli::cache_settings::CacheSettings;
use crate::cli::failure::Failure;
use crate::cli::output::progress::Progress;
use crate::cli::parse_values::parse_size;
use crate::cli::policy::Policy;
use crate::cli::settings::{EngineSettings, GrantSettings, LimitSettings, PluginSettings};
use crate::cli::supervisor::{Phase, Supervisor, SupervisorOptions};
use crate::cli::{argv, exit_code, input};

#[derive(Args, Debug)]
pub(crate) struct BatchArgs {
    /// Module or component, binary or text
    #[arg(value_hint = ValueHint::FilePath, value_parser = argv::path())]
    module: PathBuf,
    /// Exported function to call with each record
    #[arg(value_hint = ValueHint::Other, value_parser = argv::text())]
    function: Option<String>,

    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    grants: GrantArgs,
    #[command(flatten)]
    plugin: PluginArgs,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    cache: CacheArgs,
    /// Format of the records
    #[arg(long, value_name = "FORMAT", default_value_t, value_parser = variant::<BatchInput>(), help_heading = FORMAT_HEADING)]
    input: BatchInput,
    /// Format of the results
    #[arg(short, long, value_name = "FORMAT", default_value_t, value_parser = variant::<BatchOutput>(), help_heading = FORMAT_HEADING)]
    output: BatchOutput,
    #[command(flatten)]
    text: TextArgs,
    /// Number of workers [default: the number of cores]
    #[arg(long, value_name = "N", help_heading = "Batch")]
    jobs: Option<NonZeroUsize>,
    /// One instance for all calls of a worker, or one for each call
    #[arg(long, value_name = "MODE", default_value_t, value_parser = variant::<InstanceMode>(), help_heading = "Batch")]
    instance: InstanceMode,
    /// What happens with a record that fails
    #[arg(long, value_name = "ACTION", default_value_t, value_parser = variant::<OnError>(), help_heading = "Batch")]
    on_error: OnError,
    /// Maximum length of a record [default: 16MiB]
    #[arg(long, value_name = "SIZE", value_parser = argv::text_for(parse_size), help_heading = "Batch")]
    max_record: Option<u64>,
    /// Write results as soon as they are there, in any order
    #[arg(long, help_heading = "Batch")]
    unordered: bool,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// Calls a function with each record of standard input.
pub(crate) fn main(args: &BatchArgs) -> Result<u8, Failure> {
    let policy = Policy::read(&args.policy)?;
    let engine = EngineSettings::resolve(&args.engine, &policy)?;
    let limits = LimitSettings::resolve(&args.limits, &policy)?;
    let grants = GrantSettings::resolve(&args.grants, &policy)?;
    let plugin = PluginSettings::resolve(&args.plugin, &policy)?;
    policy.check_module(&args.module)?;
    let cache = CacheSettings::resolve(&args.cache)?.open()?;
    let config = engine.config(&limits);
    let mut capabilities = Capabilities::none();
    capabilities.seed = engine.deterministic.value;
    grants.add_to(&mut capabilities);
    let options = SupervisorOptions::new(Progress::new(args.progress.progress, args.log.quiet));
    let report = Supervisor::run(options, |supervisor| {
        let module = input::module(&args.module, false, args.log.quiet)?;
        let session = module.open(&args.module, &config, cache)?;
        plugin.check(session.info())?;
        let text = args.text.options();
        let callable = Callable::find_with(session.info(), args.function.as_deref(), &text)?;
        let instances = InstanceOptions::default()
            .with_limits(limits.limits())
            .with_capabilities(capabilities)
            .with_plugin(plugin.options());
        let prepared = session.prepare(instances, &|event| supervisor.observe(event))?;
        supervisor.enter(Phase::RunningGuest);
        let mut options = BatchOptions::default();
        (options.input, options.output, options.on_error) = (args.input, args.output, args.on_error);
        options.jobs = args.jobs.or(thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
        options.ordered = !args.unordered;
        options.worker.instance = args.instance;
        options.worker.limits = limits.limits();
        if let Some(size) = args.max_record {
            options.max_record = usize::try_from(size).unwrap_or(usize::MAX);
        }
        let (counters, stop) = (BatchCounters::default(), Stop::default());
        let (mut stdin, mut stdout) = (Blocking(io::stdin()), Blocking(io::stdout()));
        let streams = Streams::new(&mut stdin, &mut stdout, &counters, &stop);
        Ok(batch::run(&prepared, &callable, &options, streams)?)
    })?;
    Ok(if report.failed > 0 { exit_code::RECORDS_FAILED } else { 0 })
}
