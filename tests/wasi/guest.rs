//! WASI programs on each engine.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use wrun::{
    Capabilities, Captured, Compiler, ErrorKind, Limits, Output, RuntimeConfig, RuntimeKind, WasmModule, WasmRuntime,
    create_runtime,
};

/// Returns the directory of the programs.
pub(crate) fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wasi"))
}

/// A program, compiled by one engine.
pub(crate) struct Program {
    kind: RuntimeKind,
    compiler: Compiler,
    runtime: Box<dyn WasmRuntime>,
    module: Box<dyn WasmModule>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {}", self.kind, self.compiler)
    }
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Code(i32),
    Trap,
    Timeout,
}

/// The end and the output of a program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) end: End,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Compiles a program on every engine and compiler, with interruption if `time` is limited.
pub(crate) fn on_each(wasm: &Path, time: Option<Duration>) -> Vec<Program> {
    let bytes = fs::read(wasm).unwrap();
    let all = RuntimeKind::available().flat_map(|kind| kind.compilers().iter().map(move |one| (kind, *one)));
    all.map(|(kind, compiler)| {
        let config = RuntimeConfig::new(kind).with_compiler(compiler);
        let config = if time.is_some() { config.with_interruption() } else { config };
        let runtime = create_runtime(&config).unwrap();
        let module = runtime.load_module(&bytes).unwrap_or_else(|error| panic!("{}: {error}", wasm.display()));
        Program { kind, compiler, runtime, module }
    })
    .collect()
}

impl Program {
    /// Runs `_start`.
    pub(crate) fn run(&self, granted: Capabilities, time: Option<Duration>) -> Ran {
        let [stdout, stderr] = [Captured::new(), Captured::new()];
        let granted = granted.with_stdout(Output::Capture(stdout.clone())).with_stderr(Output::Capture(stderr.clone()));
        let limits = time.map_or(Limits::none(), |time| Limits::none().with_time(time));
        let mut instance = self.runtime.create_instance(self.module.as_ref(), limits, granted).unwrap();
        let end = match instance.call("_start", &[]) {
            Ok(_) => End::Code(0),
            Err(error) => match (error.kind(), error.exit_code()) {
                (ErrorKind::Exited, Some(code)) => End::Code(code),
                (ErrorKind::Trap, None) => End::Trap,
                (ErrorKind::Timeout, None) => End::Timeout,
                _ => panic!("{self}: {error}"),
            },
        };
        let text = |captured: Captured| String::from_utf8_lossy(&captured.contents()).into_owned();
        Ran { end, stdout: text(stdout), stderr: text(stderr) }
    }
}
