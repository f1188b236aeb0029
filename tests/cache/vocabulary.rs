//! Helpers for the tests of the cache.

use std::fs::{File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use wrun::engine::features;
use wrun::{Cache, Capabilities, Limits, RuntimeConfig, WasmInstance, WasmModule, WasmRuntime, create_runtime};

/// Assembles a module whose `get` returns `number`.
pub(crate) fn number(number: i32) -> Vec<u8> {
    wat::parse_str(format!(r#"(module (func (export "get") (result i32) (i32.const {number})))"#)).unwrap()
}

/// A cache in a temporary folder, which is removed with the value.
pub(crate) struct TempCache {
    folder: TempDir,
    pub(crate) cache: Cache,
}

impl TempCache {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("code")).unwrap();
        Self { folder, cache }
    }

    /// Returns a path next to the cache.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the files of the entries.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        files(self.cache.dir())
    }

    /// Returns the file of the only entry.
    #[track_caller]
    pub(crate) fn file(&self) -> PathBuf {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        files.into_iter().next().unwrap()
    }

    /// Loads a module with a new runtime and calls its `get`. Returns the result, and whether the code was cached.
    #[track_caller]
    pub(crate) fn get(&self, config: &RuntimeConfig, module: &[u8]) -> (i32, Found) {
        get(&self.cache, config, module)
    }
}

/// Returns the files of the entries in a cache folder, by name.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = all.filter(|path| path.extension().is_some_and(|ending| ending == "code")).collect();
    files.sort();
    files
}

/// Whether the code of a module was in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Hit,
    Miss,
}

/// See [`TempCache::get`].
#[track_caller]
pub(crate) fn get(cache: &Cache, config: &RuntimeConfig, module: &[u8]) -> (i32, Found) {
    let runtime = create_runtime(config).unwrap();
    let module = cache.load_or_compile(runtime.as_ref(), module).unwrap();
    let mut instance = instance(runtime.as_ref(), module.as_ref());
    (instance.call_simple_function("get", &[]).unwrap(), found(runtime.as_ref()))
}

/// Returns whether the only module of a runtime came from the cache.
#[track_caller]
pub(crate) fn found(runtime: &dyn WasmRuntime) -> Found {
    let metrics = runtime.metrics();
    match (metrics.modules_compiled, metrics.cache_hits) {
        (0, 1) => Found::Hit,
        (1, 0) => Found::Miss,
        other => panic!("{other:?} modules were compiled and loaded from the cache"),
    }
}

/// Makes an instance without limits or grants.
#[track_caller]
pub(crate) fn instance(runtime: &dyn WasmRuntime, module: &dyn WasmModule) -> Box<dyn WasmInstance> {
    runtime.create_instance(module, Limits::none(), Capabilities::none()).unwrap()
}

/// Runs a test on each engine that is compiled in, with each of its compilers; fails with the list of those that failed.
#[track_caller]
pub(crate) fn on_each(test: impl Fn(&RuntimeConfig)) {
    let mut failures = Vec::new();
    for (kind, compiler) in features::combinations().filter(|(kind, _)| kind.is_available()) {
        let config = RuntimeConfig::new(kind).with_compiler(compiler);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(&config))) {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            failures.push(format!("on {kind} with {compiler}: {message}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Reports that a test skips a check, and why. The test harness hides what passing tests print, but not this.
pub(crate) fn skipped(why: &str) {
    let thread = thread::current();
    let _ = writeln!(io::stderr().lock(), "skipped: {}: {why}", thread.name().unwrap_or("a test"));
}

/// Replaces the contents of an entry, and gives the new file the mode of an entry.
pub(crate) fn rewrite(path: &Path, contents: &[u8]) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, contents).unwrap();
    set_mode(path, 0o500);
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Makes a file this old.
pub(crate) fn age(path: &Path, age: Duration) {
    File::open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
}

/// Returns the time since a file was used.
pub(crate) fn age_of(path: &Path) -> Duration {
    path.metadata().unwrap().modified().unwrap().elapsed().unwrap_or_default()
}
