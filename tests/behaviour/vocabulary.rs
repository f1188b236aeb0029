//! Helpers for the cases.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wrun::engine::features;
use wrun::{
    Capabilities, Compiler, Error, ErrorKind, Feature, HostImports, Limits, Result, RuntimeConfig, RuntimeKind, Trap,
    WasmInstance, WasmModule, WasmRuntime, create_runtime,
};

/// The size of a page of linear memory.
pub(crate) const PAGE: u64 = 65536;

/// A new runtime of one engine with one of its compilers.
pub(crate) struct Engine {
    /// The engine.
    pub(crate) kind: RuntimeKind,
    /// Its compiler.
    pub(crate) compiler: Compiler,
    /// The runtime.
    pub(crate) runtime: Box<dyn WasmRuntime>,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metering = if self.runtime.config().metering { ", metering fuel" } else { "" };
        write!(f, "{} with {}{metering}", self.kind, self.compiler)
    }
}

impl Engine {
    /// Creates a runtime with the default stack.
    pub(crate) fn new(kind: RuntimeKind, compiler: Compiler) -> Self {
        Self::configured(&RuntimeConfig::new(kind).with_compiler(compiler))
    }

    /// Creates a runtime with this configuration.
    pub(crate) fn configured(config: &RuntimeConfig) -> Self {
        let runtime = create_runtime(config).expect("the engine is compiled in");
        Self { kind: config.kind, compiler: config.effective_compiler(), runtime }
    }

    /// Returns whether the engine has `feature`.
    pub(crate) fn has(&self, feature: Feature) -> bool {
        feature.is_supported(self.kind, self.compiler)
    }

    /// Compiles a text module.
    #[track_caller]
    pub(crate) fn load(&self, wat: &str) -> Box<dyn WasmModule> {
        self.runtime.load_module(wat.as_bytes()).unwrap_or_else(|error| panic!("the module does not load: {error}"))
    }

    /// Starts a module without imports and limits.
    pub(crate) fn instance_of(&self, module: &dyn WasmModule) -> Result<Box<dyn WasmInstance>> {
        self.runtime.create_instance(module, Limits::none(), Capabilities::none())
    }

    /// Starts a text module without imports and limits.
    #[track_caller]
    pub(crate) fn start(&self, wat: &str) -> Box<dyn WasmInstance> {
        self.try_start(wat).unwrap_or_else(|error| panic!("the module does not start: {error}"))
    }

    /// Starts a text module that may fail to start.
    #[track_caller]
    pub(crate) fn try_start(&self, wat: &str) -> Result<Box<dyn WasmInstance>> {
        self.start_within(Limits::none(), wat)
    }

    /// Starts a text module with limits.
    #[track_caller]
    pub(crate) fn start_within(&self, limits: Limits, wat: &str) -> Result<Box<dyn WasmInstance>> {
        self.runtime.create_instance(self.load(wat).as_ref(), limits, Capabilities::none())
    }

    /// Starts a text module with imports.
    #[track_caller]
    pub(crate) fn start_importing(&self, imports: &HostImports, wat: &str) -> Result<Box<dyn WasmInstance>> {
        self.start_importing_within(Limits::none(), imports, wat)
    }

    /// Starts a text module with imports and limits.
    #[track_caller]
    pub(crate) fn start_importing_within(
        &self,
        limits: Limits,
        imports: &HostImports,
        wat: &str,
    ) -> Result<Box<dyn WasmInstance>> {
        self.runtime.create_instance_with(self.load(wat).as_ref(), limits, Capabilities::none(), imports)
    }
}

/// Returns every engine that is compiled in, with each of its compilers.
pub(crate) fn engines() -> impl Iterator<Item = Engine> {
    let here = features::combinations().filter(|(kind, _)| kind.is_available());
    here.map(|(kind, compiler)| Engine::new(kind, compiler))
}

/// Runs a case on every engine and compiler, and reports where it fails.
#[track_caller]
pub(crate) fn on_each(case: impl Fn(&Engine)) {
    let mut failures = Vec::new();
    for engine in engines() {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case(&engine))) {
            failures.push(format!("on {engine}: {}", panic_message(panic.as_ref())));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Returns the message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// Runs a case with a module that needs `features`. On engines without them, asserts that the module is refused.
#[track_caller]
pub(crate) fn on_each_with(features: &[Feature], wat: &str, case: impl Fn(&Engine, &mut dyn WasmInstance)) {
    on_each(|engine| {
        if features.iter().all(|feature| engine.has(*feature)) {
            case(engine, engine.start(wat).as_mut());
        } else {
            is_refused_for(features, engine, wat);
        }
    });
}

/// Asserts that the engine refuses a module because of missing features, names each of them, and points to engines that
/// have them.
#[track_caller]
pub(crate) fn is_refused_for(needed: &[Feature], engine: &Engine, wat: &str) {
    let error = refused(engine.runtime.load_module(wat.as_bytes()), ErrorKind::UnsupportedFeature);
    let missing: Vec<Feature> = needed.iter().copied().filter(|feature| !engine.has(*feature)).collect();
    assert!(!missing.is_empty(), "the engine has all of {needed:?}, and refuses: {error}");
    for feature in &missing {
        assert!(error.message().contains(feature.as_str()), "`{error}` does not name {feature}");
    }
    for (kind, compiler) in features::combinations() {
        let pointed_to = hints(&error).contains(&format!("--runtime {kind} --compiler {compiler}"));
        let home = missing.iter().all(|feature| feature.is_supported(kind, compiler));
        assert_eq!(pointed_to, home, "whether `{}` points to {kind} with {compiler}", hints(&error));
    }
}

/// Returns the error of a result that must have failed with this kind.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T>, kind: ErrorKind) -> Error {
    match result {
        Ok(_) => panic!("succeeded, not {kind:?}"),
        Err(error) if error.kind() == kind => error,
        Err(error) => panic!("{:?}, not {kind:?}: {error}", error.kind()),
    }
}

/// Returns the error of a result that must have this trap.
#[track_caller]
pub(crate) fn trapped<T>(result: Result<T>, trap: Trap) -> Error {
    let error = refused(result, ErrorKind::Trap);
    assert_eq!(error.trap_code(), Some(trap), "{error}");
    error
}

/// Returns the hints of an error.
pub(crate) fn hints(error: &Error) -> String {
    error.hints().join("\n")
}

/// Asserts that a text has each of these parts.
#[track_caller]
pub(crate) fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{text}` does not contain `{part}`");
    }
}
