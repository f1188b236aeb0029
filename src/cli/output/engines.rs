//! The report of `wrun engines`.

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
    /// The option that sets it; only the library can pause.
    option: Option<&'static str>,
    scope: &'static str,
}

/// The name of the one limit without an option.
const PAUSE: &str = "pause (library)";

fn option(limit: EnforcedLimit) -> Option<&'static str> {
    match limit {
        EnforcedLimit::Memory => Some("--memory"),
        EnforcedLimit::TableElements => Some("--table-elements"),
        EnforcedLimit::Stack => Some("--stack"),
        EnforcedLimit::Fuel => Some("--fuel"),
        EnforcedLimit::Time => Some("--timeout"),
        _ => None,
    }
}

/// Reports every engine with every compiler, compiled in or not.
pub(crate) fn all() -> Vec<EngineReport> {
    let limit =
        |limit: EnforcedLimit, kind| EnforcedLimitReport { limit, option: option(limit), scope: limit.scope(kind) };
    let report = |(runtime, compiler): (RuntimeKind, Compiler)| EngineReport {
        runtime,
        compiler,
        version: runtime.version(),
        compiled_in: runtime.is_available(),
        default: runtime == RuntimeKind::default() && compiler == Compiler::Cranelift,
        enforces: EnforcedLimit::ALL.iter().map(|one| limit(*one, runtime)).collect(),
        features: Feature::supported(runtime, compiler).filter(|feature| feature.is_available()).collect(),
    };
    features::combinations().map(report).collect()
}

/// Formats the report as text.
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
        for limit in engine.enforces {
            let _ = writeln!(text, "  {:<17} {}", limit.option.unwrap_or(PAUSE), limit.scope);
        }
        let names: Vec<_> = engine.features.iter().map(|feature| feature.as_str()).collect();
        let _ = writeln!(text, "  {:<17} {}", "features", names.join(" "));
    }
    text
}

/// Formats the table in docs/engines.md, which is the same in every build.
pub(crate) fn markdown() -> String {
    let engines = all();
    let names: String = engines.iter().map(|engine| format!(" {} {} |", engine.runtime, engine.compiler)).collect();
    let mut text = format!("| |{names}\n| --- |{}\n", " --- |".repeat(engines.len()));
    text += &row("version", engines.iter().map(|engine| engine.version));
    for limit in EnforcedLimit::ALL {
        let scopes = engines.iter().map(|engine| limit.scope(engine.runtime));
        let name = option(*limit).map_or_else(|| PAUSE.to_owned(), |option| format!("`{option}`"));
        text += &row(&name, scopes);
    }
    for feature in Feature::ALL {
        if feature.homes().next().is_some() {
            let is_supported = |engine: &EngineReport| feature.is_supported(engine.runtime, engine.compiler);
            let supported = engines.iter().map(|engine| if is_supported(engine) { "yes" } else { "no" });
            text += &row(&format!("`{feature}`"), supported);
        }
    }
    text
}

fn row<'c>(name: &str, cells: impl Iterator<Item = &'c str>) -> String {
    let cells: String = cells.map(|cell| format!(" {cell} |")).collect();
    format!("| {name} |{cells}\n")
}
