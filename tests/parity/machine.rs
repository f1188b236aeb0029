//! One engine with one compiler, which runs rows and notes what came of them.

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

/// The export a reactor wants called once, before any other.
const INITIALIZE: &str = "_initialize";

/// How a call ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Ending {
    Returned(Vec<Value>),
    Trapped(Trap),
    /// The module did not load for want of these features.
    Refused(BTreeSet<Feature>),
    /// Anything else, which no row expects.
    Failed(String),
}

/// How a call ended, and what can be seen of the instance afterwards: nothing, where it did not start.
#[derive(Debug, PartialEq)]
pub(crate) struct Trace {
    pub(crate) ending: Ending,
    left: Option<Left>,
}

/// The state of an instance as far as its exports show it.
#[derive(PartialEq)]
struct Left {
    /// In use, and the peak; `None` where one engine counts what another keeps elsewhere: objects and exceptions.
    memory_bytes: Option<(u64, u64)>,
    memories: BTreeMap<String, Vec<u8>>,
    globals: BTreeMap<String, Value>,
}

/// Without the contents of memories, which nobody reads.
impl fmt::Debug for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<_> = self.memories.iter().map(|(name, bytes)| (name, bytes.len(), checksum(bytes))).collect();
        write!(f, "bytes {:?}, memories {sizes:?}, globals {:?}", self.memory_bytes, self.globals)
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// An engine with a compiler, and the modules it compiled so far.
pub(crate) struct Machine {
    kind: RuntimeKind,
    compiler: Compiler,
    pub(crate) runtime: Box<dyn WasmRuntime>,
    modules: HashMap<String, Result<Box<dyn WasmModule>>>,
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {}", self.kind, self.compiler)
    }
}

/// Every engine compiled in, with every compiler it has.
pub(crate) fn all() -> Vec<Machine> {
    let here = features::combinations().filter(|(kind, _)| kind.is_available());
    let machine = |(kind, compiler)| {
        let runtime = create_runtime(&RuntimeConfig::new(kind).with_compiler(compiler)).unwrap();
        Machine { kind, compiler, runtime, modules: HashMap::new() }
    };
    here.map(machine).collect()
}

impl Machine {
    /// Those of `features` that it lacks.
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
            Err(error) => return Trace { ending: ending(error), left: None },
        };
        match runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none()) {
            Err(error) => Trace { ending: ending(&error), left: None },
            Ok(mut instance) => {
                let ending = call(instance.as_mut(), row).map_or_else(|error| ending(&error), Ending::Returned);
                Trace { ending, left: Some(left(instance.as_mut(), !row.allocates_objects())) }
            }
        }
    }

    /// What the refusal of a module that imports something says; `None` where it starts, or needs another engine.
    pub(crate) fn unlinkable(&self, file: &str) -> Option<String> {
        let module = self.runtime.load_module(&fixtures::read(file)).ok()?;
        let made = self.runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none());
        made.err().filter(|error| error.kind() == ErrorKind::Unlinkable).map(|error| error.to_string())
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
        (ErrorKind::UnsupportedFeature, _) => Ending::Refused(named_in(error)),
        (kind, _) => Ending::Failed(format!("{kind:?}: {error}")),
    }
}

/// The features a refusal names, each as a word of its own.
pub(crate) fn named_in(error: &Error) -> BTreeSet<Feature> {
    let words: Vec<_> = error.message().split([' ', ',']).collect();
    Feature::ALL.iter().copied().filter(|feature| words.contains(&feature.as_str())).collect()
}

fn left(instance: &mut dyn WasmInstance, counts_alike: bool) -> Left {
    let exports = instance.info().exports.clone();
    let mut left = Left {
        memory_bytes: counts_alike.then(|| (instance.memory_bytes(), instance.memory_peak_bytes())),
        memories: BTreeMap::new(),
        globals: BTreeMap::new(),
    };
    for export in exports {
        match export.ty {
            ExternType::Memory(_) => {
                let size = instance.memory_size(&export.name).unwrap();
                let mut bytes = vec![0; usize::try_from(size).unwrap()];
                instance.read_memory(&export.name, 0, &mut bytes).unwrap();
                left.memories.insert(export.name, bytes);
            }
            ExternType::Global(ty, _) if ty.is_passable() => {
                let value = instance.global(&export.name).unwrap();
                left.globals.insert(export.name, value);
            }
            _ => {}
        }
    }
    left
}
