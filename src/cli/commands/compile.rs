//! `wrun compile MODULE...`

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wrun::session::CacheFill;
use wrun::{Cache, RuntimeConfig};

use crate::cli::args::{CompileArgs, GrantArgs, LimitArgs, OutputFormat, RunArgs};
use crate::cli::caching::Caching;
use crate::cli::failure::{self, Failure};
use crate::cli::output::compiled::{self, ModuleReport};
use crate::cli::output::machine;
use crate::cli::output::progress::Progress;
use crate::cli::provenance::Effective;
use crate::cli::supervisor::{Ending, Supervisor};
use crate::cli::{argv, input, printer};

/// Has the cache keep the code of modules, as runs with the same options will look for it.
pub(crate) fn main(args: CompileArgs) -> Result<u8, Failure> {
    let CompileArgs { modules, engine, fuel, timeout, policy, folder, report, progress, log } = args;
    let limits = LimitArgs { timeout, fuel, ..LimitArgs::default() };
    let grants = GrantArgs { policy, ..GrantArgs::default() };
    let config = Effective::resolve(&RunArgs { engine, limits, grants, ..RunArgs::default() })?.config();
    let compilation = Compilation {
        config,
        cache: Caching::resolve(false, &folder)?.required()?,
        progress: Arc::new(Progress::new(progress, log.quiet)),
    };
    let supervisor = compilation.supervisor()?;

    let mut reports = Vec::new();
    let mut exit_code = 0;
    for module in modules.into_iter().map(argv::path) {
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

/// How modules are compiled.
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

    /// Where a tidy terminal is owed, somebody stays to see to it.
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
