//! Components of real toolchains: each call in `fixtures/component/expected.json` has the expected result.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::{env, fmt, fs, io, thread};

use serde::Deserialize;
use serde_json::value::RawValue;
use wrun::component::encode::{TypedResult, TypedValue};
use wrun::component::{json, text};
use wrun::{Capabilities, ErrorKind, Limits, WasmComponentInstance, WitFunction, WitType, WitValue};

use crate::vocabulary::{Engine, assert_contains, call, refused, returned};

/// A call on a fresh instance, and its result.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The component, in [`folder`].
    file: String,
    function: String,
    args: Box<RawValue>,
    /// The arguments in WAVE, if WAVE has their types.
    wave: Option<Vec<String>>,
    /// The result as JSON; `null` for none.
    result: serde_json::Value,
    /// The output of the `wasmtime` command, for `verify.py`.
    #[serde(rename = "printed")]
    _printed: Option<String>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.file, self.function, self.args)
    }
}

/// Returns the folder of the components.
fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/component"))
}

fn rows() -> Vec<Row> {
    let all: Vec<Row> = serde_json::from_slice(&fs::read(folder().join("expected.json")).unwrap()).unwrap();
    all.into_iter().filter(|row| cfg!(feature = "wasi-p3") || !is_asynchronous(&row.file)).collect()
}

/// Returns whether a component needs the asynchronous interfaces.
fn is_asynchronous(file: &str) -> bool {
    file.starts_with("async/") || file == "types/asynchronous.wasm"
}

/// Starts a component with these limits.
fn try_start(engine: &Engine, path: &Path, limits: Limits) -> wrun::Result<Box<dyn WasmComponentInstance>> {
    let component = engine.runtime.load_component(&fs::read(path).unwrap())?;
    engine.runtime.create_component_instance(component.as_ref(), limits, Capabilities::none())
}

