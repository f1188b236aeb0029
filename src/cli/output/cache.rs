//! The reports of `wrun cache`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytesize::ByteSize;
use serde::Serialize;
use wrun::cache::{ListedEntry, PruneStats, VerifiedEntry};
use wrun::escape::Escaped;

use super::machine;
use crate::cli::provenance::Provenance;

/// `wrun cache path`
#[derive(Debug, Serialize)]
pub(crate) struct PathReport<'c> {
    #[serde(serialize_with = "machine::path")]
    pub(crate) path: &'c Path,
    pub(crate) from: Provenance,
    pub(crate) max_bytes: u64,
}

/// `wrun cache list`
#[derive(Debug, Serialize)]
pub(crate) struct ListReport<'c> {
    #[serde(serialize_with = "machine::path")]
    pub(crate) path: &'c Path,
    pub(crate) bytes: u64,
    pub(crate) max_bytes: u64,
    pub(crate) entries: Vec<ListedEntry>,
}

/// `wrun cache verify`
#[derive(Debug, Serialize)]
pub(crate) struct VerifyReport<'c> {
    #[serde(serialize_with = "machine::path")]
    pub(crate) path: &'c Path,
    pub(crate) checked: usize,
    pub(crate) bad: Vec<VerifiedEntry>,
    pub(crate) removed: bool,
}

pub(crate) fn path(report: &PathReport<'_>) -> String {
    format!("{}\n", report.path.display())
}

pub(crate) fn list(report: &ListReport<'_>) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let rows: Vec<[String; 4]> = report.entries.iter().map(|entry| row(entry, now)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [names, engines, sizes] = [width(0), width(1), width(2)];
    let mut text = String::new();
    for [name, engine, size, used] in &rows {
        text += &format!("{name:names$}  {engine:engines$}  {size:>sizes$}  {used}\n");
    }
    let (bytes, max_bytes) = (ByteSize::b(report.bytes), ByteSize::b(report.max_bytes));
    text + &format!("{}, {bytes} of at most {max_bytes}\n", entries(rows.len() as u64))
}

fn row(entry: &ListedEntry, now: u64) -> [String; 4] {
    let (name, engine) = match &entry.about {
        Some(about) => {
            let name = about.module.as_deref().map_or_else(|| "-".to_owned(), |name| Escaped(name).to_string());
            let mut engine = format!("{} {} {}", about.runtime, about.runtime_version, about.compiler);
            for option in &about.options {
                engine += &format!(" {option}");
            }
            (name, Escaped(&engine).to_string())
        }
        None => (entry.key.clone(), "unreadable".to_owned()),
    };
    [name, engine, ByteSize::b(entry.bytes).to_string(), ago(now.saturating_sub(entry.used_unix))]
}

/// Formats an age, in coarse steps because the cache does not update it on each use.
fn ago(seconds: u64) -> String {
    match seconds {
        0..600 => "just now".to_owned(),
        600..7200 => format!("{} minutes ago", seconds / 60),
        7200..172_800 => format!("{} hours ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86400),
    }
}

fn entries(number: u64) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

pub(crate) fn pruned(report: &PruneStats) -> String {
    let (removed, freed) = (entries(report.removed), ByteSize::b(report.removed_bytes));
    format!("removed {removed} ({freed}), {} left ({})\n", entries(report.kept), ByteSize::b(report.kept_bytes))
}

pub(crate) fn verified(report: &VerifyReport<'_>) -> String {
    let mut text = String::new();
    for VerifiedEntry { key, fault, .. } in &report.bad {
        text += &format!("{key}: {}\n", fault.as_deref().unwrap_or_default());
    }
    let removed = if report.removed && !report.bad.is_empty() { ", removed" } else { "" };
    text + &format!("{} checked, {} bad{removed}\n", report.checked, report.bad.len())
}
