//! Deferred start functions. Wasmtime runs a start function during instantiation, along with initializers that also consume
//! fuel. To count the same fuel as Wasmer, the start function becomes an export, and the runtime calls it after
//! instantiation, once it has set the fuel limit.

use std::borrow::Cow;

use wasm_encoder::{Encode, ExportKind, ExportSection, Module, RawSection, SectionId};
use wasmparser::{Parser, Payload};

use crate::module::info::ModuleInfo;

/// A module to compile, with its start function possibly replaced by an export.
pub(super) struct DeferredStart<'a> {
    pub(super) binary: Cow<'a, [u8]>,
    /// The export that holds the start function, if it was replaced.
    pub(super) start: Option<String>,
    /// By how many bytes the rewrite moved the code section.
    pub(super) code_shift: i64,
}

impl<'a> DeferredStart<'a> {
    /// Keeps the module as it is: the engine runs its start function.
    pub(super) fn unchanged(binary: &'a [u8]) -> Self {
        Self { binary: Cow::Borrowed(binary), start: None, code_shift: 0 }
    }

    /// Exports the start function under an unused name and removes the start section.
    pub(super) fn rewrite(binary: &'a [u8], info: &ModuleInfo) -> wasmparser::Result<Self> {
        let (Some(start), Some(name)) = (info.start, export_name(info)) else { return Ok(Self::unchanged(binary)) };
        let mut module = Module::new();
        let mut exported = false;
        let (mut old_code_end, mut new_code_end) = (0, 0);
        for payload in Parser::new(0).parse_all(binary) {
            let payload = payload?;
            match &payload {
                Payload::StartSection { .. } if exported => {}
                Payload::StartSection { .. } => {
                    let mut exports = ExportSection::new();
                    exports.export(&name, ExportKind::Func, start);
                    module.section(&exports);
                }
                Payload::ExportSection(section) => {
                    let contents = append_export(&binary[section.range()], section.count(), &name, start);
                    module.section(&RawSection { id: SectionId::Export.into(), data: &contents });
                    exported = true;
                }
                Payload::CodeSectionEntry(_) => {}
                _ => {
                    let Some((id, range)) = payload.as_section() else { continue };
                    let end = range.end;
                    module.section(&RawSection { id, data: &binary[range] });
                    if matches!(payload, Payload::CodeSectionStart { .. }) {
                        (old_code_end, new_code_end) = (end, module.len());
                    }
                }
            }
        }
        let code_shift = i64::try_from(new_code_end).unwrap_or(0) - i64::try_from(old_code_end).unwrap_or(0);
        Ok(Self { binary: Cow::Owned(module.finish()), start: Some(name), code_shift })
    }
}

/// Returns the export name for a deferred start function, if the module has a start function.
pub(super) fn export_name(info: &ModuleInfo) -> Option<String> {
    info.start.map(|_| info.unused_export("wrun:start"))
}

/// Returns the contents of an export section of `count` entries with a function appended.
fn append_export(section: &[u8], count: u32, name: &str, function: u32) -> Vec<u8> {
    // The LEB128 encoding of the count may be padded; its last byte is the first one without the top bit.
    let count_length = section.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
    let mut contents = Vec::with_capacity(section.len() + name.len() + 8);
    (count + 1).encode(&mut contents);
    contents.extend_from_slice(&section[count_length..]);
    name.encode(&mut contents);
    ExportKind::Func.encode(&mut contents);
    function.encode(&mut contents);
    contents
}
