//! The cache of compiled code: its folder, and when it is used.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::on_each_compiler;
use crate::vocabulary::{CALC, Command, ENVIRONMENT, Printed, WRUN, file, in_shell, printed, run, wrun};

pub(crate) const ADD: [&str; 4] = ["fixtures/add.wasm", "add", "5", "3"];

/// A temporary folder with a cache in it.
pub(crate) struct TestCache(TempDir);

impl TestCache {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder of the cache.
    pub(crate) fn folder(&self) -> PathBuf {
        self.path("code")
    }

    /// `wrun` with this cache.
    pub(crate) fn wrun(&self) -> Command {
        let mut command = wrun();
        command.env("WRUN_CACHE_DIR", self.folder());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Printed {
        printed(&self.wrun().args(args).output().unwrap())
    }

    /// Returns whether a call reports a hit or a miss, or that the cache is off.
    #[track_caller]
    pub(crate) fn lookup(&self, args: &[&str]) -> String {
        let envelope = self.run(&[&["--metrics"], args].concat()).envelope();
        envelope["metrics"]["cache"].as_str().unwrap().to_owned()
    }

    pub(crate) fn entries(&self) -> Vec<PathBuf> {
        entries(&self.folder())
    }
}

pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|one| one == "code")).collect()
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Replaces the contents of an entry, and keeps its mode.
pub(crate) fn rewrite(path: &Path, contents: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, contents).unwrap();
    set_mode(path, 0o500);
}

#[test]
fn the_envelope_reports_miss_hit_and_off() {
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let call = [engine, &ADD].concat();
        assert_eq!(cache.lookup(&call), "miss");
        assert_eq!(cache.lookup(&call), "hit");
        assert_eq!(cache.lookup(&[&["--no-cache"], &call[..]].concat()), "off");
        assert_eq!(cache.lookup(&call), "hit");
        assert_eq!(cache.entries().len(), 1);
        let unknown = cache.run(&[&["--metrics"], engine, &["fixtures/add.wasm", "ad"]].concat());
        assert_eq!(unknown.envelope()["metrics"]["cache"], json!("hit"), "the module was found, but not the function");
        let invalid = cache.run(&[&["--metrics"], engine, &["Cargo.toml", "f"]].concat());
        assert_eq!(invalid.envelope()["metrics"]["cache"], json!("miss"));
        assert_eq!(run(&[&["--metrics"], &call[..]].concat()).envelope()["metrics"]["cache"], json!("off"), "no home");
    });
}

#[test]
fn all_bytes_of_a_large_module_count() {
    let long = |last: &str| file(format!("{CALC} (; {}{last} ;)", "-".repeat(2 << 20)));
    let (module, other) = (long("a"), long("b"));
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let of = |module: &str| cache.lookup(&[engine, &[module, "add", "5", "3"]].concat());
        assert_eq!(
            [of(&module.path), of(&module.path), of(&other.path), of(&other.path)],
            ["miss", "hit", "miss", "hit"]
        );
        cache.run(&[engine, &[&*module.path, "add", "5", "3"]].concat()).prints("8\n");
        let piped = format!("cat {} | {WRUN} {} - add 5 3", module.path, engine.join(" "));
        let mut shell = Command::new("sh");
        shell.env("WRUN_CACHE_DIR", cache.folder()).args(["-c", &piped]);
        printed(&shell.output().unwrap()).prints("8\n");
        assert_eq!(cache.entries().len(), 2, "a module from a pipe has the same key");
        let fifo = cache.path("fifo");
        let writes = format!(
            "mkfifo {0}; cat {1} > {0} & {WRUN} {2} {0} add 5 3",
            fifo.display(),
            module.path,
            engine.join(" ")
        );
        let mut shell = Command::new("sh");
        shell.env("WRUN_CACHE_DIR", cache.folder()).args(["-c", &writes]);
        printed(&shell.output().unwrap()).prints("8\n");
    });
}

