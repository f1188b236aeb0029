//! What is decided before an engine is asked: configuration, validity, features, imports, limits, arguments. Said
//! once here, so that both engines refuse the same things in the same words.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::config::RuntimeConfig;
use crate::engine::features::{self, Feature};
use crate::engine::kind::{Compiler, Optimization, RuntimeKind};
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::limits::{LimitExceeded, LimitKind, Limits, MAX_TABLE_ELEMENTS};
use crate::module::info::{ExternType, Import, MemoryType, ModuleInfo, TableType};
use crate::module::{requirements, source, validation};
use crate::runtime::host::{HostImports, HostItem};
use crate::runtime::{control, fuel, wasix};
use crate::value::types::ValType;

/// The least stack an engine takes, in bytes: room for one host call.
pub const LEAST_STACK: u64 = 64 << 10;
/// The most stack an engine takes, in bytes.
pub const MOST_STACK: u64 = 1 << 30;

/// The most lines of a list in a message: more than anyone reads on a terminal.
pub(crate) const MOST_LISTED: usize = 40;

/// A module one engine and compiler accepts, before it is compiled.
#[derive(Clone, Debug)]
pub struct AdmittedModule<'a> {
    config: RuntimeConfig,
    binary: Cow<'a, [u8]>,
    info: Arc<ModuleInfo>,
}

impl AdmittedModule<'_> {
    /// The binary module, for a runtime of the configuration it was admitted by.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] where `config` is another.
    pub fn binary_for(&self, config: &RuntimeConfig) -> Result<&[u8]> {
        if self.config == *config {
            return Ok(&self.binary);
        }
        let message = "the module was admitted for a runtime of another configuration";
        Err(Error::new(ErrorKind::InvalidArgument, message))
    }

    /// The binary module.
    #[must_use]
    pub fn binary(&self) -> &[u8] {
        &self.binary
    }

    /// Its facts.
    #[must_use]
    pub fn info(&self) -> &Arc<ModuleInfo> {
        &self.info
    }
}

/// Checks a configuration without opening an engine.
///
/// # Errors
/// [`ErrorKind::EngineUnavailable`] where the engine is not compiled in; [`ErrorKind::UnsupportedConfig`] where it
/// lacks the compiler, or cannot hold the optimisation, the stack bound or canonical NaNs.
pub fn check_config(config: &RuntimeConfig) -> Result<()> {
    let kind = config.kind;
    if !kind.is_available() {
        let message = format!("the engine {kind} is not compiled into this wrun");
        let mut error = Error::new(ErrorKind::EngineUnavailable, message)
            .with_hint(format!("build with `--features {}`", kind.cargo_feature()));
        if let Some(other) = RuntimeKind::available().next() {
            error = error.with_hint(format!("or use `--runtime {other}`"));
        }
        return Err(error);
    }
    let compiler = config.effective_compiler();
    if !kind.compilers().contains(&compiler) {
        let message = format!("the engine {kind} has no compiler {compiler}");
        let homes = RuntimeKind::ALL.iter().filter(|kind| kind.compilers().contains(&compiler));
        return Err(homes.fold(Error::new(ErrorKind::UnsupportedConfig, message), |error, home| {
            error.with_hint(format!("{compiler} is on {home}: `--runtime {home}`"))
        }));
    }
    if let Some(wanted @ (Optimization::Speed | Optimization::Size)) = config.optimization
        && compiler == Compiler::Singlepass
    {
        let message = format!("singlepass does not optimise for {wanted}");
        return Err(Error::new(ErrorKind::UnsupportedConfig, message).with_hint("use `--compiler cranelift`"));
    }
    if config.canonical_nans && compiler == Compiler::Singlepass {
        // Its `f64.promote_f32` hands on the sign and payload it was given.
        let message = "singlepass does not make every NaN canonical";
        return Err(Error::new(ErrorKind::UnsupportedConfig, message).with_hint("use `--compiler cranelift`"));
    }
    let stack = config.effective_max_stack();
    if !(LEAST_STACK..=MOST_STACK).contains(&stack) {
        let message =
            format!("a guest stack of {stack} bytes: it must be {LEAST_STACK} (64 KiB) to {MOST_STACK} (1 GiB)");
        return Err(Error::new(ErrorKind::UnsupportedConfig, message));
    }
    Ok(())
}

