//! `wrun compile MODULE...`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use wrun::session::CacheFill;
use wrun::{Cache, RuntimeConfig};

use crate::cli::args::{
    CacheDirArgs, EngineArgs, LimitArgs, LogArgs, OutputFormat, PolicyArgs, ProgressArgs, ReportArgs,
};
use crate::cli::cache_settings::CacheSettings;
use crate::cli::failure::{self, Failure};
use crate::cli::output::compiled::{self, ModuleReport};
use crate::cli::output::machine;
use crate::cli::output::progress::Progress;
use crate::cli::parse_values::{parse_duration, parse_fuel};
use crate::cli::policy::Policy;
use crate::cli::settings::{EngineSettings, LimitSettings};
use crate::cli::supervisor::{Ending, Supervisor};
use crate::cli::{argv, input, printer};

#[derive(Args, Debug)]
pub(crate) struct CompileArgs {
    /// Module files, or `-` for standard input
    #[arg(required = true, allow_negative_numbers = true, value_parser = argv::path())]
    modules: Vec<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Compile for runs with --fuel, of any amount
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = parse_fuel, help_heading = "Limits")]
    fuel: Option<u64>,
    /// Compile for runs with --timeout, of any duration
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = parse_duration, help_heading = "Limits")]
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

/// Compiles modules into the cache, for runs with the same options.
pub(crate) fn main(args: CompileArgs) -> Result<u8, Failure> {
    let CompileArgs { modules, engine, fuel, timeout, policy, cache_dir, report, progress, log } = args;
    let policy = Policy::read(&policy)?;
    let limits = LimitSettings::resolve(&LimitArgs { fuel, timeout, ..LimitArgs::default() }, &policy)?;
    let compilation = Compilation {
        config: EngineSettings::resolve(&engine, &policy)?.config(&limits),
        cache: CacheSettings::resolve_enabled(&cache_dir)?.required()?,
        progress: Arc::new(Progress::new(progress.progress, log.quiet)),
    };
    let supervisor = compilation.supervisor()?;

    let mut reports = Vec::new();
    let mut exit_code = 0;
    for module in modules {
        let filled = failure::guard(|| compilation.fill(&module)).map_err(|failure| failure.about(&module));
        match (&filled, report.output) {
            (Ok(filled), OutputFormat::Text) => printer::data(compiled::text(&module, filled).as_bytes())?,
            (Err(failure), OutputFormat::Text) => printer::failure(failure, log.quiet),
            _ => reports.push(ModuleReport::new(&module, &compilation.config, &filled)),
        }
        exit_code = filled.err().map(|failure| failure.exit_code).filter(|_| exit_code == 0).unwrap_or(exit_code);
    }
    if let Some(supervisor) = supervisor {
        supervisor.disarm();
    }
    if report.output != OutputFormat::Text {
        printer::data(&machine::encode(&reports, report.output, report.pretty))?;
    }
    Ok(exit_code)
}

struct Compilation {
    config: RuntimeConfig,
    cache: Cache,
    progress: Arc<Progress>,
}

impl Compilation {
    fn fill(&self, module: &Path) -> Result<CacheFill, Failure> {
        let opened = input::module(module)?;
        let cache = input::label(module).into_iter().fold(self.cache.clone(), Cache::with_label);
        let session = opened.open(module, &self.config, Some(&cache))?;
        Ok(session.fill_cache(&|event| self.progress.show(event))?)
    }

    /// Starts a supervisor if progress may have to be erased from a terminal.
    fn supervisor(&self) -> Result<Option<Supervisor>, Failure> {
        if !self.progress.may_draw() {
            Supervisor::without_report();
            return Ok(None);
        }
        let progress = Arc::clone(&self.progress);
        Supervisor::set(Instant::now(), None, || false, move |ending| Self::end(&progress, ending)).map(Some)
    }

    fn end(progress: &Progress, ending: Ending) {
        progress.end();
        std::process::exit(Failure::ended(ending, "compiling", None, Duration::ZERO).exit_code.into());
    }
}
