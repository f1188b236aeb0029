//! Every fixture behaves the same when compiled and when loaded from the cache: information, results, traps, backtraces
//! and fuel.

use std::path::{Path, PathBuf};

use wrun::{Capabilities, Limits, RuntimeConfig, Value, WasmModule, WasmRuntime, create_runtime};

use crate::vocabulary::{Home, on_each};

fn fixtures() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["fixtures", "fixtures/wat", "fixtures/c"] {
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        found.extend(files.filter(|path| path.extension().is_some_and(|ending| ending == "wat" || ending == "wasm")));
    }
    assert!(found.len() > 30, "{found:?}");
    found
}

/// Describes the behaviour of a module: calls each of its functions with zeros, on its own instance.
fn seen(runtime: &dyn WasmRuntime, module: &dyn WasmModule) -> Vec<String> {
    let limits = Limits::none().with_fuel(200_000);
    let mut seen = vec![format!("{:?}", module.info())];
    for (name, ty) in module.info().functions() {
        let made = runtime.create_instance(module, limits, Capabilities::none());
        let args: Option<Vec<Value>> = ty.params().iter().map(Value::zero).collect();
        seen.push(match (made, args) {
            (Ok(mut instance), Some(args)) => {
                let result = instance.call(name, &args);
                format!("{name}: {result:?}, {:?}, {}", instance.fuel_used(), instance.memory_bytes())
            }
            (Ok(_), None) => format!("{name} takes what no caller has"),
            (Err(error), _) => format!("{name}: {error:?}"),
        });
    }
    seen
}

fn is_the_same(config: &RuntimeConfig, path: &Path) -> bool {
    let home = Home::new();
    let bytes = std::fs::read(path).unwrap();
    let fresh = create_runtime(config).unwrap();
    let Ok(compiled) = fresh.load_module(&bytes) else { return false };
    home.cache.load_or_compile(fresh.as_ref(), &bytes).unwrap();
    let later = create_runtime(config).unwrap();
    let restored = home.cache.load_or_compile(later.as_ref(), &bytes).unwrap();
    assert_eq!(later.metrics().cache_hits, 1, "{}", path.display());
    let (expected, seen) = (seen(fresh.as_ref(), compiled.as_ref()), seen(later.as_ref(), restored.as_ref()));
    assert_eq!(expected, seen, "{}", path.display());
    true
}

#[test]
fn cached_fixtures_behave_like_compiled_ones() {
    on_each(|config| {
        let config = config.clone().with_metering();
        let same = fixtures().iter().filter(|path| is_the_same(&config, path)).count();
        assert!(same > 20, "only {same} fixtures load");
    });
}