/// Reads a module, binary or text, that the configured engine and compiler can run.
///
/// # Errors
/// [`ErrorKind::InvalidModule`] where it is none; [`ErrorKind::UnsupportedFeature`] where it needs what they lack.
pub fn admit<'a>(config: &RuntimeConfig, bytes: &'a [u8]) -> Result<AdmittedModule<'a>> {
    let binary = source::to_binary(bytes)?;
    let supported = features::flags(Feature::ALL.iter().copied().filter(|feature| has(config, *feature)));
    let types = validation::validate(&binary, supported).map_err(|error| explain(error, &binary, config))?;
    let info = ModuleInfo::read_valid(&binary, &types)
        .map_err(|error| Error::new(ErrorKind::Internal, "a valid module could not be read").with_source(error))?;
    check_compiler(config, &info)?;
    Ok(AdmittedModule { config: config.clone(), binary, info: Arc::new(info) })
}

/// Whether a module may need this feature. Wasmer has relaxed SIMD only as the machine has it, which is no way to be
/// deterministic.
pub(crate) fn has(config: &RuntimeConfig, feature: Feature) -> bool {
    let nondeterministic = config.kind == RuntimeKind::Wasmer && feature == Feature::RelaxedSimd;
    feature.is_supported(config.kind, config.effective_compiler()) && !(config.canonical_nans && nondeterministic)
}

/// A module that is valid with more features than the engine has needs another engine; any other is just invalid.
fn explain(error: Error, binary: &[u8], config: &RuntimeConfig) -> Error {
    let (kind, compiler) = (config.kind, config.effective_compiler());
    let Ok(needed) = requirements::features(binary) else { return error };
    let missing: Vec<Feature> = needed.into_iter().filter(|one| !has(config, *one)).collect();
    let enough = features::flags(Feature::supported(kind, compiler).chain(missing.iter().copied()));
    if missing.is_empty() || validation::validate(binary, enough).is_err() {
        return error;
    }
    let names: Vec<_> = missing.iter().map(|feature| feature.as_str()).collect();
    let form = if config.canonical_nans { " in a deterministic form" } else { "" };
    let message = format!("the module needs {}, which {kind} with {compiler} lacks{form}", names.join(", "));
    let mut refusal = Error::new(ErrorKind::UnsupportedFeature, message).with_source(error);
    let mut somewhere = false;
    for (kind, compiler) in features::combinations() {
        let other = RuntimeConfig { kind, compiler: Some(compiler), ..config.clone() };
        if missing.iter().all(|feature| has(&other, *feature)) {
            refusal = refusal.with_hint(format!("it runs with `--runtime {kind} --compiler {compiler}`"));
            somewhere = true;
        }
    }
    if !somewhere {
        refusal = refusal.with_hint("no engine of this wrun has all of it");
    }
    refusal
}

/// Refuses what Singlepass panics on: it has no way to take several results from a function of the host.
fn check_compiler(config: &RuntimeConfig, info: &ModuleInfo) -> Result<()> {
    let several = |import: &&Import| matches!(&import.ty, ExternType::Func(ty) if ty.results().len() > 1);
    match info.imports.iter().find(several) {
        Some(Import { module, name, ty }) if config.effective_compiler() == Compiler::Singlepass => {
            let import = format!("`{}` `{}`: {ty}", Escaped(module), Escaped(name));
            let message = format!("the module imports {import}; singlepass takes one result at most from the host");
            Err(RuntimeKind::ALL.iter().fold(Error::new(ErrorKind::UnsupportedFeature, message), |error, kind| {
                error.with_hint(format!("it runs with `--runtime {kind} --compiler cranelift`"))
            }))
        }
        _ => Ok(()),
    }
}

