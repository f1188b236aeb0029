//! Private exports: what rewritten code exports for this backend only, and the values of its private globals.

use wasmer::{ExportError, Function, Instance};

use crate::config::RuntimeConfig;
use crate::engine::kind::Compiler;
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::{ExternType, ModuleInfo};
use crate::module::requirements;

/// The value that guest code sets the fuel global to when it finds it below zero. It is never reached by counting, so it
/// distinguishes exhaustion from an `unreachable` in the guest's own code.
pub(super) const EXHAUSTED: i64 = i64::MIN;

/// The stop flag's value while the guest may run.
pub(super) const GO: i32 = 0;
/// The stop flag's value once the guest must stop. Written by the host.
pub(super) const STOP: i32 = 1;
/// The stop flag's value once the guest has stopped. Only the guest writes it, so it distinguishes a stop from an
/// `unreachable` in the guest's own code.
pub(super) const STOPPED: i32 = 2;

/// The names of a module's private exports, which it does not use itself.
#[derive(Clone, Debug, Default)]
pub(super) struct PrivateExports {
    /// The fuel global, if fuel is metered.
    pub(super) fuel: Option<String>,
    /// The flag by which other threads stop the guest, if they can.
    pub(super) stop: Option<String>,
    /// The table size of the last denied growth, if a table can grow: the engine reports denied growth to the guest only.
    pub(super) denied: Option<String>,
    /// The start function, which the runtime calls once the instance is set up.
    pub(super) start: Option<String>,
    /// Whether Singlepass compiles the module.
    pub(super) singlepass: bool,
}

impl PrivateExports {
    /// Selects the private exports that a module needs.
    pub(super) fn of(info: &ModuleInfo, config: &RuntimeConfig) -> Self {
        let name_if = |needed: bool, name: &str| needed.then(|| info.unused_export(name));
        // A program's threads stop with it, even without interruption. Fuel is not metered, since each thread would have
        // its own fuel.
        let threads = requirements::starts_threads(info);
        Self {
            fuel: name_if(config.metering && !threads, "wrun:fuel"),
            stop: name_if(config.interruption || threads, "wrun:stop"),
            denied: name_if(may_grow_tables(info), "wrun:denied"),
            start: name_if(info.start.is_some(), "wrun:start"),
            singlepass: config.effective_compiler() == Compiler::Singlepass,
        }
    }

    /// Returns whether the module needs no private exports.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self { fuel: None, stop: None, denied: None, start: None, .. })
    }

    /// Returns whether the code checks fuel or the stop flag.
    pub(super) fn has_checks(&self) -> bool {
        self.fuel.is_some() || self.stop.is_some()
    }

    /// Returns the deferred start function of an instance, if it has one.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] if the code lacks the export.
    pub(super) fn start<'i>(&self, instance: &'i Instance) -> Result<Option<&'i Function>> {
        let start = self.start.as_ref().map(|name| instance.exports.get_function(name));
        start.transpose().map_err(missing)
    }
}

/// Creates the error for code that lacks a private export.
pub(super) fn missing(error: ExportError) -> Error {
    Error::new(ErrorKind::Internal, "the compiled code lacks a private export").with_source(error)
}

/// Returns whether a module has a table that may grow, its own or an imported one.
fn may_grow_tables(info: &ModuleInfo) -> bool {
    let imported = info.imports.iter().filter_map(|import| match &import.ty {
        ExternType::Table(ty) => Some(ty),
        _ => None,
    });
    info.tables.iter().chain(imported).any(|ty| ty.maximum.is_none_or(|maximum| maximum > ty.minimum))
}
