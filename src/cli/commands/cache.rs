//! `wrun cache path|list|prune|clear|verify`

use clap::{Args, ValueEnum};
use serde::Serialize;
use wrun::Cache;
use wrun::cache::{PruneStats, VerifiedEntry};

use crate::cli::args::{CacheDirArgs, LogArgs, ReportArgs};
use crate::cli::cache_settings::CacheSettings;
use crate::cli::exit_code;
use crate::cli::failure::Failure;
use crate::cli::output::cache::{self, ListReport, PathReport, VerifyReport};
use crate::cli::output::{machine, printer};
use crate::cli::parse_values::parse_size;

#[derive(Args, Debug)]
pub(crate) struct CacheCommandArgs {
    /// What to do with the cache
    #[arg(value_enum)]
    action: CacheAction,
    /// Size to prune the cache to [default: `WRUN_CACHE_SIZE`, or 1GiB]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = parse_size)]
    max_size: Option<u64>,
    /// Remove the bad entries that verify finds
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    dir: CacheDirArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CacheAction {
    /// Print the cache directory
    Path,
    /// List the entries, most recently used first
    List,
    /// Remove the least recently used entries and leftovers of interrupted processes
    Prune,
    /// Remove all entries
    Clear,
    /// Check that the entries are intact
    Verify,
}

/// Inspects or cleans the cache. A directory that does not exist is an empty cache, and is not created.
pub(crate) fn main(args: &CacheCommandArgs) -> Result<u8, Failure> {
    if args.max_size.is_some() && args.action != CacheAction::Prune {
        return Err(Failure::usage("`--max-size` requires `wrun cache prune`"));
    }
    if args.remove && args.action != CacheAction::Verify {
        return Err(
            Failure::usage("`--remove` requires `wrun cache verify`").hint("`wrun cache clear` removes every entry")
        );
    }
    let settings = CacheSettings::resolve_enabled(&args.dir)?;
    match args.action {
        CacheAction::Path => path(args, &settings),
        CacheAction::List => list(args, &settings),
        CacheAction::Prune => prune(args, &settings, args.max_size.unwrap_or(settings.max_bytes)),
        CacheAction::Clear => prune(args, &settings, 0),
        CacheAction::Verify => verify(args, &settings),
    }
}

fn path(args: &CacheCommandArgs, settings: &CacheSettings) -> Result<u8, Failure> {
    let report = PathReport { path: settings.required_dir()?, from: settings.dir.from, max_bytes: settings.max_bytes };
    print(args, &report, cache::path)?;
    Ok(0)
}

fn list(args: &CacheCommandArgs, settings: &CacheSettings) -> Result<u8, Failure> {
    let entries = settings.existing()?.map_or(Ok(Vec::new()), |cache| cache.entries())?;
    let bytes = entries.iter().map(|entry| entry.bytes).sum();
    print(
        args,
        &ListReport { path: settings.required_dir()?, bytes, max_bytes: settings.max_bytes, entries },
        cache::list,
    )?;
    Ok(0)
}

fn prune(args: &CacheCommandArgs, settings: &CacheSettings, max_bytes: u64) -> Result<u8, Failure> {
    let report = settings.existing()?.map_or(Ok(PruneStats::default()), |cache| cache.prune(max_bytes))?;
    print(args, &report, cache::pruned)?;
    Ok(0)
}

/// Exits with [`exit_code::BAD_ENTRIES`] if it finds bad entries and does not remove them.
fn verify(args: &CacheCommandArgs, settings: &CacheSettings) -> Result<u8, Failure> {
    let existing = settings.existing()?;
    let checked = existing.as_ref().map_or(Ok(Vec::new()), Cache::verify)?;
    let count = checked.len();
    let bad: Vec<VerifiedEntry> = checked.into_iter().filter(|entry| entry.fault.is_some()).collect();
    if let (true, Some(cache)) = (args.remove, &existing) {
        for entry in &bad {
            cache.remove(&entry.key)?;
        }
    }
    let exit_code = if bad.is_empty() || args.remove { 0 } else { exit_code::BAD_ENTRIES };
    let report = VerifyReport { path: settings.required_dir()?, checked: count, bad, removed: args.remove };
    print(args, &report, cache::verified)?;
    Ok(exit_code)
}

fn print<T: Serialize>(args: &CacheCommandArgs, report: &T, text: impl FnOnce(&T) -> String) -> Result<(), Failure> {
    printer::data(&machine::report(report, args.report, text))
}
