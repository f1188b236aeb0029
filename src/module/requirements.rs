//! The requirements of a module: engine features and host capabilities.

use std::collections::BTreeSet;

use wasmparser::{
    AbstractHeapType, BlockType, HeapType, Operator, Parser, Payload, RefType, ValType, Validator, WasmFeatures,
};

use crate::engine::features::Feature;
use crate::error::{Error, ErrorKind, Result};
use crate::module::info::{Import, ModuleInfo};
use crate::value::types::{self, FuncType};

/// Returns the features that a valid binary needs: a module, or a component with the modules in it.
///
/// An operator needs the proposal that it belongs to and those of the types it names. Everything outside function bodies needs
/// a feature if the module without its bodies is invalid without that feature. The cost is one pass over the code for
/// all features together.
///
/// # Errors
/// Returns [`ErrorKind::InvalidModule`] if the binary is malformed.
pub fn features(binary: &[u8]) -> Result<BTreeSet<Feature>> {
    let mut needed = operator_features(binary)
        .map_err(|error| Error::new(ErrorKind::InvalidModule, format!("invalid module: {error}")))?;
    let all = WasmFeatures::all();
    let is_component = Parser::is_component(binary);
    for &feature in Feature::ALL.iter().filter(|feature| is_component || !feature.is_of_components()) {
        if !needed.contains(&feature) && !skeleton_is_valid(binary, all - feature.flag() - implied_by(feature)) {
            needed.insert(feature);
        }
    }
    Ok(needed)
}

/// The features that imply `feature`. They must be off as well to find out whether a module needs `feature`.
fn implied_by(feature: Feature) -> WasmFeatures {
    match feature {
        Feature::FunctionReferences => Feature::Gc.flag(),
        _ => WasmFeatures::empty(),
    }
}

/// Whether everything except the function bodies is valid with `features`.
fn skeleton_is_valid(binary: &[u8], features: WasmFeatures) -> bool {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut validator = Validator::new_with_features(features);
    parser.parse_all(binary).all(|payload| payload.is_ok_and(|payload| validator.payload(&payload).is_ok()))
}

/// Whether a module imports WASI: preview 1, its predecessor `wasi_unstable`, or WASIX.
#[must_use]
pub fn imports_wasi(info: &ModuleInfo) -> bool {
    let preview1 = |import: &Import| matches!(&*import.module, "wasi_snapshot_preview1" | "wasi_unstable");
    info.imports.iter().any(|import| preview1(import) || is_wasix(&import.module, &import.name))
}

/// The module from which Extism plug-ins import the functions of their host.
pub const EXTISM_ENV: &str = "extism:host/env";

/// Whether a module is an Extism plug-in: it imports functions of the host of Extism.
#[must_use]
pub fn imports_extism(info: &ModuleInfo) -> bool {
    info.imports.iter().any(|import| import.module == EXTISM_ENV)
}

/// Exports that set a module up, and are not functions of the plug-in.
const INITIALIZERS: [&str; 2] = ["_initialize", "__wasm_call_ctors"];

/// Returns whether an export is a function of an Extism plug-in.
#[must_use]
pub fn is_plugin_function(info: &ModuleInfo, name: &str) -> bool {
    imports_extism(info) && !INITIALIZERS.contains(&name) && info.function(name).is_some_and(is_plugin_type)
}

/// Returns whether a function has the type of a plug-in's function: `() -> i32`, or `() -> ()`.
#[must_use]
pub fn is_plugin_type(ty: &FuncType) -> bool {
    ty.params().is_empty() && matches!(ty.results(), [] | [types::ValType::I32])
}

/// Whether an import belongs to WASIX: any of `wasix_32v1`, and `thread-spawn`, which preview 1 modules use to start threads.
#[must_use]
pub fn is_wasix(module: &str, name: &str) -> bool {
    match module {
        "wasix_32v1" => true,
        "wasi" | "wasi_snapshot_preview1" | "wasi_unstable" => name == "thread-spawn",
        _ => false,
    }
}

/// Whether a module imports a function that starts threads.
#[must_use]
pub fn starts_threads(info: &ModuleInfo) -> bool {
    let starts = |name: &str| matches!(name, "thread-spawn" | "thread_spawn" | "thread_spawn_v2");
    info.imports.iter().any(|import| starts(&import.name) && is_wasix(&import.module, &import.name))
}

macro_rules! proposal_of_operator {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        fn proposal(operator: &Operator<'_>) -> &'static str {
            match operator {
                $(Operator::$op { .. } => stringify!($proposal),)*
                _ => "mvp",
            }
        }
    };
}
wasmparser::for_each_operator!(proposal_of_operator);

