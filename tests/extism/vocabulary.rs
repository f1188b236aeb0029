//! Helpers for the cases.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wrun::engine::features;
use wrun::session::{Completion, InstanceOptions, PreparedCode, PreparedInstance, Session};
use wrun::{CallResult, Callable, Error, ErrorKind, Limits, Payload, Result, RuntimeConfig, TextOptions, WitValue};

/// The plug-in with a function for each part of the host.
pub(crate) const PLUGIN: &[u8] = include_bytes!("../../fixtures/extism/plugin.wasm");

/// The plug-in that breaks the rules.
pub(crate) const HOSTILE: &[u8] = include_bytes!("../../fixtures/extism/hostile.wat");

/// Runs a case with the configuration of each engine and compiler, and reports where it fails.
#[track_caller]
pub(crate) fn on_each(case: impl Fn(&RuntimeConfig)) {
    let mut failures = Vec::new();
    for (kind, compiler) in features::combinations().filter(|(kind, _)| kind.is_available()) {
        let config = RuntimeConfig::new(kind).with_compiler(compiler);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case(&config))) {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            failures.push(format!("on {kind} with {compiler}: {said}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A plug-in and one instance of it.
pub(crate) struct Guest {
    prepared: PreparedCode,
    pub(crate) instance: PreparedInstance,
}

impl Guest {
    /// Starts a plug-in without limits and configuration.
    #[track_caller]
    pub(crate) fn start(config: &RuntimeConfig, wasm: &[u8]) -> Self {
        Self::start_with(config, wasm, InstanceOptions::default()).unwrap()
    }

    /// Starts a plug-in that may fail to start.
    pub(crate) fn start_with(config: &RuntimeConfig, wasm: &[u8], options: InstanceOptions) -> Result<Self> {
        let limits = options.limits;
        let prepared = Session::open(config, wasm, None)?.prepare(options, &|_| {})?;
        let instance = prepared.instantiate(limits, &|_| {})?;
        Ok(Self { prepared, instance })
    }

    /// Replaces the instance.
    pub(crate) fn restart(&mut self) {
        self.instance = self.prepared.instantiate(Limits::none(), &|_| {}).unwrap();
    }

    /// Calls a function with bytes, and returns the bytes of its output.
    pub(crate) fn call_bytes(&mut self, name: &str, input: &[u8]) -> Result<Vec<u8>> {
        let mut options = TextOptions::default();
        options.payload = Payload::Bytes;
        let callable = Callable::find_with(&self.prepared.info(), Some(name), &options)?;
        let args = vec![WitValue::Bytes(input.to_vec())].into();
        match self.instance.call(&callable, &args, &|_| {})? {
            Completion::Returned(CallResult::Component(Some(WitValue::Bytes(bytes)), _)) => Ok(bytes),
            other => panic!("{other:?}"),
        }
    }

    /// Calls a function with text, and returns its output as text.
    pub(crate) fn call(&mut self, name: &str, input: &str) -> Result<String> {
        Ok(String::from_utf8(self.call_bytes(name, input.as_bytes())?).unwrap())
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

/// Asserts that a text has each of these parts.
#[track_caller]
pub(crate) fn tells(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{text}` does not contain `{part}`");
    }
}
