//! Plain names for exports: those that are generated hold any characters, which a shell or a terminal may not take.

use wasm_encoder::{ExportKind, ExportSection, Module, RawSection};
use wasmparser::{ExternalKind, Parser, Payload};

/// Names the exports `f0`, `g1`, `m2`, `t3` and `e4`, after their kind and their place in the section. `None` if the module cannot be read.
pub(super) fn renamed(binary: &[u8]) -> Option<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(binary) {
        match payload.ok()? {
            Payload::ExportSection(exports) => {
                let mut section = ExportSection::new();
                for (place, export) in exports.into_iter().enumerate() {
                    let export = export.ok()?;
                    let (letter, kind) = match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => ('f', ExportKind::Func),
                        ExternalKind::Global => ('g', ExportKind::Global),
                        ExternalKind::Memory => ('m', ExportKind::Memory),
                        ExternalKind::Table => ('t', ExportKind::Table),
                        ExternalKind::Tag => ('e', ExportKind::Tag),
                    };
                    section.export(&format!("{letter}{place}"), kind, export.index);
                }
                module.section(&section);
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    module.section(&RawSection { id, data: &binary[range] });
                }
            }
        }
    }
    Some(module.finish())
}

/// Returns whether a memory is shared.
pub(super) fn has_shared_memory(binary: &[u8]) -> bool {
    Parser::new(0).parse_all(binary).any(|payload| match payload {
        Ok(Payload::MemorySection(memories)) => memories.into_iter().flatten().any(|memory| memory.shared),
        _ => false,
    })
}