fn operator_features(binary: &[u8]) -> wasmparser::Result<BTreeSet<Feature>> {
    let mut proposals = BTreeSet::new();
    let mut needed = BTreeSet::new();
    for payload in Parser::new(0).parse_all(binary) {
        let Payload::CodeSectionEntry(body) = payload? else { continue };
        for local in body.get_locals_reader()? {
            needed.extend(type_feature(local?.1));
        }
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            needed.extend(immediate_feature(&operator));
            proposals.insert(proposal(&operator));
        }
    }
    needed.extend(Feature::ALL.iter().filter(|feature| proposals.contains(feature.as_str())));
    Ok(needed)
}

/// The feature that an operator needs because of the types it names.
fn immediate_feature(operator: &Operator<'_>) -> Option<Feature> {
    match operator {
        Operator::Block { blockty } | Operator::Loop { blockty } | Operator::If { blockty } => match blockty {
            BlockType::FuncType(_) => Some(Feature::MultiValue),
            BlockType::Type(ty) => type_feature(*ty),
            BlockType::Empty => None,
        },
        Operator::TypedSelect { ty } => type_feature(*ty),
        Operator::RefNull { hty } => RefType::new(true, *hty).map(reference_feature),
        _ => None,
    }
}

fn type_feature(ty: ValType) -> Option<Feature> {
    match ty {
        ValType::V128 => Some(Feature::Simd),
        ValType::Ref(ty) => Some(reference_feature(ty)),
        ValType::I32 | ValType::I64 | ValType::F32 | ValType::F64 => None,
    }
}

/// The latest feature that a reference type needs; it implies the earlier ones.
fn reference_feature(ty: RefType) -> Feature {
    use AbstractHeapType as Heap;
    match ty.heap_type() {
        HeapType::Abstract { shared: true, .. } => Feature::SharedEverythingThreads,
        HeapType::Abstract { ty: Heap::Exn | Heap::NoExn, .. } => Feature::Exceptions,
        HeapType::Abstract { ty: Heap::Cont | Heap::NoCont, .. } => Feature::StackSwitching,
        HeapType::Abstract { ty: Heap::Func | Heap::Extern, .. } if ty.is_nullable() => Feature::ReferenceTypes,
        HeapType::Abstract { ty: Heap::Func | Heap::Extern, .. } | HeapType::Concrete(_) => Feature::FunctionReferences,
        HeapType::Abstract { .. } => Feature::Gc,
        HeapType::Exact(_) => Feature::CustomDescriptors,
    }
}

/// A part of the host that the imports of a module or component need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HostCapability {
    /// Command line arguments.
    Arguments,
    /// Environment variables.
    Environment,
    /// Clocks.
    Clocks,
    /// Random numbers.
    Random,
    /// Open files and the standard streams.
    Streams,
    /// Paths in granted directories.
    Filesystem,
    /// Sockets.
    Network,
    /// HTTP requests and responses.
    Http,
    /// Threads and processes.
    Processes,
    /// Input, output, configuration, variables and log of an Extism plug-in.
    Plugin,
    /// Functions or values of the embedding program.
    Host,
}

/// Returns the host capabilities that a module's imports need, by WASI's grouping of its functions. Any import outside WASI is
/// [`HostCapability::Host`].
#[must_use]
pub fn host_capabilities(info: &ModuleInfo) -> BTreeSet<HostCapability> {
    let is_wasix_module = info.imports.iter().any(|import| is_wasix(&import.module, &import.name));
    let capability = |module: &str, name: &str| match module {
        // The memory that its threads share.
        "env" if is_wasix_module && name == "memory" => None,
        "wasi" if is_wasix(module, name) => Some(HostCapability::Processes),
        "wasi_snapshot_preview1" | "wasi_unstable" | "wasix_32v1" => match name.split('_').next() {
            Some("args") => Some(HostCapability::Arguments),
            Some("environ") => Some(HostCapability::Environment),
            Some("clock" | "poll") => Some(HostCapability::Clocks),
            Some("random") => Some(HostCapability::Random),
            Some("fd") => Some(HostCapability::Streams),
            Some("path") => Some(HostCapability::Filesystem),
            Some("sock" | "port" | "resolve") => Some(HostCapability::Network),
            Some("proc" | "sched") if !name.starts_with("proc_exec") => None,
            _ => Some(HostCapability::Processes),
        },
        EXTISM_ENV if name.starts_with("http_") => Some(HostCapability::Http),
        EXTISM_ENV => Some(HostCapability::Plugin),
        _ => Some(HostCapability::Host),
    };
    info.imports.iter().filter_map(|import| capability(&import.module, &import.name)).collect()
}