#[track_caller]
fn start(engine: &Engine, path: &Path, limits: Limits) -> Box<dyn WasmComponentInstance> {
    try_start(engine, path, limits).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Calls the function of a row with its arguments as JSON, and returns the result as JSON.
fn call_json(instance: &mut dyn WasmComponentInstance, row: &Row) -> wrun::Result<serde_json::Value> {
    let mut function = instance.function(&row.function)?;
    let ty = function.ty().clone();
    let args = json::decode_args(row.args.get().as_bytes(), &ty)?;
    let value = function.call(instance, &args)?;
    let typed = value.as_ref().zip(ty.result()).map(|(value, ty)| TypedValue::new(value, ty));
    Ok(serde_json::from_str(&json::encode_result(TypedResult(typed))?).unwrap())
}

/// Describes the result of a row, if it is not the expected one.
fn mismatch(instance: &mut dyn WasmComponentInstance, row: &Row) -> Option<String> {
    match call_json(instance, row) {
        Ok(result) if result == row.result => None,
        Ok(result) => Some(format!("{row}: {result}")),
        Err(error) => Some(format!("{row}: {error}")),
    }
}

#[test]
fn every_call_has_the_expected_result() {
    let engine = Engine::new();
    let wrong = |row: &Row| {
        let mut instance = start(&engine, &folder().join(&row.file), Limits::none());
        mismatch(instance.as_mut(), row)
    };
    let wrong: Vec<_> = rows().iter().filter_map(wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_instance_takes_all_calls_of_its_component() {
    let (engine, rows) = (Engine::new(), rows());
    let files: BTreeSet<_> = rows.iter().map(|row| &*row.file).collect();
    for file in files {
        let mut instance = start(&engine, &folder().join(file), Limits::none());
        let of_file = rows.iter().filter(|row| row.file == file);
        let wrong: Vec<_> = of_file.filter_map(|row| mismatch(instance.as_mut(), row)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Returns the arguments of a row as text: text and characters as they are, everything else in WAVE.
fn as_text(wave: &[String], values: &[WitValue], ty: &WitFunction) -> Vec<String> {
    let one = |((wave, value), (_, ty)): ((&String, &WitValue), &(_, WitType))| match ty {
        WitType::String | WitType::Char => text::format(value, ty).unwrap(),
        _ => wave.clone(),
    };
    wave.iter().zip(values).zip(ty.params()).map(one).collect()
}

#[test]
fn arguments_in_wave_are_the_same_values() {
    let engine = Engine::new();
    let mut compared = 0;
    for row in rows() {
        let Some(wave) = &row.wave else { continue };
        let mut instance = start(&engine, &folder().join(&row.file), Limits::none());
        let ty = instance.function(&row.function).unwrap().ty().clone();
        let expected = json::decode_args(row.args.get().as_bytes(), &ty).unwrap();
        let args = as_text(wave, &expected, &ty);
        assert_eq!(text::parse_args(&args, &ty).unwrap_or_else(|error| panic!("{row}: {error}")), expected, "{row}");
        compared += 1;
    }
    assert!(compared > 90, "{compared}");
}

#[test]
fn every_library_has_calls() {
    let called: BTreeSet<_> = rows().into_iter().map(|row| row.file).collect();
    for theme in ["shop", "types", "async"] {
        for entry in fs::read_dir(folder().join(theme)).unwrap() {
            let path = entry.unwrap().path();
            let file = format!("{theme}/{}", path.file_name().unwrap().to_str().unwrap());
            let is_refused = file == "types/errors.wasm" || !cfg!(feature = "wasi-p3") && is_asynchronous(&file);
            if path.extension().is_some_and(|ending| ending == "wasm" || ending == "wat") && !is_refused {
                assert!(called.contains(&file), "{file}");
            }
        }
    }
}

#[test]
fn a_component_with_an_error_context_is_refused() {
    let engine = Engine::new();
    let loaded = engine.runtime.load_component(&fs::read(folder().join("types/errors.wasm")).unwrap());
    assert_contains(&refused(loaded, ErrorKind::UnsupportedFeature).to_string(), &["component_model_error_context"]);
}

#[test]
#[cfg(feature = "wasi-p3")]
fn functions_with_streams_and_futures_are_refused() {
    let mut instance = start(&Engine::new(), &folder().join("types/asynchronous.wasm"), Limits::none());
    for (name, ty) in [("echo-stream", "stream<u8>"), ("echo-future", "future<string>"), ("later", "future")] {
        let error = refused(instance.function(name), ErrorKind::UnsupportedFeature);
        assert_contains(&error.to_string(), &[ty]);
    }
}

/// The counters that exist, by the component's own count.
fn live(instance: &mut dyn WasmComponentInstance) -> WitValue {
    returned(instance, "counters#live", &[])
}

#[test]
fn resources_live_until_they_are_dropped_or_passed_on() {
    let mut instance = start(&Engine::new(), &folder().join("resources/counters.wasm"), Limits::none());
    let instance = instance.as_mut();
    let three = returned(instance, "counters#[constructor]counter", &[WitValue::U32(3)]);
    let seven = returned(instance, "counters#[constructor]counter", &[WitValue::U32(7)]);
    assert_eq!(
        returned(instance, "counters#[method]counter.add", &[three.clone(), WitValue::U32(1)]),
        WitValue::U32(4)
    );
    let both = WitValue::List(vec![three.clone(), seven.clone()]);
    assert_eq!(returned(instance, "counters#sum", &[both]), WitValue::U64(11));

    let merged = returned(instance, "counters#merge", &[three.clone(), seven.clone()]);
    assert_eq!(returned(instance, "counters#[method]counter.value", std::slice::from_ref(&merged)), WitValue::U32(11));
    assert_eq!(live(instance), WitValue::U32(2));
    let gone = call(instance, "counters#[method]counter.value", &[three]);
    refused(gone, ErrorKind::InvalidArgument);

    for counter in [merged, seven] {
        let WitValue::Resource(handle) = counter else { panic!("{counter:?} is not a resource") };
        instance.drop_resource(handle).unwrap();
    }
    assert_eq!(live(instance), WitValue::U32(0));
}

#[test]
fn resources_arrive_in_lists_and_results() {
    let mut instance = start(&Engine::new(), &folder().join("resources/counters.wasm"), Limits::none());
    let instance = instance.as_mut();
    let WitValue::List(several) = returned(instance, "counters#several", &[WitValue::U32(3)]) else {
        panic!("not a list")
    };
    let values = several
        .iter()
        .map(|counter| returned(instance, "counters#[method]counter.value", std::slice::from_ref(counter)));
    assert_eq!(values.collect::<Vec<_>>(), [1, 2, 3].map(WitValue::U32));

    let parsed = returned(instance, "counters#[static]counter.parse", &[WitValue::String("42".into())]);
    let WitValue::Result(Ok(Some(counter))) = parsed else { panic!("{parsed:?} is not ok") };
    assert_eq!(returned(instance, "counters#[method]counter.value", &[*counter]), WitValue::U32(42));
    let refused = returned(instance, "counters#[static]counter.parse", &[WitValue::String("four".into())]);
    assert_eq!(refused, WitValue::Result(Err(Some(Box::new(WitValue::String("not a number".into()))))));
    assert_eq!(live(instance), WitValue::U32(4));
}

#[test]
#[cfg(feature = "wasi-p3")]
fn a_time_limit_ends_asynchronous_functions() {
    for function in ["stall", "spin", "double-later"] {
        let limits = Limits::none().with_time(std::time::Duration::from_millis(50));
        let mut instance = start(&Engine::metered(), &folder().join("async/later.wasm"), limits);
        let args = [WitValue::U32(1), WitValue::U32(u32::MAX)];
        let args = if function == "double-later" { &args[..] } else { &[] };
        refused(call(instance.as_mut(), function, args), ErrorKind::Timeout);
    }
}

/// Reports that a test skips a check, and why. The test harness hides what passing tests print, but not this.
fn skipped(why: &str) {
    let thread = thread::current();
    let _ = writeln!(io::stderr().lock(), "skipped: {}: {why}", thread.name().unwrap_or("a test"));
}

/// What `large.sh` did.
enum Large {
    Built(PathBuf),
    /// Its tools are missing, or it was not to build.
    Unavailable(String),
    Failed(String),
}

/// The exit code of `large.sh` if it cannot install its tools, or was not to build.
const UNAVAILABLE: i32 = 75;

fn build_large() -> Large {
    let mut script = Command::new(folder().join("large.sh"));
    if env::var_os("CI").is_none() {
        script.arg("--cached");
    }
    match script.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => {
            Large::Built(String::from_utf8(output.stdout).unwrap().trim_end().into())
        }
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
            if output.status.code() == Some(UNAVAILABLE) {
                Large::Unavailable(why)
            } else {
                Large::Failed(format!("{}: {why}", output.status))
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Large::Unavailable("there is no bash".to_owned()),
        Err(error) => Large::Failed(error.to_string()),
    }
}

/// Returns the folder of the components in Python and JavaScript. `large.sh` builds them in continuous integration; elsewhere, this
/// takes those that it has built before.
#[track_caller]
fn large() -> Option<&'static Path> {
    static LARGE: OnceLock<Large> = OnceLock::new();
    match LARGE.get_or_init(build_large) {
        Large::Built(folder) => Some(folder),
        Large::Unavailable(why) => {
            skipped(why);
            None
        }
        Large::Failed(why) => panic!("large.sh: {why}"),
    }
}

#[test]
fn the_same_shop_in_python_and_javascript() {
    let (engine, Some(large)) = (Engine::new(), large()) else { return };
    let rows = rows();
    for file in ["shop-py.wasm", "shop-js.wasm"] {
        let mut instance = start(&engine, &large.join(file), Limits::none());
        let of_shop = rows.iter().filter(|row| row.file == "shop/shop.wasm");
        let wrong: Vec<_> = of_shop.filter_map(|row| mismatch(instance.as_mut(), row)).collect();
        assert!(wrong.is_empty(), "{file}: {}", wrong.join("\n"));
    }
}

#[test]
#[cfg(feature = "wasi-p3")]
fn a_program_in_python_runs_by_wasi_0_3() {
    let (engine, Some(large)) = (Engine::new(), large()) else { return };
    let component = engine.runtime.load_component(&fs::read(large.join("hello3-py.wasm")).unwrap()).unwrap();
    let stdout = wrun::Captured::new();
    let granted = Capabilities::none().with_stdout(wrun::Output::Capture(stdout.clone()));
    let start =
        |granted| engine.runtime.create_component_instance(component.as_ref(), Limits::none(), granted).unwrap();
    start(granted).run().unwrap();
    assert_eq!(stdout.contents(), b"hello from Python\n");
    let mut instance = start(Capabilities::none());
    assert_eq!(returned(instance.as_mut(), "double-later", &[WitValue::U32(21)]), WitValue::U32(42));
}
