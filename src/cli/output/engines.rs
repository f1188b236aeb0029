//! Which engines there are, and what each can do.

use std::fmt::Write as _;

use serde::Serialize;
use wrun::engine::enforcement::EnforcedLimit;
use wrun::engine::features;
use wrun::{Compiler, Feature, RuntimeKind};

/// One engine with one compiler.
#[derive(Debug, Serialize)]
pub(crate) struct EngineReport {
    runtime: RuntimeKind,
    compiler: Compiler,
    version: &'static str,
    compiled_in: bool,
    default: bool,
    enforces: Vec<EnforcedLimitReport>,
    features: Vec<Feature>,
}

#[derive(Debug, Serialize)]
struct EnforcedLimitReport {
    limit: EnforcedLimit,
    /// The option that sets it; only the library pauses.
    option: Option<&'static str>,
    scope: &'static str,
}

/// What stands for an option where only the library has it.
const PAUSE: &str = "pause (library)";

fn option(restraint: EnforcedLimit) -> Option<&'static str> {
    match restraint {
        EnforcedLimit::Memory => Some("--memory"),
        EnforcedLimit::TableElements => Some("--table-elements"),
        EnforcedLimit::Stack => Some("--stack"),
        EnforcedLimit::Fuel => Some("--fuel"),
        EnforcedLimit::Time => Some("--timeout"),
        _ => None,
    }
}

/// Every engine with every compiler, compiled in or not.
pub(crate) fn all() -> Vec<EngineReport> {
    let restraint = |kind| {
        move |one: &EnforcedLimit| EnforcedLimitReport { limit: *one, option: option(*one), scope: one.scope(kind) }
    };
    let report = |(runtime, compiler): (RuntimeKind, Compiler)| EngineReport {
        runtime,
        compiler,
        version: runtime.version(),
        compiled_in: runtime.is_available(),
        default: runtime == RuntimeKind::default() && compiler == Compiler::Cranelift,
        enforces: EnforcedLimit::ALL.iter().map(restraint(runtime)).collect(),
        features: Feature::supported(runtime, compiler).collect(),
    };
    features::combinations().map(report).collect()
}

/// The report for people.
pub(crate) fn text() -> String {
    let mut text = String::new();
    for engine in all() {
        let EngineReport { runtime, compiler, version, .. } = engine;
        let note = match (engine.compiled_in, engine.default) {
            (false, _) => " (not compiled in)",
            (_, true) => " (default)",
            _ => "",
        };
        let _ = writeln!(text, "{runtime} {version} with {compiler}{note}");
        for restraint in engine.enforces {
            let _ = writeln!(text, "  {:<17} {}", restraint.option.unwrap_or(PAUSE), restraint.scope);
        }
        let names: Vec<_> = engine.features.iter().map(|feature| feature.as_str()).collect();
        let _ = writeln!(text, "  {:<17} {}", "features", names.join(" "));
    }
    text
}

/// The table in the README: the same whatever is compiled in.
pub(crate) fn markdown() -> String {
    let engines = all();
    let mut text = String::from("| |");
    for engine in &engines {
        let _ = write!(text, " {} {} |", engine.runtime, engine.compiler);
    }
    text += "\n| --- |";
    text += &" --- |".repeat(engines.len());
    row(&mut text, "version", engines.iter().map(|engine| engine.version));
    for (index, restraint) in EnforcedLimit::ALL.iter().enumerate() {
        let scopes = engines.iter().map(|engine| engine.enforces[index].scope);
        let head = option(*restraint).map_or_else(|| PAUSE.to_owned(), |option| format!("`{option}`"));
        row(&mut text, &head, scopes);
    }
    for feature in Feature::ALL {
        if feature.homes().next().is_some() {
            let has = engines.iter().map(|engine| if engine.features.contains(feature) { "yes" } else { "no" });
            row(&mut text, &format!("`{feature}`"), has);
        }
    }
    text += "\n";
    text
}

fn row<'c>(text: &mut String, head: &str, cells: impl Iterator<Item = &'c str>) {
    let _ = write!(text, "\n| {head} |");
    for cell in cells {
        let _ = write!(text, " {cell} |");
    }
}
