//! Checks the imports and the limits of an instance.

use super::{check_imports, wasix};
use crate::config::RuntimeConfig;
use crate::engine::kind::RuntimeKind;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::{LimitExceeded, LimitKind, Limits, MAX_TABLE_ELEMENTS};
use crate::module::info::{ExternType, Import, MemoryType, ModuleInfo};
use crate::runtime::host::{HostImports, HostItem};
use crate::runtime::{control, fuel};
use crate::value::types::ValType;

/// Refuses limits that are too large, or that a runtime of this configuration does not enforce.
///
/// # Errors
/// [`ErrorKind::UnsupportedConfig`].
pub fn check_amounts(config: &RuntimeConfig, limits: Limits) -> Result<()> {
    let unsupported = |message: String| Error::new(ErrorKind::UnsupportedConfig, message);
    match limits {
        Limits { fuel: Some(_), .. } if !config.metering => {
            let error = unsupported("a fuel limit needs a runtime that meters fuel".to_owned());
            Err(error.with_hint("create the runtime with `RuntimeConfig::with_metering`"))
        }
        Limits { fuel: Some(limit), .. } if limit > fuel::MAX_LIMIT => {
            Err(unsupported(format!("a fuel limit of {limit} is out of range: the maximum is {}", fuel::MAX_LIMIT)))
        }
        Limits { time: Some(_), .. } if !config.interruption => Err(control::uninterruptible()),
        _ => Ok(()),
    }
}

/// Checks the imports and the limits of an instance.
///
/// # Errors
/// Those of [`check_amounts`] and [`check_imports`]; [`ErrorKind::Limit`] if the initial memories or tables exceed
/// `limits`; [`ErrorKind::UnsupportedFeature`] if WASIX is unavailable in this configuration, or the engine cannot enforce
/// a limit for this module.
pub(crate) fn check_instance(
    config: &RuntimeConfig,
    info: &ModuleInfo,
    imports: &HostImports,
    limits: Limits,
) -> Result<()> {
    check_amounts(config, limits)?;
    wasix::check_wasix(config.kind, info, imports, limits)?;
    check_imports(info, imports)?;
    check_limits(config.kind, info, imports, limits)
}

/// Refuses a time limit if the guest waits on shared memory. Only the threads of a WASIX program can be stopped while they
/// wait.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`].
pub(crate) fn check_stoppable(info: &ModuleInfo, imports: &HostImports, limits: Limits) -> Result<()> {
    if info.waits && imports.wasix.is_none() && limits.time.is_some() {
        return Err(unstoppable());
    }
    Ok(())
}

/// The error for a time limit on a guest that waits on shared memory.
pub(crate) fn unstoppable() -> Error {
    let message = "the module waits on shared memory, which no engine can interrupt, so it cannot have a time limit";
    Error::new(ErrorKind::UnsupportedFeature, message)
}

/// Checks the initial size of memories and tables, the module's own and imported ones.
///
/// # Errors
/// [`ErrorKind::Limit`] with the limit and the size; [`ErrorKind::UnsupportedFeature`] if the engine cannot enforce a limit
/// for this module.
fn check_limits(kind: RuntimeKind, info: &ModuleInfo, imports: &HostImports, limits: Limits) -> Result<()> {
    // Fast path: everything below depends on these.
    if info.imports.is_empty() && info.memories.is_empty() && info.tables.is_empty() && info.tags == 0 {
        return Ok(());
    }
    if kind == RuntimeKind::Wasmer && limits.memory.is_some() {
        if info.tags > 0 {
            return Err(not_limited("a module with exceptions"));
        }
        let takes_function = |import: &Import| match &import.ty {
            ExternType::Func(ty) => ty.params().contains(&ValType::FuncRef),
            _ => false,
        };
        if info.imports.iter().any(takes_function) {
            return Err(not_limited("a module that passes functions to the host"));
        }
    }
    let imported_tables = imported(info, imports).filter_map(|item| match item {
        HostItem::Table(ty) => Some(ty.minimum),
        _ => None,
    });
    let bytes = committed_bytes(memories(info, imports));
    let elements = info.tables.iter().map(|ty| ty.minimum).chain(imported_tables).max().unwrap_or(0);
    let most = u64::from(MAX_TABLE_ELEMENTS);
    let most = limits.table_elements.unwrap_or(most).min(most);
    let checks = [(LimitKind::Memory, limits.memory, bytes), (LimitKind::TableElements, Some(most), elements)];
    for (kind, limit, attempted) in checks {
        if let Some(limit) = limit.filter(|limit| attempted > *limit) {
            return Err(Error::limit(LimitExceeded::new(kind, limit, attempted)));
        }
    }
    Ok(())
}

/// Refuses a memory limit for `module`: Wasmer allocates memory for it that no limit covers.
fn not_limited(module: &str) -> Error {
    let message = format!("wasmer cannot enforce a memory limit on {module}");
    Error::new(ErrorKind::UnsupportedFeature, message).with_hint("use `--runtime wasmtime`, which enforces the limit")
}

/// Returns the size of an instance's shared memories in bytes. They count with their maximum, because the engines do not
/// ask before they grow one.
pub(crate) fn shared_bytes(info: &ModuleInfo, imports: &HostImports) -> u64 {
    committed_bytes(memories(info, imports).filter(|ty| ty.shared))
}

fn imported<'h>(info: &ModuleInfo, imports: &'h HostImports) -> impl Iterator<Item = &'h HostItem> {
    info.imports.iter().filter_map(|import| imports.get(&import.module, &import.name))
}

/// Returns the memories of an instance, its own and imported ones.
fn memories(info: &ModuleInfo, imports: &HostImports) -> impl Iterator<Item = MemoryType> {
    let imported = imported(info, imports).filter_map(|item| match item {
        HostItem::Memory(ty) => Some(*ty),
        _ => None,
    });
    info.memories.iter().copied().chain(imported)
}

fn committed_bytes(memories: impl Iterator<Item = MemoryType>) -> u64 {
    memories.fold(0, |sum, ty| sum.saturating_add(ty.committed_bytes()))
}
