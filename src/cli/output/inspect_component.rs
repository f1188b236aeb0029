//! The report of `wrun inspect` about a component.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use wrun::component::info::{ComponentExtern, ComponentItem};
use wrun::component::{host_capabilities, wit_text};
use wrun::escape::{Escaped, EscapedPath, EscapedText};
use wrun::module::info::{CustomSection, Producer};
use wrun::module::requirements::{self, HostCapability};
use wrun::{ComponentInfo, Feature};

use crate::cli::output::inspect_sections::{EngineSupport, custom_sections, producers, requirements, section};
use crate::cli::output::wit_types::{ItemReport, TypeReport, TypeTable};

/// What `wrun inspect` reports about a component.
#[derive(Debug, Serialize)]
pub(crate) struct ComponentReport {
    module: String,
    kind: &'static str,
    name: Option<String>,
    size: usize,
    /// The number of core modules in it.
    modules: u32,
    /// The interfaces that make it a program.
    programs: Vec<String>,
    imports: Vec<ItemReport>,
    exports: Vec<ItemReport>,
    /// The types that imports and exports refer to by their index.
    types: Vec<TypeReport>,
    /// `null` if WIT cannot express the component.
    wit: Option<String>,
    custom_sections: Vec<CustomSection>,
    producers: Vec<Producer>,
    features: BTreeSet<Feature>,
    engines: Vec<EngineSupport>,
    capabilities: BTreeSet<HostCapability>,
    /// The imports and exports as text, and the reason, if there is no WIT.
    #[serde(skip)]
    unexpressed: Option<Unexpressed>,
}

#[derive(Debug)]
struct Unexpressed {
    reason: String,
    imports: Vec<String>,
    exports: Vec<String>,
}

impl ComponentReport {
    /// Inspects a binary component.
    pub(super) fn new(path: &Path, binary: &[u8]) -> wrun::Result<Self> {
        let info = ComponentInfo::read(binary)?;
        info.check_printable()?;
        let (wit, unexpressed) = match wit_text(binary, &info) {
            Ok(wit) => (Some(wit), None),
            Err(error) => {
                let (imports, exports) = (lines(&info.imports), lines(&info.exports));
                (None, Some(Unexpressed { reason: error.to_string(), imports, exports }))
            }
        };
        let features = requirements::features(binary)?;
        let mut types = TypeTable::default();
        let (imports, exports) = (types.items(&info.imports), types.items(&info.exports));
        Ok(Self {
            module: path.display().to_string(),
            kind: "component",
            programs: info.programs().into_iter().map(|(_, interface)| interface.to_owned()).collect(),
            engines: EngineSupport::all(&features, binary),
            capabilities: host_capabilities(&info),
            types: types.into_reports(),
            name: info.name,
            size: info.size,
            modules: info.modules,
            imports,
            exports,
            wit,
            custom_sections: info.custom_sections,
            producers: info.producers,
            features,
            unexpressed,
        })
    }
}

/// Describes imports or exports and the items of interfaces, one on each line.
fn lines(items: &[ComponentExtern]) -> Vec<String> {
    let line = |indent: &str, ComponentExtern { name, item }: &ComponentExtern| match item {
        ComponentItem::Func(ty) => format!("{indent}{}: {ty}", Escaped(name)),
        other => format!("{indent}{}: {}", Escaped(name), other.kind()),
    };
    let mut lines = Vec::new();
    for one in items {
        lines.push(line("", one));
        if let ComponentItem::Instance(items) = &one.item {
            lines.extend(items.iter().map(|item| line("  ", item)));
        }
    }
    lines
}

/// Formats the report as text.
pub(super) fn text(report: &ComponentReport) -> String {
    let name = report.name.as_ref().map_or_else(String::new, |name| format!(" ({})", Escaped(name)));
    let plural = if report.modules == 1 { "" } else { "s" };
    let ComponentReport { module, size, modules, .. } = report;
    let module = EscapedPath(Path::new(module));
    let mut text = format!("{module}{name}: component, {size} bytes, {modules} core module{plural}\n");
    if let Some(wit) = &report.wit {
        let wit = wit.trim_end().replace("\n}\npackage ", "\n}\n\npackage ");
        text += &format!("\n{}\n\n", EscapedText(&wit));
    }
    if let Some(Unexpressed { reason, imports, exports }) = &report.unexpressed {
        text += &format!("\n{reason}\n");
        section(&mut text, "imports", imports, String::clone);
        section(&mut text, "exports", exports, String::clone);
    }
    section(&mut text, "program", &report.programs, |interface| Escaped(interface).to_string());
    custom_sections(&mut text, &report.custom_sections);
    producers(&mut text, &report.producers);
    requirements(&mut text, &report.features, &report.engines, &report.capabilities);
    text
}
