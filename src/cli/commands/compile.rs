//! `wrun compile MODULE...`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use wrun::Cache;

use crate::cli::args::{
    CacheDirArgs, EngineArgs, LimitArgs, LogArgs, OutputFormat, PolicyArgs, ProgressArgs, ReportArgs,
};
use crate::cli::cache_settings::CacheSettings;
use crate::cli::failure::{self, Failure};
use crate::cli::output::compiled::{self, ModuleReport};
use crate::cli::output::progress::Progress;
use crate::cli::output::{machine, printer};
use crate::cli::parse_values::{parse_duration, parse_fuel};
use crate::cli::policy::Policy;
use crate::cli::settings::{EngineSettings, LimitSettings};
use crate::cli::supervisor::{Supervisor, SupervisorOptions};
use crate::cli::{argv, input};

#[derive(Args, Debug)]
pub(crate) struct CompileArgs {
    /// Files of modules and components, or `-` for standard input
    #[arg(required = true, allow_negative_numbers = true, value_hint = ValueHint::FilePath, value_parser = argv::path())]
    modules: Vec<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Compile for runs with --fuel, of any amount
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = argv::text_for(parse_fuel), help_heading = "Limits")]
    fuel: Option<u64>,
    /// Compile for runs with --timeout, of any duration
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = argv::text_for(parse_duration), help_heading = "Limits")]
    timeout: Option<Duration>,
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    cache_dir: CacheDirArgs,
    #[command(flatten)]
    progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// Compiles modules and components into the cache, for runs with the same options.
pub(crate) fn main(args: CompileArgs) -> Result<u8, Failure> {
    let CompileArgs { modules, engine, fuel, timeout, policy, cache_dir, report, progress, log } = args;
    let policy = Policy::read(&policy)?;
    let limits = LimitSettings::resolve(&LimitArgs { timeout, fuel, ..LimitArgs::default() }, &policy)?;
    let config = EngineSettings::resolve(&engine, &policy)?.config(&limits);
    let cache = CacheSettings::resolve_enabled(&cache_dir)?;
    let cache = Cache::open(cache.required_dir()?)?.with_max_bytes(cache.max_bytes);
    let mut reports = Vec::new();
    let mut exit_code = 0;
    let options = SupervisorOptions::new(Progress::new(progress.progress, log.quiet));
    Supervisor::run(options, |supervisor| {
        for module in modules {
            let filled = failure::catch_panic(|| {
                let opened = input::module(&module, input::is_stdin(&module), log.quiet)?;
                let session = opened.open(&module, &config, Some(cache.clone()))?;
                Ok(session.fill_cache(&|event| supervisor.observe(event))?)
            });
            let filled = filled.map_err(|failure| failure.about(&module));
            if let (Err(failure), 0) = (&filled, exit_code) {
                exit_code = failure.exit_code;
            }
            match (filled, report.output) {
                (Ok(filled), OutputFormat::Text) => printer::data(compiled::text(&module, &filled).as_bytes())?,
                (Err(failure), OutputFormat::Text) => _ = printer::failure(&failure, log.quiet),
                (filled, _) => reports.push(ModuleReport::new(&module, &config, filled)),
            }
        }
        Ok(())
    })?;
    if report.output != OutputFormat::Text {
        printer::data(&machine::encode(&reports, report))?;
    }
    Ok(exit_code)
}
