//! `wrun cache path|list|prune|clear|verify`

use clap::{Args, ValueEnum};
use serde::Serialize;
use wrun::Cache;
use wrun::cache::PruneStats;

use crate::cli::args::{CacheDirArgs, LogArgs, ReportArgs};
use crate::cli::argv;
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
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = argv::text_for(parse_size))]
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
    let (path, max_bytes) = (settings.required_dir()?, settings.max_bytes);
    let existing = || Cache::existing(path);
    match args.action {
        CacheAction::Path => print(args, &PathReport { path, from: settings.dir.from, max_bytes }, cache::path),
        CacheAction::List => {
            let entries = existing()?.map_or(Ok(Vec::new()), |found| found.entries())?;
            let bytes = entries.iter().map(|entry| entry.bytes).sum();
            print(args, &ListReport { path, bytes, max_bytes, entries }, cache::list)
        }
        CacheAction::Prune | CacheAction::Clear => {
            let target = if args.action == CacheAction::Clear { 0 } else { args.max_size.unwrap_or(max_bytes) };
            let stats = existing()?.map_or(Ok(PruneStats::default()), |found| found.prune(target))?;
            print(args, &stats, cache::pruned)
        }
        CacheAction::Verify => {
            let found = existing()?;
            let mut bad = found.as_ref().map_or(Ok(Vec::new()), Cache::verify)?;
            let checked = bad.len();
            bad.retain(|entry| entry.fault.is_some());
            for entry in bad.iter().filter(|_| args.remove) {
                found.iter().try_for_each(|found| found.remove(&entry.key))?;
            }
            let exit_code = if bad.is_empty() || args.remove { 0 } else { exit_code::BAD_ENTRIES };
            print(args, &VerifyReport { path, checked, bad, removed: args.remove }, cache::verified)?;
            Ok(exit_code)
        }
    }
}

fn print<T: Serialize>(args: &CacheCommandArgs, report: &T, text: impl FnOnce(&T) -> String) -> Result<u8, Failure> {
    printer::data(&machine::report(report, args.report, text))?;
    Ok(0)
}