/// Checks that everything `info` imports is there and of the right type.
///
/// # Errors
/// [`ErrorKind::Unlinkable`], naming each import that is not, with its type.
pub fn check_imports(info: &ModuleInfo, imports: &HostImports) -> Result<()> {
    if info.imports.is_empty() {
        return Ok(());
    }
    let mut problems = Vec::new();
    let mut wasix = false;
    for import in &info.imports {
        let Import { module, name, ty } = import;
        let wasix_function = || imports.wasix_function(module, name).cloned().map(ExternType::Func);
        let (is_provided, found) = match imports.get(module, name) {
            Some(item) => (provides(item, ty), Some(item.ty())),
            None => wasix_function().map_or((false, None), |found| (found == *ty, Some(found))),
        };
        match found {
            _ if is_provided => {}
            Some(found) => problems.push(format!("`{}` `{}` is {found}, not {ty}", Escaped(module), Escaped(name))),
            None => {
                wasix |= module.starts_with("wasix") && module != "wasix_32v1";
                problems.push(format!("`{}` `{}`: {ty}", Escaped(module), Escaped(name)));
            }
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let number = problems.len();
    let s = if number == 1 { "" } else { "s" };
    if number > MOST_LISTED {
        problems.truncate(MOST_LISTED);
        problems.push(format!("and {} more (`wrun inspect` lists them)", number - MOST_LISTED));
    }
    let message = format!("{number} import{s} nobody provides:\n  {}", problems.join("\n  "));
    let error = Error::new(ErrorKind::Unlinkable, message);
    Err(if wasix { error.with_hint("of WASIX, `wasix_32v1` is provided") } else { error })
}

/// Import matching of the specification (section 3.4, "external types"), for what a host offers.
fn provides(item: &HostItem, wanted: &ExternType) -> bool {
    match (item, wanted) {
        (HostItem::Func(function), ExternType::Func(ty)) => function.ty() == ty,
        (HostItem::Global(value, mutable), ExternType::Global(ty, wanted)) => value.is(ty) && mutable == wanted,
        (HostItem::Memory(MemoryType { minimum, maximum, shared, memory64, page_size }), ExternType::Memory(ty)) => {
            (shared, memory64, page_size) == (&ty.shared, &ty.memory64, &ty.page_size)
                && fits(*minimum, *maximum, ty.minimum, ty.maximum)
        }
        (HostItem::Table(TableType { element, minimum, maximum, table64 }), ExternType::Table(ty)) => {
            (element, table64) == (&ty.element, &ty.table64) && fits(*minimum, *maximum, ty.minimum, ty.maximum)
        }
        _ => false,
    }
}

fn fits(minimum: u64, maximum: Option<u64>, wanted_minimum: u64, wanted_maximum: Option<u64>) -> bool {
    let below = wanted_maximum.is_none_or(|wanted| maximum.is_some_and(|maximum| maximum <= wanted));
    let possible = maximum.is_none_or(|maximum| minimum <= maximum);
    minimum >= wanted_minimum && below && possible
}

/// Checks what an instance is sure to take against its limits: its own memories and tables and those of the host it
/// imports.
///
/// # Errors
/// [`ErrorKind::Limit`] with the limit and what was asked for; [`ErrorKind::UnsupportedFeature`] where the engine
/// cannot hold a limit for what the module does.
pub fn check_limits(kind: RuntimeKind, info: &ModuleInfo, imports: &HostImports, limits: Limits) -> Result<()> {
    // What follows looks at these only, and an instance that is made for one call has no time to lose.
    if info.imports.is_empty() && info.memories.is_empty() && info.tables.is_empty() && info.tags == 0 {
        return Ok(());
    }
    if kind == RuntimeKind::Wasmer && limits.memory.is_some() && info.tags > 0 {
        return Err(outside_of_limit("throws exceptions, which wasmer keeps"));
    }
    let takes_function = |import: &Import| match &import.ty {
        ExternType::Func(ty) => ty.params().contains(&ValType::FuncRef),
        _ => false,
    };
    if kind == RuntimeKind::Wasmer && limits.memory.is_some() && info.imports.iter().any(takes_function) {
        return Err(outside_of_limit("hands functions to the host, for each of which wasmer keeps memory"));
    }
    let imported_tables = imported(info, imports).filter_map(|item| match item {
        HostItem::Table(ty) => Some(ty.minimum),
        _ => None,
    });
    let bytes = committed_bytes(memories(info, imports));
    let elements = info.tables.iter().map(|ty| ty.minimum).chain(imported_tables).max().unwrap_or(0);
    let bound = u64::from(MAX_TABLE_ELEMENTS);
    let most = limits.table_elements.unwrap_or(bound).min(bound);
    let checks = [(LimitKind::Memory, limits.memory, bytes), (LimitKind::TableElements, Some(most), elements)];
    for (kind, limit, attempted) in checks {
        if let Some(limit) = limit.filter(|limit| attempted > *limit) {
            return Err(Error::limit(LimitExceeded::new(kind, limit, attempted)));
        }
    }
    Ok(())
}

/// The refusal of a memory limit that the engine would not hold.
fn outside_of_limit(what: &str) -> Error {
    let message = format!("the module {what} outside of what a memory limit bounds");
    Error::new(ErrorKind::UnsupportedFeature, message).with_hint("wasmtime holds the limit for it")
}

/// Bytes of the shared memories an instance has, which are counted once, with their maximum: no engine asks before it
/// grows one.
pub(crate) fn shared_bytes(info: &ModuleInfo, imports: &HostImports) -> u64 {
    committed_bytes(memories(info, imports).filter(|ty| ty.shared))
}

fn imported<'h>(info: &ModuleInfo, imports: &'h HostImports) -> impl Iterator<Item = &'h HostItem> {
    info.imports.iter().filter_map(|import| imports.get(&import.module, &import.name))
}

