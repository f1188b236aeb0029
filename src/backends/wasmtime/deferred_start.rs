//! A start function that waits. Wasmtime runs it inside instantiation, together with initialisers of its own that use
//! fuel too; for fuel to be the same on both engines, the tank is filled after those and before the start function.

use std::borrow::Cow;

use wasm_encoder::{Encode, ExportKind, ExportSection, Module, RawSection, SectionId};
use wasmparser::{Parser, Payload};

use crate::module::info::ModuleInfo;
use crate::runtime::fuel;

/// A module whose start function is called by whoever instantiates it.
pub(super) struct DeferredStart<'a> {
    pub(super) binary: Cow<'a, [u8]>,
    /// The export by which the start function is called, where the module has one.
    pub(super) start: Option<String>,
    /// How many bytes later its code stands than in the module as it came.
    pub(super) code_shift: i64,
}

impl<'a> DeferredStart<'a> {
    /// The module as it came, its start function run by the engine.
    pub(super) fn not(binary: &'a [u8]) -> Self {
        Self { binary: Cow::Borrowed(binary), start: None, code_shift: 0 }
    }

    /// The same module with its start function exported under a name it does not use, and no start section.
    pub(super) fn of(binary: &'a [u8], info: &ModuleInfo) -> wasmparser::Result<Self> {
        let (Some(start), Some(name)) = (info.start, name(info)) else { return Ok(Self::not(binary)) };
        let mut module = Module::new();
        let mut exported = false;
        let (mut code_was, mut code_is) = (0, 0);
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
                    let contents = one_more(&binary[section.range()], section.count(), &name, start);
                    module.section(&RawSection { id: SectionId::Export.into(), data: &contents });
                    exported = true;
                }
                Payload::CodeSectionEntry(_) => {}
                _ => {
                    let Some((id, range)) = payload.as_section() else { continue };
                    let end = range.end;
                    module.section(&RawSection { id, data: &binary[range] });
                    if matches!(payload, Payload::CodeSectionStart { .. }) {
                        (code_was, code_is) = (end, module.len());
                    }
                }
            }
        }
        let code_shift = i64::try_from(code_is).unwrap_or(0) - i64::try_from(code_was).unwrap_or(0);
        Ok(Self { binary: Cow::Owned(module.finish()), start: Some(name), code_shift })
    }
}

/// The export by which a start function that waits is called, where the module has one.
pub(super) fn name(info: &ModuleInfo) -> Option<String> {
    info.start.map(|_| fuel::unused_export(info, "wrun:start"))
}

/// The contents of an export section with one function more than its `count`, which they start with.
fn one_more(section: &[u8], count: u32, name: &str, function: u32) -> Vec<u8> {
    // A number may be written longer than it need be; its last byte is the first without the top bit.
    let count_length = section.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
    let mut contents = Vec::with_capacity(section.len() + name.len() + 8);
    (count + 1).encode(&mut contents);
    contents.extend_from_slice(&section[count_length..]);
    name.encode(&mut contents);
    ExportKind::Func.encode(&mut contents);
    function.encode(&mut contents);
    contents
}
