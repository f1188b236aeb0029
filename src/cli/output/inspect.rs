//! The report of `wrun inspect`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use wrun::engine::features;
use wrun::escape::Escaped;
use wrun::module::info::{CustomSection, Producer};
use wrun::module::requirements::{self, HostCapability};
use wrun::module::source;
use wrun::runtime::preflight;
use wrun::{Compiler, ExternType, Feature, MemoryType, ModuleInfo, RuntimeConfig, RuntimeKind, TableType, ValType};

/// What `wrun inspect` reports about a module.
#[derive(Debug, Serialize)]
pub(crate) struct Inspection {
    module: String,
    name: Option<String>,
    size: usize,
    functions: u32,
    start: Option<u32>,
    imports: Vec<ImportReport>,
    exports: Vec<ExportReport>,
    memories: Vec<MemoryType>,
    tables: Vec<TableType>,
    custom_sections: Vec<CustomSection>,
    producers: Vec<Producer>,
    features: BTreeSet<Feature>,
    engines: Vec<EngineSupport>,
    capabilities: BTreeSet<HostCapability>,
}

#[derive(Debug, Serialize)]
struct ImportReport {
    module: String,
    name: String,
    #[serde(flatten)]
    ty: TypeReport,
}

#[derive(Debug, Serialize)]
struct ExportReport {
    name: String,
    #[serde(flatten)]
    ty: TypeReport,
}

/// A type in full, and as text.
#[derive(Debug, Serialize)]
struct TypeReport {
    kind: &'static str,
    #[serde(rename = "type")]
    ty: TypeDetail,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TypeDetail {
    Func { params: Vec<String>, results: Vec<String> },
    Global { value: String, mutable: bool },
    Memory(MemoryType),
    Table(TableType),
}

/// Whether one engine and compiler can run the module if its imports are provided.
#[derive(Debug, Serialize)]
struct EngineSupport {
    runtime: RuntimeKind,
    compiler: Compiler,
    compiled_in: bool,
    runs: bool,
    missing: Vec<Feature>,
}

impl Inspection {
    /// Inspects a module, binary or text.
    pub(crate) fn new(path: &Path, bytes: &[u8]) -> wrun::Result<Self> {
        let binary = source::to_binary(bytes)?;
        let info = ModuleInfo::read(&binary)?;
        let features = requirements::features(&binary)?;
        let engines = features::combinations()
            .map(|(runtime, compiler)| EngineSupport::new(runtime, compiler, &features, &binary));
        let capabilities = requirements::host_capabilities(&info);
        let imports = info.imports.into_iter();
        let exports = info.exports.into_iter();
        Ok(Self {
            module: path.display().to_string(),
            name: info.name,
            size: info.size,
            functions: info.functions,
            start: info.start,
            imports: imports
                .map(|import| ImportReport { module: import.module, name: import.name, ty: import.ty.into() })
                .collect(),
            exports: exports.map(|export| ExportReport { name: export.name, ty: export.ty.into() }).collect(),
            memories: info.memories,
            tables: info.tables,
            custom_sections: info.custom_sections,
            producers: info.producers,
            engines: engines.collect(),
            features,
            capabilities,
        })
    }
}

impl EngineSupport {
    fn new(runtime: RuntimeKind, compiler: Compiler, needed: &BTreeSet<Feature>, binary: &[u8]) -> Self {
        let missing: Vec<_> = needed.iter().copied().filter(|one| !one.is_supported(runtime, compiler)).collect();
        let config = RuntimeConfig::new(runtime).with_compiler(compiler);
        let runs = missing.is_empty() && preflight::admit(&config, binary).is_ok();
        Self { runtime, compiler, compiled_in: runtime.is_available(), runs, missing }
    }
}

impl From<ExternType> for TypeReport {
    fn from(ty: ExternType) -> Self {
        let (kind, text) = (ty.kind(), ty.to_string());
        let names = |types: &[ValType]| types.iter().map(ValType::to_string).collect();
        let detail = match ty {
            ExternType::Global(value, mutable) => TypeDetail::Global { value: value.to_string(), mutable },
            ExternType::Memory(ty) => TypeDetail::Memory(ty),
            ExternType::Table(ty) => TypeDetail::Table(ty),
            ExternType::Func(ty) | ExternType::Tag(ty) => {
                TypeDetail::Func { params: names(ty.params()), results: names(ty.results()) }
            }
            other => TypeDetail::Func { params: vec![other.to_string()], results: Vec::new() },
        };
        Self { kind, ty: detail, text }
    }
}

/// Formats the report as text.
pub(crate) fn text(report: &Inspection) -> String {
    let name = report.name.as_ref().map_or_else(String::new, |name| format!(" ({})", Escaped(name)));
    let mut text = format!(
        "{}{name}: {} bytes, {} function{}\n",
        report.module,
        report.size,
        report.functions,
        if report.functions == 1 { "" } else { "s" }
    );
    if let Some(start) = report.start {
        text += &format!("start function: func[{start}]\n");
    }
    let imports = report
        .imports
        .iter()
        .map(|import| format!("{} {}: {}", Escaped(&import.module), Escaped(&import.name), import.ty.text));
    section(&mut text, "imports", imports);
    section(
        &mut text,
        "exports",
        report.exports.iter().map(|export| format!("{}: {}", Escaped(&export.name), export.ty.text)),
    );
    section(&mut text, "memories", report.memories.iter().map(MemoryType::to_string));
    section(&mut text, "tables", report.tables.iter().map(TableType::to_string));
    let sections =
        report.custom_sections.iter().map(|section| format!("{}: {} bytes", Escaped(&section.name), section.size));
    section(&mut text, "custom sections", sections);
    let producers = report
        .producers
        .iter()
        .map(|one| format!("{}: {} {}", Escaped(&one.field), Escaped(&one.name), Escaped(&one.version)));
    section(&mut text, "producers", producers);
    let engines = if report.imports.is_empty() { "engines" } else { "engines (if its imports are provided)" };
    section(&mut text, "features", report.features.iter().map(Feature::to_string));
    section(&mut text, engines, report.engines.iter().map(engine_line));
    let name = |one: &HostCapability| serde_json::to_string(one).unwrap_or_default().trim_matches('"').to_owned();
    section(&mut text, "capabilities that its imports need", report.capabilities.iter().map(name));
    text
}

fn engine_line(engine: &EngineSupport) -> String {
    let EngineSupport { runtime, compiler, .. } = engine;
    let note = if engine.compiled_in { "" } else { " (not compiled in)" };
    if engine.runs {
        return format!("{runtime} {compiler}: can run it{note}");
    }
    if engine.missing.is_empty() {
        return format!("{runtime} {compiler}: cannot run it{note}");
    }
    let missing: Vec<_> = engine.missing.iter().map(Feature::to_string).collect();
    format!("{runtime} {compiler}: lacks {}{note}", missing.join(", "))
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    let _ = writeln!(text, "{title}:");
    for line in lines {
        let _ = writeln!(text, "  {}", line.trim_end());
    }
}
