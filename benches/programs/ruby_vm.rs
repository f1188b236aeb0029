//! Ruby as a library in this process: `@ruby/3.4-wasm-wasi` of npm, a WASI reactor that expects a JavaScript host. This
//! host provides only the table of Ruby values; calls of JavaScript functions fail.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use wrun::{
    Capabilities, Captured, DirGrant, ErrorKind, ExternType, HostImports, InstanceState, Limits, ModuleInfo, Output,
    RuntimeConfig, Trap, Value, WasmInstance, WasmModule, WasmRuntime, create_runtime,
};

use crate::{Engine, Outcome};

const MEMORY: &str = "memory";

/// Writes to standard output, also from a fiber. A reactor has no end at which its output is flushed.
const WRITE: &str = "$stdout.sync = true
puts RUBY_DESCRIPTION
puts Fiber.new { Fiber.yield 1; 2 }.then { [_1.resume, _1.resume] }";

/// A call of a function that only a JavaScript host has.
#[derive(Debug)]
struct NoJavaScript(String);

impl fmt::Display for NoJavaScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` needs a JavaScript host", self.0)
    }
}

impl Error for NoJavaScript {}

/// The Ruby values that the host holds: the guest's number of each by handle.
#[derive(Default)]
struct Handles {
    values: BTreeMap<i32, i32>,
    last: i32,
}

/// Provides the imports that are not WASI.
fn host(info: &ModuleInfo, handles: &Arc<Mutex<Handles>>) -> HostImports {
    let others = info.imports.iter().filter(|import| import.module != "wasi_snapshot_preview1");
    others.fold(HostImports::none(), |imports, import| {
        let ExternType::Func(ty) = &import.ty else { panic!("{import:?} is not a function") };
        let (handles, name) = (Arc::clone(handles), import.name.clone());
        imports.with_function(&import.module, &import.name, ty.clone(), move |_, args| {
            let mut handles = handles.lock().unwrap_or_else(PoisonError::into_inner);
            match (name.as_str(), args) {
                ("resource_new_rb-abi-value", [Value::I32(value)]) => {
                    handles.last += 1;
                    let handle = handles.last;
                    handles.values.insert(handle, *value);
                    Ok(vec![Value::I32(handle)])
                }
                ("resource_get_rb-abi-value", [Value::I32(handle)]) => {
                    let value = handles.values.get(handle).ok_or_else(|| format!("there is no value {handle}"))?;
                    Ok(vec![Value::I32(*value)])
                }
                _ => Err(NoJavaScript(name.clone()).into()),
            }
        })
    })
}

/// An interpreter.
struct Ruby {
    instance: Box<dyn WasmInstance>,
    handles: Arc<Mutex<Handles>>,
}

/// The value of an expression as text, or its uncaught exception.
type Evaluated = Result<String, String>;

impl Ruby {
    fn start(runtime: &dyn WasmRuntime, module: &dyn WasmModule, granted: Capabilities) -> wrun::Result<Self> {
        let handles = Arc::default();
        let imports = host(module.info(), &handles);
        let mut instance = runtime.create_instance_with(module, Limits::none(), granted, &imports)?;
        instance.call("_initialize", &[])?;
        let mut ruby = Self { instance, handles };
        let args = ["ruby.wasm\0", "-EUTF-8\0", "-e_=0\0"];
        let list = ruby.call_for("cabi_realloc", &[0, 0, 4, 8 * 3])?;
        for (place, arg) in (list..).step_by(8).zip(args) {
            let [at, length] = ruby.string(arg)?;
            ruby.write(place, &[at.to_le_bytes(), length.to_le_bytes()].concat())?;
        }
        ruby.call("ruby-init", &[list, 3])?;
        Ok(ruby)
    }

    /// Evaluates an expression.
    fn eval(&mut self, code: &str) -> wrun::Result<Evaluated> {
        let text = self.string(&format!("{code}\0"))?;
        let outcome = self.call_for("rb-eval-string-protect", &text)?;
        let [value, state] = self.pair(outcome)?;
        if state == 0 {
            return Ok(Ok(self.text_of(value, "to_s")?));
        }
        let exception = self.call_for("rb-errinfo", &[])?;
        self.call("rb-clear-errinfo", &[])?;
        let class = self.send(exception, "class")?;
        let (class, message) = (self.text_of(class, "to_s")?, self.text_of(exception, "message")?);
        Ok(Err(format!("{class}: {message}")))
    }

    /// Returns the string that a method of a value returns, and drops the value.
    fn text_of(&mut self, value: i32, method: &str) -> wrun::Result<String> {
        let string = self.send(value, method)?;
        let place = self.call_for("rstring-ptr", &[string])?;
        let [at, length] = self.pair(place)?;
        let mut bytes = vec![0; usize::try_from(length).expect("a length")];
        self.instance.read_memory(MEMORY, at.cast_unsigned().into(), &mut bytes)?;
        self.call("cabi_post_rstring-ptr", &[place])?;
        for handle in [string, value] {
            let dropped = self.handles.lock().unwrap_or_else(PoisonError::into_inner).values.remove(&handle);
            self.call("canonical_abi_drop_rb-abi-value", &[dropped.expect("it was held")])?;
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Calls a method that raises no exception.
    fn send(&mut self, value: i32, method: &str) -> wrun::Result<i32> {
        let name = self.string(&format!("{method}\0"))?;
        let id = self.call_for("rb-intern", &name)?;
        let outcome = self.call_for("rb-funcallv-protect", &[value, id, 4, 0])?;
        let [result, state] = self.pair(outcome)?;
        assert_eq!(state, 0, "`{method}` raised an exception");
        Ok(result)
    }

    /// Copies a string into the guest and returns its address and length.
    fn string(&mut self, text: &str) -> wrun::Result<[i32; 2]> {
        let length = i32::try_from(text.len()).expect("a short text");
        let at = self.call_for("cabi_realloc", &[0, 0, 1, length])?;
        self.write(at, text.as_bytes())?;
        Ok([at, length])
    }

    fn write(&mut self, at: i32, bytes: &[u8]) -> wrun::Result<()> {
        self.instance.write_memory(MEMORY, at.cast_unsigned().into(), bytes)
    }

    /// Reads the two numbers at an address.
    fn pair(&mut self, at: i32) -> wrun::Result<[i32; 2]> {
        let [mut first, mut second] = [[0; 4]; 2];
        let at = u64::from(at.cast_unsigned());
        self.instance.read_memory(MEMORY, at, &mut first)?;
        self.instance.read_memory(MEMORY, at + 4, &mut second)?;
        Ok([first, second].map(i32::from_le_bytes))
    }

    /// Finds an export by the start of its name, which contains the signature: `rb-intern: func(name: string) -> u32`.
    fn export(&self, name: &str) -> String {
        let exports = self.instance.info().exports.iter().map(|export| &export.name);
        let mut found = exports.filter(|export| export.split(':').next() == Some(name));
        found.next().unwrap_or_else(|| panic!("there is no export {name}")).clone()
    }

    fn call(&mut self, name: &str, args: &[i32]) -> wrun::Result<Vec<Value>> {
        let args: Vec<_> = args.iter().map(|arg| Value::I32(*arg)).collect();
        self.instance.call(&self.export(name), &args)
    }

    fn call_for(&mut self, name: &str, args: &[i32]) -> wrun::Result<i32> {
        self.instance.call_simple_function(&self.export(name), args)
    }
}

/// Starts Ruby on one engine, with `data` granted read-only as `/data`, and evaluates expressions with known results.
pub(crate) fn on(engine: Engine, wasm: &[u8], data: &Path) -> Outcome {
    let started = Instant::now();
    let config = RuntimeConfig::new(engine.kind).with_compiler(engine.compiler);
    let runtime = create_runtime(&config).expect("the engine is compiled in");
    let module = match runtime.load_module(wasm) {
        Err(error) if error.kind() == ErrorKind::UnsupportedFeature => {
            return Outcome { printed: None, seconds: started.elapsed().as_secs_f64() };
        }
        loaded => loaded.expect("it compiles"),
    };
    let written = Captured::new();
    let granted = Capabilities::none().with_dir(DirGrant::new(data, "/data").read_only()).with_env("NAME", "you");
    let granted = granted.with_stdout(Output::Capture(written.clone()));
    let mut ruby = Ruby::start(runtime.as_ref(), module.as_ref(), granted).expect("it starts");
    let mut eval = |code: &str| ruby.eval(code).unwrap_or_else(|error| panic!("{code} on {engine}: {error}"));
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(eval("(1..20).reduce(:*)"), ok("2432902008176640000"));
    assert_eq!(eval("File.read('/data/note.txt').upcase + ENV['NAME']"), ok("SOME TEXTyou"));
    assert_eq!(eval("require 'json'; JSON.generate([1, 2.5, nil, 'ä'])"), ok("[1,2.5,null,\"ä\"]"));
    assert!(eval("File.write('/data/new.txt', '')").is_err_and(|raised| raised.starts_with("Errno::EPERM")));
    assert_eq!(eval("raise ArgumentError, 'no'"), Err("ArgumentError: no".to_owned()));
    assert_eq!(eval(WRITE), ok(""));
    let seconds = started.elapsed().as_secs_f64();

    let refused = ruby.eval("require 'js'; JS.global").expect_err("there is no JavaScript");
    let source = refused.source().and_then(|source| source.downcast_ref::<NoJavaScript>());
    assert!(source.is_some_and(|missing| missing.0.starts_with("global-this")), "{refused:?}");
    assert_eq!((refused.trap_code(), ruby.instance.state()), (Some(Trap::Host), InstanceState::Crashed));
    let printed = String::from_utf8(written.contents()).expect("text");
    assert!(printed.starts_with("ruby 3.4.") && printed.ends_with("\n1\n2\n"), "{printed}");
    Outcome { printed: Some(printed), seconds }
}
