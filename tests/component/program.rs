//! Runs the programs in `fixtures/component/programs`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use wrun::{
    Capabilities, Captured, ErrorKind, Limits, Output, Result, WasmComponent, WasmComponentInstance, WasmRuntime,
};

use crate::vocabulary::Engine;

/// Time enough for any exchange; what takes longer is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Code(i32),
    /// It was stopped, or the host failed.
    Failed(ErrorKind),
}

/// The end and the output of a program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) end: End,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A compiled program.
pub(crate) struct Program {
    engine: Engine,
    component: Box<dyn WasmComponent>,
    name: &'static str,
}

impl Program {
    /// Compiles a program, which can be interrupted and whose fuel is metered.
    #[track_caller]
    pub(crate) fn new(name: &'static str) -> Self {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/component/programs"));
        let engine = Engine::metered();
        let component = engine.runtime.load_component(&fs::read(folder.join(name)).unwrap());
        let component = component.unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { engine, component, name }
    }

    /// Returns its runtime.
    pub(crate) fn runtime(&self) -> &dyn WasmRuntime {
        self.engine.runtime.as_ref()
    }

    /// Creates an instance, with these arguments after its name.
    pub(crate) fn start(
        &self,
        limits: Limits,
        args: &[&str],
        granted: Capabilities,
    ) -> Result<Box<dyn WasmComponentInstance>> {
        let granted = granted.with_args([self.name].iter().chain(args).copied());
        self.engine.runtime.create_component_instance(self.component.as_ref(), limits, granted)
    }

    /// Runs it with these arguments, after its name.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str], granted: Capabilities) -> Ran {
        self.run_within(Limits::none(), args, granted)
    }

    /// Runs it with limits.
    #[track_caller]
    pub(crate) fn run_within(&self, limits: Limits, args: &[&str], granted: Capabilities) -> Ran {
        let stdout = Captured::new();
        self.run_to(&stdout, limits, args, granted)
    }

    /// Runs it with limits, and writes its standard output to `stdout`.
    #[track_caller]
    pub(crate) fn run_to(&self, stdout: &Captured, limits: Limits, args: &[&str], granted: Capabilities) -> Ran {
        let stderr = Captured::new();
        let granted = granted.with_stdout(Output::Capture(stdout.clone())).with_stderr(Output::Capture(stderr.clone()));
        let mut instance = self.start(limits, args, granted).unwrap();
        let end = match instance.run() {
            Ok(()) => End::Code(0),
            Err(error) => error.exit_code().map_or(End::Failed(error.kind()), End::Code),
        };
        let text = |captured: &Captured| String::from_utf8_lossy(&captured.contents()).into_owned();
        Ran { end, stdout: text(stdout), stderr: text(&stderr) }
    }
}

/// Grants these network rules.
pub(crate) fn rules(rules: &[&str]) -> Capabilities {
    rules.iter().fold(Capabilities::none(), |granted, rule| granted.with_net(rule.parse().unwrap()))
}

/// The programs that do the same by WASI 0.2 and, if it is compiled in, by WASI 0.3.
pub(crate) fn both(by_2: &'static str, by_3: &'static str) -> impl Iterator<Item = Program> {
    [by_2, by_3].into_iter().take(if cfg!(feature = "wasi-p3") { 2 } else { 1 }).map(Program::new)
}

impl std::fmt::Display for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
