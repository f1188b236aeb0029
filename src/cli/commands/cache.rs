//! `wrun cache path|list|prune|clear|verify`

use serde::Serialize;
use wrun::Cache;
use wrun::cache::{PruneStats, VerifiedEntry};

use crate::cli::args::{CacheAction, CacheArgs};
use crate::cli::caching::Caching;
use crate::cli::exit_code;
use crate::cli::failure::Failure;
use crate::cli::output::cache::{self, ListReport, PathReport, VerifyReport};
use crate::cli::output::machine;
use crate::cli::printer;

/// Looks at the cache, or tidies it. A folder that is not there is a cache with nothing in it, and is not made.
pub(crate) fn main(args: &CacheArgs) -> Result<u8, Failure> {
    if args.max_size.is_some() && args.action != CacheAction::Prune {
        return Err(Failure::usage("`--max-size` is for `wrun cache prune`"));
    }
    if args.remove && args.action != CacheAction::Verify {
        return Err(
            Failure::usage("`--remove` is for `wrun cache verify`").hint("`wrun cache clear` removes every entry")
        );
    }
    let caching = Caching::resolve(false, &args.folder)?;
    match args.action {
        CacheAction::Path => path(args, &caching),
        CacheAction::List => list(args, &caching),
        CacheAction::Prune => prune(args, &caching, args.max_size.unwrap_or(caching.max_bytes)),
        CacheAction::Clear => prune(args, &caching, 0),
        CacheAction::Verify => verify(args, &caching),
    }
}

fn path(args: &CacheArgs, caching: &Caching) -> Result<u8, Failure> {
    let report = PathReport { path: caching.named()?, from: caching.folder.from, max_bytes: caching.max_bytes };
    print(args, &report, cache::path)?;
    Ok(0)
}

fn list(args: &CacheArgs, caching: &Caching) -> Result<u8, Failure> {
    let entries = caching.existing()?.map_or(Ok(Vec::new()), |cache| cache.entries())?;
    let bytes = entries.iter().map(|entry| entry.bytes).sum();
    print(args, &ListReport { path: caching.named()?, bytes, max_bytes: caching.max_bytes, entries }, cache::list)?;
    Ok(0)
}

fn prune(args: &CacheArgs, caching: &Caching, max_bytes: u64) -> Result<u8, Failure> {
    let report = caching.existing()?.map_or(Ok(PruneStats::default()), |cache| cache.prune(max_bytes))?;
    print(args, &report, cache::pruned)?;
    Ok(0)
}

/// Fails where there are bad entries and they are left there.
fn verify(args: &CacheArgs, caching: &Caching) -> Result<u8, Failure> {
    let existing = caching.existing()?;
    let checked = existing.as_ref().map_or(Ok(Vec::new()), Cache::verify)?;
    let number = checked.len();
    let bad: Vec<VerifiedEntry> = checked.into_iter().filter(|entry| entry.fault.is_some()).collect();
    if let (true, Some(cache)) = (args.remove, &existing) {
        for entry in &bad {
            cache.remove(&entry.key)?;
        }
    }
    let fine = bad.is_empty() || args.remove;
    let report = VerifyReport { path: caching.named()?, checked: number, bad, removed: args.remove };
    print(args, &report, cache::verified)?;
    Ok(if fine { 0 } else { exit_code::BAD_ENTRIES })
}

fn print<T: Serialize>(args: &CacheArgs, report: &T, text: impl FnOnce(&T) -> String) -> Result<(), Failure> {
    printer::data(&machine::shown(report, args.report, text))
}
