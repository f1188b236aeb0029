//! Reads the facts of a component out of its binary.

use wasmparser::types::Types;
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentName, KnownCustom, Parser, Payload, TypeRef, WasmFeatures,
};

use crate::component::info::ComponentInfo;
use crate::component::type_reader::TypeReader;
use crate::error::Result;
use crate::module::info::CustomSection;
use crate::module::parse::{has_wait, producers};
use crate::module::validation::{invalid, validate};

impl ComponentInfo {
    /// Reads a binary component with any features.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidModule`](crate::ErrorKind::InvalidModule) if it is malformed or invalid.
    pub fn read(binary: &[u8]) -> Result<Self> {
        let types = validate(binary, WasmFeatures::all())?;
        Self::read_valid(binary, &types).map_err(|error| invalid(&error, binary))
    }

    /// Reads a binary that validation found to have these `types`.
    pub(crate) fn read_valid(binary: &[u8], types: &Types) -> wasmparser::Result<Self> {
        let mut info = Self { size: binary.len(), ..Self::default() };
        let (mut imports, mut exports) = (Vec::new(), Vec::new());
        // How many modules and components the current position is in.
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(binary) {
            match payload? {
                Payload::ModuleSection { .. } => (info.modules, depth) = (info.modules + 1, depth + 1),
                Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        info.shares_memory |= matches!(import?.ty, TypeRef::Memory(ty) if ty.shared);
                    }
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        info.shares_memory |= memory?.shared;
                    }
                }
                Payload::ComponentCanonicalSection(section) => {
                    for function in section {
                        info.is_concurrent |= is_concurrent(&function?);
                    }
                }
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        imports.push(import?.name.name);
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        exports.push(export?.name.name);
                    }
                }
                Payload::CustomSection(section) if depth == 0 => {
                    let (name, size) = (section.name().to_owned(), section.data().len());
                    info.custom_sections.push(CustomSection { name, size });
                    info.read_custom(section.as_known());
                }
                _ => {}
            }
        }
        let types_of = types.as_ref();
        let item = |name, item: Option<_>| item.map(|item| (name, item));
        let imports: Vec<_> =
            imports.into_iter().filter_map(|name| item(name, types_of.component_item_for_import(name))).collect();
        let exports: Vec<_> =
            exports.into_iter().filter_map(|name| item(name, types_of.component_item_for_export(name))).collect();
        let mut reader = TypeReader::new(types, imports.iter().chain(&exports).copied());
        info.imports = reader.externs(imports.into_iter());
        info.exports = reader.externs(exports.into_iter());
        info.waits = info.shares_memory && any_wait(binary)?;
        Ok(info)
    }

    /// Reads the name and the producers. A malformed custom section does not make a component invalid, so entries that cannot
    /// be read are left out.
    fn read_custom(&mut self, section: KnownCustom<'_>) {
        match section {
            KnownCustom::ComponentName(names) => {
                for name in names.into_iter().flatten() {
                    if let ComponentName::Component { name, .. } = name {
                        self.name = Some(name.to_owned());
                    }
                }
            }
            KnownCustom::Producers(fields) => self.producers.extend(producers(fields)),
            _ => {}
        }
    }
}

/// Whether a function needs the engine's support for concurrent tasks.
fn is_concurrent(function: &CanonicalFunction) -> bool {
    match function {
        CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => {
            options.contains(&CanonicalOption::Async)
        }
        CanonicalFunction::ResourceNew { .. }
        | CanonicalFunction::ResourceDrop { .. }
        | CanonicalFunction::ResourceRep { .. } => false,
        _ => true,
    }
}

/// Whether any function of any module has an instruction that waits for another thread to notify it.
fn any_wait(binary: &[u8]) -> wasmparser::Result<bool> {
    for payload in Parser::new(0).parse_all(binary) {
        if let Payload::CodeSectionEntry(body) = payload?
            && has_wait(&body)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}
