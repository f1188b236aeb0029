//! The report of `wrun inspect` about a module.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use wrun::escape::{Escaped, EscapedPath};
use wrun::extism;
use wrun::module::info::{CustomSection, Producer};
use wrun::module::requirements::{self, HostCapability};
use wrun::{ExternType, Feature, FuncType, MemoryType, ModuleInfo, TableType, ValType};

use crate::cli::output::inspect_sections::{EngineSupport, custom_sections, producers, requirements, section};

/// What `wrun inspect` reports about a module.
#[derive(Debug, Serialize)]
pub(crate) struct ModuleReport {
    module: String,
    kind: &'static str,
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
    /// The functions of an Extism plug-in; null for another module.
    plugin_functions: Option<Vec<String>>,
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

impl ModuleReport {
    /// Inspects a binary module.
    pub(super) fn new(path: &Path, binary: &[u8]) -> wrun::Result<Self> {
        let info = ModuleInfo::read(binary)?;
        let features = requirements::features(binary)?;
        let capabilities = requirements::host_capabilities(&info);
        let plugin_functions = extism::is_plugin(&info).then(|| {
            let functions = info.functions().map(|(name, _)| name);
            functions.filter(|name| extism::is_plugin_function(&info, name)).map(str::to_owned).collect()
        });
        let imports = info.imports.into_iter().map(|one| ExternReport::new(Some(one.module), one.name, one.ty));
        let exports = info.exports.into_iter().map(|one| ExternReport::new(None, one.name, one.ty));
        Ok(Self {
            module: path.display().to_string(),
            kind: "module",
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
            engines: EngineSupport::all(&features, binary),
            features,
            capabilities,
            plugin_functions,
        })
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
pub(super) fn text(report: &ModuleReport) -> String {
    let name = report.name.as_ref().map_or_else(String::new, |name| format!(" ({})", Escaped(name)));
    let plural = if report.functions == 1 { "" } else { "s" };
    let mut text = format!(
        "{}{name}: {} bytes, {} function{plural}\n",
        EscapedPath(Path::new(&report.module)),
        report.size,
        report.functions
    );
    if let Some(start) = report.start {
        text += &format!("start function: func[{start}]\n");
    }
    section(&mut text, "imports", &report.imports, ExternReport::line);
    section(&mut text, "exports", &report.exports, ExternReport::line);
    section(&mut text, "memories", &report.memories, MemoryType::to_string);
    section(&mut text, "tables", &report.tables, TableType::to_string);
    custom_sections(&mut text, &report.custom_sections);
    producers(&mut text, &report.producers);
    section(&mut text, "functions of the Extism plug-in", report.plugin_functions.iter().flatten(), |name| {
        Escaped(name).to_string()
    });
    requirements(&mut text, &report.features, &report.engines, &report.capabilities);
    text
}