#[test]
fn output_is_the_same_as_without_a_cache() {
    let module = file(CALC);
    let calls: [&[&str]; 12] = [
        &["add", "5", "3"],
        &["pair", "7"],
        &["nothing"],
        &["ad", "5"],
        &["add", "5"],
        &["add", "5", "x"],
        &["div", "1", "0"],
        &["--memory", "1KiB", "zero"],
        &["--fuel", "2", "add", "5", "3"],
        &["--fuel", "1000", "div", "1", "0"],
        &["--timeout", "1h", "add", "5", "3"],
        &[],
    ];
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        for call in calls {
            let args = [engine, &[&module.path], call].concat();
            let without = run(&args);
            for turn in 0..2 {
                assert_eq!(cache.run(&args), without, "{call:?}, {turn}");
            }
        }
        let program = [engine, &["fixtures/c/greet.wasm", "--", "/none"]].concat();
        let without = run(&program);
        for _ in 0..2 {
            assert_eq!(cache.run(&program), without);
        }
    });
}

/// An `unreachable` and a call that come first in their functions, after the checks of fuel and time.
#[test]
fn cached_code_has_the_same_backtraces() {
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let module = file("(module (func $trap unreachable) (func $f (export \"f\") (call $trap)))");
        let args = [engine, &["--fuel", "1M", "--timeout", "1m", "--metrics", &module.path, "f"]].concat();
        let [compiled, cached] = [cache.run(&args), cache.run(&args)].map(|printed| printed.envelope());
        assert_eq!(cached["metrics"]["cache"], "hit");
        assert_eq!(compiled["error"]["backtrace"], cached["error"]["backtrace"]);
        let frames = cached["error"]["backtrace"].as_array().unwrap();
        let offsets: Vec<_> = frames.iter().map(|frame| frame["offset"].as_u64().unwrap()).collect();
        assert_eq!(offsets, [0x1f, 0x23]);
    });
}

#[test]
fn the_folder_comes_from_the_flag_the_environment_or_the_home() {
    let cache = TestCache::new();
    let home = cache.path("home");
    fs::create_dir(&home).unwrap();
    let at = |flags: &[&str], environment: &[(&str, &Path)]| {
        let output = wrun().envs(environment.iter().copied()).args(flags).args(ADD).output().unwrap();
        assert_eq!(output.stdout, b"8\n");
    };
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let caches = cache.path("caches");
    at(&[], &[("HOME", &home), ("XDG_CACHE_HOME", Path::new("relative"))]);
    assert_eq!(entries(&home.join(".cache/wrun")).len(), 1);
    assert_eq!(mode(&home.join(".cache/wrun")), 0o700);
    at(&[], &[("HOME", &home), ("XDG_CACHE_HOME", &caches)]);
    assert_eq!(entries(&caches.join("wrun")).len(), 1);
    let [chosen, flagged] = [cache.path("chosen"), cache.path("flagged/below")];
    at(&[], &[("HOME", &home), ("XDG_CACHE_HOME", &caches), ("WRUN_CACHE_DIR", &chosen)]);
    assert_eq!((entries(&chosen).len(), mode(&chosen)), (1, 0o700));
    at(&["--cache-dir", flagged.to_str().unwrap()], &[("HOME", &home), ("WRUN_CACHE_DIR", &chosen)]);
    assert_eq!((entries(&flagged).len(), mode(&flagged)), (1, 0o700));
    at(&["--no-cache"], &[("HOME", Path::new("/")), ("WRUN_CACHE_DIR", &cache.path("unused"))]);
    assert!(!cache.path("unused").exists());
    assert!(!Path::new("relative").exists());
    run(&["--no-cache", "--cache-dir", "x", "m.wasm"]).fails(2, &["--no-cache", "--cache-dir"]);
}

