//! One engine with one compiler, which runs rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use wrun::engine::features;
use wrun::value::args;
use wrun::{
    Capabilities, Compiler, Error, ErrorKind, ExternType, Feature, Limits, Result, RuntimeConfig, RuntimeKind, Trap,
    Value, WasmInstance, WasmModule, WasmRuntime, create_runtime,
};

use crate::fixtures;
use crate::rows::Row;

/// The export of a reactor that must be called once, before any other.
const INITIALIZE: &str = "_initialize";

/// How a call ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Ending {
    Returned(Vec<Value>),
    Trapped(Trap),
    /// The module did not load because the engine lacks these features.
    Refused(BTreeSet<Feature>),
    /// Any other error, which no row expects.
    Failed(String),
}

/// How a call ended, and the state of the instance afterwards, if it was created.
#[derive(Debug, PartialEq)]
pub(crate) struct Trace {
    pub(crate) ending: Ending,
    state: Option<ExportedState>,
}

/// The state of an instance that its exports show.
#[derive(PartialEq)]
struct ExportedState {
    /// The current and the peak size; `None` if the module allocates objects or exceptions, which only some engines count.
    memory_bytes: Option<(u64, u64)>,
    memories: BTreeMap<String, Vec<u8>>,
    globals: BTreeMap<String, Value>,
}

/// Shows checksums of memories instead of their contents.
impl fmt::Debug for ExportedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<_> = self.memories.iter().map(|(name, bytes)| (name, bytes.len(), checksum(bytes))).collect();
        write!(f, "bytes {:?}, memories {sizes:?}, globals {:?}", self.memory_bytes, self.globals)
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// An engine with a compiler, and the modules it has compiled.
pub(crate) struct Engine {
    kind: RuntimeKind,
    compiler: Compiler,
    pub(crate) runtime: Box<dyn WasmRuntime>,
    modules: HashMap<String, Result<Box<dyn WasmModule>>>,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {}", self.kind, self.compiler)
    }
}

/// Creates every available engine with each of its compilers.
pub(crate) fn all() -> Vec<Engine> {
    let available = features::combinations().filter(|(kind, _)| kind.is_available());
    let engine = |(kind, compiler)| {
        let runtime = create_runtime(&RuntimeConfig::new(kind).with_compiler(compiler)).unwrap();
        Engine { kind, compiler, runtime, modules: HashMap::new() }
    };
    available.map(engine).collect()
}

impl Engine {
    /// Returns the `features` that the engine lacks.
    pub(crate) fn lacking(&self, features: &BTreeSet<Feature>) -> BTreeSet<Feature> {
        features.iter().copied().filter(|feature| !feature.is_supported(self.kind, self.compiler)).collect()
    }

    /// Runs a row on a fresh instance.
    pub(crate) fn run(&mut self, row: &Row) -> Trace {
        let runtime = &self.runtime;
        let module = self.modules.entry(row.file.clone());
        let module = module.or_insert_with(|| runtime.load_module(&fixtures::read(&row.file)));
        let module = match module {
            Ok(module) => module,
            Err(error) => return Trace { ending: ending(error), state: None },
        };
        match runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none()) {
            Err(error) => Trace { ending: ending(&error), state: None },
            Ok(mut instance) => {
                let ending = call(instance.as_mut(), row).map_or_else(|error| ending(&error), Ending::Returned);
                Trace { ending, state: Some(exported_state(instance.as_mut(), !row.allocates_objects())) }
            }
        }
    }

    /// Returns the error for unresolved imports; `None` if there are none, or if the module needs another engine.
    pub(crate) fn link_error(&self, file: &str) -> Option<String> {
        let module = self.runtime.load_module(&fixtures::read(file)).ok()?;
        let instance = self.runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
        instance.err().filter(|error| error.kind() == ErrorKind::Unlinkable).map(|error| error.to_string())
    }
}

fn call(instance: &mut dyn WasmInstance, row: &Row) -> Result<Vec<Value>> {
    if row.function != INITIALIZE && instance.info().function(INITIALIZE).is_some() {
        instance.call(INITIALIZE, &[])?;
    }
    let function = instance.function(&row.function)?;
    instance.call(&row.function, &args::parse_text(&row.args, function.ty())?)
}

fn ending(error: &Error) -> Ending {
    match (error.kind(), error.trap_code()) {
        (ErrorKind::Trap, Some(trap)) => Ending::Trapped(trap),
        (ErrorKind::UnsupportedFeature, _) => Ending::Refused(named_features(error)),
        (kind, _) => Ending::Failed(format!("{kind:?}: {error}")),
    }
}

/// Returns the features that an error message names.
pub(crate) fn named_features(error: &Error) -> BTreeSet<Feature> {
    let words: Vec<_> = error.message().split([' ', ',']).collect();
    Feature::ALL.iter().copied().filter(|feature| words.contains(&feature.as_str())).collect()
}

fn exported_state(instance: &mut dyn WasmInstance, memory_is_comparable: bool) -> ExportedState {
    let exports = instance.info().exports.clone();
    let mut state = ExportedState {
        memory_bytes: memory_is_comparable.then(|| (instance.memory_bytes(), instance.memory_peak_bytes())),
        memories: BTreeMap::new(),
        globals: BTreeMap::new(),
    };
    for export in exports {
        match export.ty {
            ExternType::Memory(_) => {
                let size = instance.memory_size(&export.name).unwrap();
                let mut bytes = vec![0; usize::try_from(size).unwrap()];
                instance.read_memory(&export.name, 0, &mut bytes).unwrap();
                state.memories.insert(export.name, bytes);
            }
            ExternType::Global(ty, _) if ty.is_passable() => {
                let value = instance.global(&export.name).unwrap();
                state.globals.insert(export.name, value);
            }
            _ => {}
        }
    }
    state
}
