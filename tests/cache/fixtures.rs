//! Every fixture, freshly compiled and loaded from the cache, has the same facts, results, traps, backtraces and fuel.

use std::path::{Path, PathBuf};

use wrun::{Capabilities, Limits, RuntimeConfig, Value, WasmModule, WasmRuntime, create_runtime};

use crate::vocabulary::{TempCache, on_each};

fn fixtures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["fixtures", "fixtures/wat", "fixtures/c"] {
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        found.extend(files.filter(|path| path.extension().is_some_and(|ending| ending == "wat" || ending == "wasm")));
    }
    assert!(found.len() > 30, "{found:?}");
    found
}

/// Describes a module: its facts, and the outcome of each function, called with zeros on a new instance.
fn describe(runtime: &dyn WasmRuntime, module: &dyn WasmModule) -> Vec<String> {
    let limits = Limits::none().with_fuel(200_000);
    let mut lines = vec![format!("{:?}", module.info())];
    for (name, ty) in module.info().functions() {
        let made = runtime.create_instance(module, limits, Capabilities::none());
        let args: Option<Vec<Value>> = ty.params().iter().map(Value::zero).collect();
        lines.push(match (made, args) {
            (Ok(mut instance), Some(args)) => {
                let result = instance.call(name, &args);
                format!("{name}: {result:?}, {:?}, {}", instance.fuel_used(), instance.memory_bytes())
            }
            (Ok(_), None) => format!("{name} has parameters that cannot be passed"),
            (Err(error), _) => format!("{name}: {error:?}"),
        });
    }
    lines
}

/// Checks one fixture; returns `false` if the engine does not accept it.
fn check(config: &RuntimeConfig, path: &Path) -> bool {
    let temp = TempCache::new();
    let bytes = std::fs::read(path).unwrap();
    let fresh = create_runtime(config).unwrap();
    let Ok(compiled) = fresh.load_module(&bytes) else { return false };
    temp.cache.load_or_compile(fresh.as_ref(), &bytes).unwrap();
    let later = create_runtime(config).unwrap();
    let restored = temp.cache.load_or_compile(later.as_ref(), &bytes).unwrap();
    assert_eq!(later.metrics().cache_hits, 1, "{}", path.display());
    let (expected, found) = (describe(fresh.as_ref(), compiled.as_ref()), describe(later.as_ref(), restored.as_ref()));
    assert_eq!(expected, found, "{}", path.display());
    true
}

#[test]
fn cached_code_behaves_like_compiled_code() {
    on_each(|config| {
        let config = config.clone().with_metering();
        let checked = fixtures().iter().filter(|path| check(&config, path)).count();
        assert!(checked > 20, "only {checked} fixtures load");
    });
}