#[test]
fn an_unusable_default_folder_disables_the_cache() {
    let cache = TestCache::new();
    let shared = cache.path("shared");
    fs::create_dir_all(shared.join("wrun")).unwrap();
    set_mode(&shared.join("wrun"), 0o777);
    let missing = cache.path("missing/home");
    let homes =
        [("HOME", Path::new("/proc/self")), ("XDG_CACHE_HOME", Path::new("/proc/none")), ("XDG_CACHE_HOME", &shared)];
    for home in
        homes.into_iter().chain([("HOME", missing.as_path()), ("HOME", Path::new("")), ("HOME", Path::new("here"))])
    {
        for _ in 0..2 {
            let output = wrun().env(home.0, home.1).args(ADD).output().unwrap();
            printed(&output).prints("8\n");
        }
        let output = printed(&wrun().env(home.0, home.1).arg("-v").args(ADD).output().unwrap());
        assert!(output.stderr.contains("caching is disabled"), "{home:?}: {}", output.stderr);
        let envelope = printed(&wrun().env(home.0, home.1).arg("--metrics").args(ADD).output().unwrap()).envelope();
        assert_eq!(envelope["metrics"]["cache"], json!("off"));
    }
    assert!(!missing.exists() && entries(&shared.join("wrun")).is_empty());
}

#[test]
fn an_unusable_requested_folder_is_an_error() {
    let cache = TestCache::new();
    fs::create_dir(cache.folder()).unwrap();
    set_mode(&cache.folder(), 0o770);
    let folder = cache.folder();
    let folder = folder.to_str().unwrap();
    cache.run(&ADD).fails(2, &["cache directory", folder, "other users can write to it (its mode is 770)", "hint: "]);
    run(&[&["--cache-dir", folder], &ADD[..]].concat()).fails(2, &["other users can write to it"]);
    let envelope = run(&[&["--metrics", "--cache-dir", folder], &ADD[..]].concat()).envelope();
    assert_eq!(envelope["error"]["kind"], json!("unsupported_config"));
    for command in ["list", "prune", "clear", "verify"] {
        cache.run(&["cache", command]).fails(2, &["other users can write to it"]);
    }
    cache.run(&["compile", "fixtures/add.wasm"]).fails(2, &["other users can write to it"]);
    cache.run(&[&["--explain"], &ADD[..]].concat()).fails(2, &["other users can write to it"]);
    cache.run(&[&["--no-cache"], &ADD[..]].concat()).prints("8\n");
    set_mode(&cache.folder(), 0o750);
    cache.run(&ADD).prints("8\n");
    run(&[&["--cache-dir", "/proc/none"], &ADD[..]].concat()).fails(2, &["/proc/none"]);
    run(&[&["--cache-dir", "Cargo.toml"], &ADD[..]].concat()).fails(2, &["not a directory"]);
}

/// Runs `wrun` in a shell that limits files to half a kilobyte, which fails like a full disk.
fn without_room(cache: &TestCache, line: &str) -> Printed {
    let mut shell = in_shell("ulimit -f 1", line);
    printed(&shell.env("WRUN_CACHE_DIR", cache.folder()).output().unwrap())
}

#[test]
fn a_full_disk_fails_only_compile() {
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let engine = engine.join(" ");
        for _ in 0..2 {
            without_room(&cache, &format!("{engine} fixtures/add.wasm add 5 3")).prints("8\n");
        }
        let output = without_room(&cache, &format!("-v {engine} fixtures/add.wasm add 5 3"));
        assert!(output.stderr.contains("the code is not cached"), "{}", output.stderr);
        let failed = without_room(&cache, &format!("compile {engine} fixtures/add.wasm"));
        failed.fails(125, &["fixtures/add.wasm: cannot write to the cache directory"]);
        let left = fs::read_dir(cache.folder()).unwrap().map(|file| file.unwrap().file_name());
        assert_eq!(left.filter(|name| name != ".size-log").count(), 0, "nothing is left behind");
    });
}

