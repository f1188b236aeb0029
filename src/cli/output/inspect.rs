//! The report of `wrun inspect`.

use std::path::Path;

use serde::Serialize;
use wrun::module::source::Binary;

use crate::cli::output::inspect_component::{self, ComponentReport};
use crate::cli::output::inspect_module::{self, ModuleReport};

/// What `wrun inspect` reports.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Inspection {
    /// About a module.
    Module(ModuleReport),
    /// About a component.
    Component(ComponentReport),
}

impl Inspection {
    /// Inspects a module or a component, binary or text.
    pub(crate) fn new(path: &Path, bytes: &[u8]) -> wrun::Result<Self> {
        match Binary::new(bytes)? {
            Binary::Module(binary) => ModuleReport::new(path, &binary).map(Self::Module),
            Binary::Component(binary) => ComponentReport::new(path, &binary).map(Self::Component),
        }
    }
}

/// Formats the report as text.
pub(crate) fn text(report: &Inspection) -> String {
    match report {
        Inspection::Module(report) => inspect_module::text(report),
        Inspection::Component(report) => inspect_component::text(report),
    }
}