/// The memories of an instance, its own and the host's.
fn memories(info: &ModuleInfo, imports: &HostImports) -> impl Iterator<Item = MemoryType> {
    let of_host = imported(info, imports).filter_map(|item| match item {
        HostItem::Memory(ty) => Some(*ty),
        _ => None,
    });
    info.memories.iter().copied().chain(of_host)
}

/// Whether a module has a table that may grow, its own or an import.
#[must_use]
pub fn may_grow_tables(info: &ModuleInfo) -> bool {
    let imported = info.imports.iter().filter_map(|import| match &import.ty {
        ExternType::Table(ty) => Some(ty),
        _ => None,
    });
    info.tables.iter().chain(imported).any(|ty| ty.maximum.is_none_or(|maximum| maximum > ty.minimum))
}

fn committed_bytes(memories: impl Iterator<Item = MemoryType>) -> u64 {
    memories.fold(0, |sum, ty| sum.saturating_add(ty.committed_bytes()))
}

/// Checks everything about an instance that can be told before an engine makes it.
///
/// # Errors
/// Those of [`check_amounts`], [`check_imports`] and [`check_limits`]; [`ErrorKind::UnsupportedFeature`] where the module
/// imports WASIX, and it cannot be had as it is to be had.
pub fn check_instance(config: &RuntimeConfig, info: &ModuleInfo, imports: &HostImports, limits: Limits) -> Result<()> {
    check_amounts(config, limits)?;
    wasix::check(config.kind, info, imports, limits)?;
    check_imports(info, imports)?;
    check_limits(config.kind, info, imports, limits)
}

/// Refuses a time limit for a guest that no engine can stop in time.
///
/// # Errors
/// [`ErrorKind::UnsupportedFeature`].
pub fn check_stoppable(info: &ModuleInfo, imports: &HostImports, limits: Limits) -> Result<()> {
    // Where there is WASIX, a wait can be ended: threads have to be, with their process.
    if info.waits && imports.wasix().is_none() && limits.time.is_some() {
        return Err(outlasts_its_time());
    }
    Ok(())
}

/// Refuses a time limit for a guest that waits for ever.
pub(crate) fn outlasts_its_time() -> Error {
    let message = "the module waits on shared memory, which no engine interrupts: no time limit holds for it";
    Error::new(ErrorKind::UnsupportedFeature, message)
}

/// Refuses amounts that are too large, or that a runtime of this configuration would not hold.
///
/// # Errors
/// [`ErrorKind::UnsupportedConfig`].
pub fn check_amounts(config: &RuntimeConfig, limits: Limits) -> Result<()> {
    let refused = |message: String, hint: &str| {
        let error = Error::new(ErrorKind::UnsupportedConfig, message);
        Err(if hint.is_empty() { error } else { error.with_hint(hint) })
    };
    match limits {
        Limits { fuel: Some(_), .. } if !config.metering => {
            let message = "a fuel limit needs a runtime that meters fuel".to_owned();
            refused(message, "make it with `RuntimeConfig::with_metering`")
        }
        Limits { fuel: Some(limit), .. } if limit > fuel::MOST => {
            refused(format!("a fuel limit of {limit}: the most is {}", fuel::MOST), "")
        }
        Limits { time: Some(_), .. } if !config.interruption => Err(control::uninterruptible()),
        _ => Ok(()),
    }
}

/// Runs a compiler, and turns a panic in it into an error.
///
/// # Errors
/// Its own, or [`ErrorKind::Internal`] where it panicked.
pub fn guard_compiler<T>(config: &RuntimeConfig, compile: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(compile)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        let (kind, compiler) = (config.kind, config.effective_compiler());
        let message = format!("the compiler {compiler} of {kind} panicked on this module: {said}");
        Err(Error::new(ErrorKind::Internal, message).with_hint("try another engine or compiler, and report the module"))
    })
}
