//! Helpers for the cases.

use wrun::session::{Completion, InstanceOptions, PreparedCode, PreparedInstance, Session};
use wrun::{CallResult, Callable, Limits, Payload, Result, RuntimeConfig, TextOptions, WitValue};

use crate::behaviour;
pub(crate) use crate::behaviour::{assert_contains, refused};

/// The plug-in with a function for each part of the host.
pub(crate) const PLUGIN: &[u8] = include_bytes!("../../fixtures/extism/plugin.wasm");

/// The plug-in that breaks the rules.
pub(crate) const HOSTILE: &[u8] = include_bytes!("../../fixtures/extism/hostile.wat");

/// Runs a case with the configuration of each engine and compiler, and reports where it fails.
#[track_caller]
pub(crate) fn on_each(case: impl Fn(&RuntimeConfig)) {
    behaviour::on_each(|engine| case(&RuntimeConfig::new(engine.kind).with_compiler(engine.compiler)));
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

    /// Calls a function with bytes, and returns how it ended.
    pub(crate) fn complete(&mut self, name: &str, input: &[u8]) -> Result<Completion> {
        let mut options = TextOptions::default();
        options.payload = Payload::Bytes;
        let callable = Callable::find_with(&self.prepared.info(), Some(name), &options)?;
        let args = vec![WitValue::Bytes(input.to_vec())].into();
        self.instance.call(&callable, &args, &|_| {})
    }

    /// Calls a function with bytes, and returns the bytes of its output.
    pub(crate) fn call_bytes(&mut self, name: &str, input: &[u8]) -> Result<Vec<u8>> {
        match self.complete(name, input)? {
            Completion::Returned(CallResult::Component(Some(WitValue::Bytes(bytes)), _)) => Ok(bytes),
            other => panic!("{other:?}"),
        }
    }

    /// Calls a function with text, and returns its output as text.
    pub(crate) fn call(&mut self, name: &str, input: &str) -> Result<String> {
        Ok(String::from_utf8(self.call_bytes(name, input.as_bytes())?).unwrap())
    }
}
