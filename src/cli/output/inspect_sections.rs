//! The parts that the reports of `wrun inspect` about modules and components share.

use std::collections::BTreeSet;

use serde::Serialize;
use wrun::engine::features;
use wrun::escape::Escaped;
use wrun::module::info::{CustomSection, Producer};
use wrun::module::requirements::HostCapability;
use wrun::runtime::preflight;
use wrun::session::InstanceOptions;
use wrun::{Compiler, Feature, RuntimeConfig, RuntimeKind};

/// Whether `wrun` can run the module or component on one engine and compiler, with the imports that it provides.
#[derive(Debug, Serialize)]
pub(super) struct EngineSupport {
    runtime: RuntimeKind,
    compiler: Compiler,
    compiled_in: bool,
    runs: bool,
    missing: Vec<Feature>,
    /// Why it cannot run; null if it runs or lacks features.
    reason: Option<String>,
}

impl EngineSupport {
    /// Checks every engine with each of its compilers.
    pub(super) fn all(needed: &BTreeSet<Feature>, binary: &[u8]) -> Vec<Self> {
        let new = |(runtime, compiler)| Self::new(runtime, compiler, needed, binary);
        features::combinations().map(new).collect()
    }

    fn new(runtime: RuntimeKind, compiler: Compiler, needed: &BTreeSet<Feature>, binary: &[u8]) -> Self {
        let is_missing = |one: &Feature| !one.is_supported(runtime, compiler) || !one.is_available();
        let missing: Vec<_> = needed.iter().copied().filter(is_missing).collect();
        let config = RuntimeConfig::new(runtime).with_compiler(compiler);
        let reason = if missing.is_empty() { refusal(&config, binary) } else { None };
        let runs = missing.is_empty() && reason.is_none();
        Self { runtime, compiler, compiled_in: runtime.is_available(), runs, missing, reason }
    }
}

/// Returns why a binary cannot run.
fn refusal(config: &RuntimeConfig, binary: &[u8]) -> Option<String> {
    let mut options = InstanceOptions::default();
    options.caller_ends_process = true;
    let checked = preflight::admit(config, binary).and_then(|code| options.check_code(config, &code.info()));
    checked.err().map(|error| error.message().to_owned())
}

/// Adds the custom sections.
pub(super) fn custom_sections(text: &mut String, sections: &[CustomSection]) {
    section(text, "custom sections", sections, |one| format!("{}: {} bytes", Escaped(&one.name), one.size));
}

/// Adds the producers.
pub(super) fn producers(text: &mut String, producers: &[Producer]) {
    section(text, "producers", producers, |one| {
        let version = Some(&one.version).filter(|version| !version.is_empty());
        let version = version.map_or_else(String::new, |version| format!(" {}", Escaped(version)));
        format!("{}: {}{version}", Escaped(&one.field), Escaped(&one.name))
    });
}

/// Adds the features, the engines and the capabilities.
pub(super) fn requirements(
    text: &mut String,
    features: &BTreeSet<Feature>,
    engines: &[EngineSupport],
    capabilities: &BTreeSet<HostCapability>,
) {
    section(text, "features", features, Feature::to_string);
    section(text, "engines", engines, engine_line);
    section(text, "capabilities that its imports need", capabilities, |one| {
        serde_json::to_string(one).unwrap_or_default().trim_matches('"').to_owned()
    });
}

fn engine_line(engine: &EngineSupport) -> String {
    let EngineSupport { runtime, compiler, .. } = engine;
    let note = if engine.compiled_in { "" } else { " (not compiled in)" };
    if engine.runs {
        return format!("{runtime} {compiler}: can run it{note}");
    }
    if let Some(reason) = &engine.reason {
        let lines: Vec<_> = reason.lines().map(str::trim_start).collect();
        return format!("{runtime} {compiler}: cannot run it{note}: {}", lines.join("\n    "));
    }
    let missing: Vec<_> = engine.missing.iter().map(Feature::to_string).collect();
    format!("{runtime} {compiler}: lacks {}{note}", missing.join(", "))
}

/// Adds a section, if it has items.
pub(super) fn section<'r, T: 'r>(
    text: &mut String,
    title: &str,
    items: impl IntoIterator<Item = &'r T>,
    line: impl Fn(&T) -> String,
) {
    let lines: String = items.into_iter().map(|item| format!("  {}\n", line(item).trim_end())).collect();
    if !lines.is_empty() {
        *text += &format!("{title}:\n{lines}");
    }
}
