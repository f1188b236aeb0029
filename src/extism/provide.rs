//! Adds the functions of `extism:host/env` to the imports of a plug-in.

use std::borrow::Cow;
use std::sync::Arc;

use super::function::PluginFunction;
use super::options::PluginOptions;
use super::state::PluginHost;
use super::{host, kernel};
use crate::capabilities::Capabilities;
use crate::module::info::ModuleInfo;
use crate::module::requirements::{EXTISM_ENV, imports_extism};
use crate::runtime::host::{HostImports, HostItem};

static KERNEL: [PluginFunction; 20] = kernel::FUNCTIONS;
static HOST: [PluginFunction; 12] = host::FUNCTIONS;

/// Adds the functions that a plug-in imports to the host's imports, with new memory for one instance. Changes nothing if the
/// module is not a plug-in. Functions in `imports` take precedence.
pub(crate) fn provide<'h>(
    info: &ModuleInfo,
    options: &PluginOptions,
    capabilities: &Capabilities,
    imports: &'h HostImports,
) -> Cow<'h, HostImports> {
    if !imports_extism(info) {
        return Cow::Borrowed(imports);
    }
    let plugin = Arc::new(PluginHost::new(options.clone(), &capabilities.net));
    let wanted = |function: &&PluginFunction| {
        let is_wanted = |name: &str| name == function.name && imports.get(EXTISM_ENV, name).is_none();
        info.imports.iter().any(|import| import.module == EXTISM_ENV && is_wanted(&import.name))
    };
    let functions = KERNEL.iter().chain(&HOST).filter(wanted);
    let mut imports = functions.fold(imports.clone(), |imports, function| {
        imports.with(EXTISM_ENV, function.name, HostItem::Func(function.host_function(&plugin)))
    });
    imports.plugin = Some(plugin);
    Cow::Owned(imports)
}