#[test]
fn a_damaged_entry_is_replaced_and_logged() {
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let call = [engine, &ADD].concat();
        cache.run(&call).prints("8\n");
        let entry = cache.entries().remove(0);
        let mut bytes = fs::read(&entry).unwrap();
        bytes[100] ^= 1;
        rewrite(&entry, &bytes);
        let output = cache.run(&[&["-v"], &call[..]].concat());
        assert!(output.stderr.contains("ignoring the cache entry") && output.stdout == "8\n", "{}", output.stderr);
        assert_eq!(cache.lookup(&call), "hit");
        rewrite(&entry, &bytes);
        cache.run(&call).prints("8\n");
        assert_eq!(cache.lookup(&call), "hit");
    });
}

#[test]
fn the_code_of_a_stopped_guest_is_kept() {
    let module =
        file(r#"(module (func (export "spin") (loop $again (br $again))) (func (export "trap") unreachable))"#);
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        for call in [&["--timeout", "100ms"][..], &["--fuel", "1000"], &[]] {
            let function = if call.is_empty() { "trap" } else { "spin" };
            let args = [engine, call, &[&module.path, function]].concat();
            assert_eq!(cache.lookup(&args), "miss", "{call:?}");
            assert_eq!(cache.lookup(&args), "hit", "{call:?}");
        }
    });
}

#[test]
fn many_processes_share_a_cache_while_another_clears_it() {
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let start = |args: &[&str]| -> Child {
            let mut command = std::process::Command::new(WRUN);
            for name in ENVIRONMENT {
                command.env_remove(name);
            }
            command.env("WRUN_CACHE_DIR", cache.folder()).args(args);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        for round in 0..4 {
            let calls: Vec<_> = (0..8).map(|_| start(&[engine, &ADD].concat())).collect();
            let others: Vec<_> = ["clear", "prune", "verify", "list"].map(|action| start(&["cache", action])).into();
            for call in calls {
                let output = call.wait_with_output().unwrap();
                assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"8\n"[..], Some(0)), "round {round}");
                assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            for other in others {
                let output = other.wait_with_output().unwrap();
                assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            }
        }
        cache.run(&[engine, &ADD].concat()).prints("8\n");
        assert_eq!(cache.entries().len(), 1);
        assert!(cache.run(&["cache", "verify"]).stdout.contains("1 checked, 0 bad"));
    });
}

#[test]
fn explain_shows_the_cache() {
    let cache = TestCache::new();
    let explain = |args: &[&str]| cache.run(&[args, &["--explain"], &ADD].concat()).stdout;
    let line = |text: &str| text.lines().find(|line| line.starts_with("cache ")).unwrap().to_owned();
    let output = line(&explain(&[]));
    assert!(output.contains(cache.folder().to_str().unwrap()) && output.ends_with("(WRUN_CACHE_DIR)"), "{output}");
    let other = cache.path("other");
    assert!(line(&explain(&["--cache-dir", other.to_str().unwrap()])).ends_with("(command line)"));
    let none = line(&explain(&["--no-cache"]));
    assert_eq!(none.split_whitespace().collect::<Vec<_>>(), ["cache", "no", "(command", "line)"]);
    let report: Value = serde_json::from_str(&explain(&["-o", "json"])).unwrap();
    assert_eq!(report["cache"], json!({"value": cache.folder(), "from": "environment"}));
    let report: Value = serde_json::from_str(&run(&[&["--explain", "-o", "json"], &ADD[..]].concat()).stdout).unwrap();
    assert_eq!(report["cache"], json!({"value": null, "from": "default"}));
    assert!(!cache.folder().exists());
}

#[test]
fn closed_standard_streams_are_not_reused_for_files() {
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let mut shell = in_shell("exec <&- >&- 2>&-", &[engine, &ADD].concat().join(" "));
        let ended = printed(&shell.env("WRUN_CACHE_DIR", cache.folder()).output().unwrap());
        assert_eq!((ended.code, cache.entries().len()), (0, 1));
        cache.run(&["cache", "verify"]).prints("1 checked, 0 bad\n");
    });
}
