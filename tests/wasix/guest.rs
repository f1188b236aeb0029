//! WASIX programs on one compiler.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use wrun::{
    Capabilities, Captured, Compiler, Error, ErrorKind, HostImports, Limits, Output, Result, RuntimeConfig, Trap,
    WasmInstance, WasmModule, WasmRuntime, create_runtime,
};

/// The time after which a test hangs.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Reads the binary of a program.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wasix")).join(name)).unwrap()
}

/// A compiled program.
pub(crate) struct Program {
    pub(crate) runtime: Box<dyn WasmRuntime>,
    pub(crate) module: Box<dyn WasmModule>,
}

/// How a program ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Code(i32),
    Trap(Trap),
    Stopped(ErrorKind),
}

/// The end and the output of a program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) end: End,
    pub(crate) stdout: String,
}

impl Program {
    pub(crate) fn new(config: &RuntimeConfig, wasm: &[u8]) -> Self {
        let runtime = create_runtime(config).unwrap();
        let module = runtime.load_module(wasm).unwrap();
        Self { runtime, module }
    }

    pub(crate) fn start(&self, limits: Limits, granted: Capabilities) -> Result<Box<dyn WasmInstance>> {
        self.start_with(limits, granted, &HostImports::none())
    }

    pub(crate) fn start_with(
        &self,
        limits: Limits,
        granted: Capabilities,
        imports: &HostImports,
    ) -> Result<Box<dyn WasmInstance>> {
        self.runtime.create_instance_with(self.module.as_ref(), limits, granted, imports)
    }

    /// Runs `_start` with limits.
    pub(crate) fn run_within(&self, limits: Limits, granted: Capabilities) -> Ran {
        let stdout = Captured::new();
        let mut guest = self.start(limits, granted.with_stdout(Output::Capture(stdout.clone()))).unwrap();
        let end = end(guest.call("_start", &[]).map(drop));
        drop(guest);
        Ran { end, stdout: String::from_utf8(stdout.contents()).unwrap() }
    }

    /// Runs `_start`.
    pub(crate) fn run(&self, granted: Capabilities) -> Ran {
        self.run_within(Limits::none(), granted)
    }
}

/// Returns how a call ended.
pub(crate) fn end(result: Result<()>) -> End {
    match result {
        Ok(()) => End::Code(0),
        Err(error) => match (error.kind(), error.exit_code(), error.trap_code()) {
            (_, Some(code), _) => End::Code(code),
            (_, _, Some(trap)) => End::Trap(trap),
            (kind, ..) => {
                assert!(
                    matches!(kind, ErrorKind::Timeout | ErrorKind::Interrupted | ErrorKind::ShutDown),
                    "{error} ({kind:?})"
                );
                End::Stopped(kind)
            }
        },
    }
}

/// Returns capabilities with these arguments after the program's name.
pub(crate) fn args(args: &[&str]) -> Capabilities {
    Capabilities::none().with_args(["program"].iter().chain(args).copied())
}

/// Runs a test for each compiler. Panics if it hangs.
pub(crate) fn on_each(body: impl Fn(RuntimeConfig) + Send + 'static) {
    within(move || {
        for compiler in [Compiler::Cranelift, Compiler::Singlepass] {
            body(RuntimeConfig::wasmer().with_compiler(compiler));
        }
    });
}

/// Runs a test. Panics if it hangs.
pub(crate) fn within<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let running = thread::spawn(move || {
        let result = body();
        drop(sender.send(result));
    });
    match receiver.recv_timeout(TIMEOUT) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the test hangs"),
        Err(mpsc::RecvTimeoutError::Disconnected) => match running.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("the body sends or panics"),
        },
    }
}

/// Asserts that a result is an error of this kind, with `part` in its message.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T>, kind: ErrorKind, part: &str) -> Error {
    let error = result.err().expect("an error");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(part), "`{part}` is not in `{error}`");
    error
}
