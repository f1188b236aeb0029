//! The report of `wrun inspect`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use wrun::engine::features;
use wrun::escape::Escaped;
use wrun::module::info::{CustomSection, Producer};
use wrun::module::requirements::{self, HostCapability};
use wrun::module::source;
use wrun::runtime::preflight;
use wrun::{
    Compiler, ExternType, Feature, FuncType, MemoryType, ModuleInfo, RuntimeConfig, RuntimeKind, TableType, ValType,
};

/// What `wrun inspect` reports about a module.
#[derive(Debug, Serialize)]
pub(crate) struct Inspection {
    module: String,
    name: Option<String>,
    size: usize,
    functions: u32,
    start: Option<u32>,
    imports: Vec<ExternReport>,
    exports: Vec<ExternReport>,
    memories: Vec<MemoryType>,
    tables: Vec<TableType>,
    custom_sections: Vec<CustomSection>,
    producers: Vec<Producer>,
    features: BTreeSet<Feature>,
    engines: Vec<EngineSupport>,
    capabilities: BTreeSet<HostCapability>,
}

/// An import or an export.
#[derive(Debug, Serialize)]
struct ExternReport {
    /// Only imports have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    name: String,
    kind: &'static str,
    #[serde(rename = "type")]
    ty: TypeDetail,
    /// The type as text.
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum TypeDetail {
    Func(FuncType),
    Global { value: ValType, mutable: bool },
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
        let imports = info.imports.into_iter().map(|one| ExternReport::new(Some(one.module), one.name, one.ty));
        let exports = info.exports.into_iter().map(|one| ExternReport::new(None, one.name, one.ty));
        Ok(Self {
            module: path.display().to_string(),
            name: info.name,
            size: info.size,
            functions: info.functions,
            start: info.start,
            imports: imports.collect(),
            exports: exports.collect(),
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

impl ExternReport {
    fn new(module: Option<String>, name: String, ty: ExternType) -> Self {
        let (kind, text) = (ty.kind(), ty.to_string());
        let ty = match ty {
            ExternType::Global(value, mutable) => TypeDetail::Global { value, mutable },
            ExternType::Memory(ty) => TypeDetail::Memory(ty),
            ExternType::Table(ty) => TypeDetail::Table(ty),
            ExternType::Func(ty) | ExternType::Tag(ty) => TypeDetail::Func(ty),
            _ => TypeDetail::Func(FuncType::default()),
        };
        Self { module, name, kind, ty, text }
    }

    fn line(&self) -> String {
        let module = self.module.as_ref().map_or_else(String::new, |module| format!("{} ", Escaped(module)));
        format!("{module}{}: {}", Escaped(&self.name), self.text)
    }
}

/// Formats the report as text.
pub(crate) fn text(report: &Inspection) -> String {
    let name = report.name.as_ref().map_or_else(String::new, |name| format!(" ({})", Escaped(name)));
    let plural = if report.functions == 1 { "" } else { "s" };
    let mut text = format!("{}{name}: {} bytes, {} function{plural}\n", report.module, report.size, report.functions);
    if let Some(start) = report.start {
        text += &format!("start function: func[{start}]\n");
    }
    section(&mut text, "imports", &report.imports, ExternReport::line);
    section(&mut text, "exports", &report.exports, ExternReport::line);
    section(&mut text, "memories", &report.memories, MemoryType::to_string);
    section(&mut text, "tables", &report.tables, TableType::to_string);
    section(&mut text, "custom sections", &report.custom_sections, |one| {
        format!("{}: {} bytes", Escaped(&one.name), one.size)
    });
    section(&mut text, "producers", &report.producers, |one| {
        let version = Some(&one.version).filter(|version| !version.is_empty());
        let version = version.map_or_else(String::new, |version| format!(" {}", Escaped(version)));
        format!("{}: {}{version}", Escaped(&one.field), Escaped(&one.name))
    });
    section(&mut text, "features", &report.features, Feature::to_string);
    let engines = if report.imports.is_empty() { "engines" } else { "engines (if its imports are provided)" };
    section(&mut text, engines, &report.engines, engine_line);
    section(&mut text, "capabilities that its imports need", &report.capabilities, |one| {
        serde_json::to_string(one).unwrap_or_default().trim_matches('"').to_owned()
    });
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

fn section<'r, T: 'r>(
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
