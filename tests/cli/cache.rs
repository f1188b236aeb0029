//! The cache of compiled code: where it is, and when it is used.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::on_each_compiler;
use crate::vocabulary::{CALC, Command, ENVIRONMENT, Said, WRUN, file, in_shell, run, said, wrun};

pub(crate) const ADD: [&str; 4] = ["fixtures/add.wasm", "add", "5", "3"];

/// A home folder, and a cache somewhere else.
pub(crate) struct World(TempDir);

impl World {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The cache's folder.
    pub(crate) fn cache(&self) -> PathBuf {
        self.path("code")
    }

    /// `wrun` with that cache.
    pub(crate) fn wrun(&self) -> Command {
        let mut command = wrun();
        command.env("WRUN_CACHE_DIR", self.cache());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        said(&self.wrun().args(args).output().unwrap())
    }

    /// What the envelope of a call says of the cache.
    #[track_caller]
    pub(crate) fn use_of(&self, args: &[&str]) -> String {
        let envelope = self.run(&[&["--metrics"], args].concat()).envelope();
        envelope["metrics"]["cache"].as_str().unwrap().to_owned()
    }

    pub(crate) fn entries(&self) -> Vec<PathBuf> {
        entries(&self.cache())
    }
}

pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|one| one == "code")).collect()
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Exchanges what an entry says, for a file that has all else of an entry.
pub(crate) fn rewrite(path: &Path, contents: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, contents).unwrap();
    set_mode(path, 0o500);
}

#[test]
fn the_envelope_says_miss_then_hit_and_off_without_a_cache() {
    on_each_compiler(|engine| {
        let world = World::new();
        let call = [engine, &ADD].concat();
        assert_eq!(world.use_of(&call), "miss");
        assert_eq!(world.use_of(&call), "hit");
        assert_eq!(world.use_of(&[&["--no-cache"], &call[..]].concat()), "off");
        assert_eq!(world.use_of(&call), "hit");
        assert_eq!(world.entries().len(), 1);
        let unfound = world.run(&[&["--metrics"], engine, &["fixtures/add.wasm", "ad"]].concat());
        assert_eq!(unfound.envelope()["metrics"]["cache"], json!("hit"), "the module was found, the function not");
        let invalid = world.run(&[&["--metrics"], engine, &["Cargo.toml", "f"]].concat());
        assert_eq!(invalid.envelope()["metrics"]["cache"], json!("miss"));
        assert_eq!(run(&[&["--metrics"], &call[..]].concat()).envelope()["metrics"]["cache"], json!("off"), "no home");
    });
}

#[test]
fn a_large_module_is_found_by_all_of_its_bytes() {
    let long = |last: &str| file(format!("{CALC} (; {}{last} ;)", "-".repeat(2 << 20)));
    let (module, other) = (long("a"), long("b"));
    on_each_compiler(|engine| {
        let world = World::new();
        let of = |module: &str| world.use_of(&[engine, &[module, "add", "5", "3"]].concat());
        assert_eq!(
            [of(&module.path), of(&module.path), of(&other.path), of(&other.path)],
            ["miss", "hit", "miss", "hit"]
        );
        world.run(&[engine, &[&*module.path, "add", "5", "3"]].concat()).prints("8\n");
        let piped = format!("cat {} | {WRUN} {} - add 5 3", module.path, engine.join(" "));
        let mut shell = Command::new("sh");
        shell.env("WRUN_CACHE_DIR", world.cache()).args(["-c", &piped]);
        said(&shell.output().unwrap()).prints("8\n");
        assert_eq!(world.entries().len(), 2, "from a pipe it is the same module");
        let fifo = world.path("fifo");
        let writes = format!(
            "mkfifo {0}; cat {1} > {0} & {WRUN} {2} {0} add 5 3",
            fifo.display(),
            module.path,
            engine.join(" ")
        );
        let mut shell = Command::new("sh");
        shell.env("WRUN_CACHE_DIR", world.cache()).args(["-c", &writes]);
        said(&shell.output().unwrap()).prints("8\n");
    });
}

#[test]
fn everything_is_said_as_without_a_cache() {
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
        let world = World::new();
        for call in calls {
            let args = [engine, &[&module.path], call].concat();
            let without = run(&args);
            for turn in 0..2 {
                assert_eq!(world.run(&args), without, "{call:?}, {turn}");
            }
        }
        let program = [engine, &["fixtures/c/greet.wasm", "--", "/none"]].concat();
        let without = run(&program);
        for _ in 0..2 {
            assert_eq!(world.run(&program), without);
        }
    });
}

#[test]
fn the_folder_is_the_flags_then_the_environments_then_the_users() {
    let world = World::new();
    let home = world.path("home");
    fs::create_dir(&home).unwrap();
    let at = |flags: &[&str], environment: &[(&str, &Path)]| {
        let output = wrun().envs(environment.iter().copied()).args(flags).args(ADD).output().unwrap();
        assert_eq!(output.stdout, b"8\n");
    };
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let caches = world.path("caches");
    at(&[], &[("HOME", &home), ("XDG_CACHE_HOME", Path::new("relative"))]);
    assert_eq!(entries(&home.join(".cache/wrun")).len(), 1);
    assert_eq!(mode(&home.join(".cache/wrun")), 0o700);
    at(&[], &[("HOME", &home), ("XDG_CACHE_HOME", &caches)]);
    assert_eq!(entries(&caches.join("wrun")).len(), 1);
    let [chosen, flagged] = [world.path("chosen"), world.path("flagged/below")];
    at(&[], &[("HOME", &home), ("XDG_CACHE_HOME", &caches), ("WRUN_CACHE_DIR", &chosen)]);
    assert_eq!((entries(&chosen).len(), mode(&chosen)), (1, 0o700));
    at(&["--cache-dir", flagged.to_str().unwrap()], &[("HOME", &home), ("WRUN_CACHE_DIR", &chosen)]);
    assert_eq!((entries(&flagged).len(), mode(&flagged)), (1, 0o700));
    at(&["--no-cache"], &[("HOME", Path::new("/")), ("WRUN_CACHE_DIR", &world.path("unused"))]);
    assert!(!world.path("unused").exists());
    assert!(!Path::new("relative").exists());
    run(&["--no-cache", "--cache-dir", "x", "m.wasm"]).fails(2, &["--no-cache", "--cache-dir"]);
}

#[test]
fn a_home_that_is_not_there_or_takes_nothing_is_only_a_note() {
    let world = World::new();
    let shared = world.path("shared");
    fs::create_dir_all(shared.join("wrun")).unwrap();
    set_mode(&shared.join("wrun"), 0o777);
    let missing = world.path("missing/home");
    let homes =
        [("HOME", Path::new("/proc/self")), ("XDG_CACHE_HOME", Path::new("/proc/none")), ("XDG_CACHE_HOME", &shared)];
    for home in
        homes.into_iter().chain([("HOME", missing.as_path()), ("HOME", Path::new("")), ("HOME", Path::new("here"))])
    {
        for _ in 0..2 {
            let output = wrun().env(home.0, home.1).args(ADD).output().unwrap();
            said(&output).prints("8\n");
        }
        let told = said(&wrun().env(home.0, home.1).arg("-v").args(ADD).output().unwrap());
        assert!(told.stderr.contains("nothing is cached"), "{home:?}: {}", told.stderr);
        let envelope = said(&wrun().env(home.0, home.1).arg("--metrics").args(ADD).output().unwrap()).envelope();
        assert_eq!(envelope["metrics"]["cache"], json!("off"));
    }
    assert!(!missing.exists() && entries(&shared.join("wrun")).is_empty());
}

#[test]
fn a_folder_that_was_asked_for_and_is_of_no_use_is_an_error() {
    let world = World::new();
    fs::create_dir(world.cache()).unwrap();
    set_mode(&world.cache(), 0o770);
    let folder = world.cache();
    let folder = folder.to_str().unwrap();
    world.run(&ADD).fails(2, &["cache folder", folder, "others can write to it (its mode is 770)", "hint: "]);
    run(&[&["--cache-dir", folder], &ADD[..]].concat()).fails(2, &["others can write to it"]);
    let envelope = run(&[&["--metrics", "--cache-dir", folder], &ADD[..]].concat()).envelope();
    assert_eq!(envelope["error"]["kind"], json!("unsupported_config"));
    for command in ["list", "prune", "clear", "verify"] {
        world.run(&["cache", command]).fails(2, &["others can write to it"]);
    }
    world.run(&["compile", "fixtures/add.wasm"]).fails(2, &["others can write to it"]);
    world.run(&[&["--explain"], &ADD[..]].concat()).fails(2, &["others can write to it"]);
    world.run(&[&["--no-cache"], &ADD[..]].concat()).prints("8\n");
    set_mode(&world.cache(), 0o750);
    world.run(&ADD).prints("8\n");
    run(&[&["--cache-dir", "/proc/none"], &ADD[..]].concat()).fails(2, &["/proc/none"]);
    run(&[&["--cache-dir", "Cargo.toml"], &ADD[..]].concat()).fails(2, &["it is no folder"]);
}

/// `wrun` in a shell where files cannot grow beyond half a kilobyte, which fails as a full disk does.
fn without_room(world: &World, line: &str) -> Said {
    let mut shell = in_shell("ulimit -f 1", line);
    said(&shell.env("WRUN_CACHE_DIR", world.cache()).output().unwrap())
}

#[test]
fn a_full_disk_is_only_a_note_and_an_error_of_compile() {
    on_each_compiler(|engine| {
        let world = World::new();
        let engine = engine.join(" ");
        for _ in 0..2 {
            without_room(&world, &format!("{engine} fixtures/add.wasm add 5 3")).prints("8\n");
        }
        let told = without_room(&world, &format!("-v {engine} fixtures/add.wasm add 5 3"));
        assert!(told.stderr.contains("the code is not kept"), "{}", told.stderr);
        let failed = without_room(&world, &format!("compile {engine} fixtures/add.wasm"));
        failed.fails(125, &["fixtures/add.wasm: cannot write to the cache folder"]);
        let left = fs::read_dir(world.cache()).unwrap().map(|file| file.unwrap().file_name());
        assert_eq!(left.filter(|name| name != ".ledger").count(), 0, "nothing is left behind");
    });
}

#[test]
fn a_damaged_entry_is_replaced_without_a_word_and_told_of_when_asked() {
    on_each_compiler(|engine| {
        let world = World::new();
        let call = [engine, &ADD].concat();
        world.run(&call).prints("8\n");
        let entry = world.entries().remove(0);
        let mut bytes = fs::read(&entry).unwrap();
        bytes[100] ^= 1;
        rewrite(&entry, &bytes);
        let told = world.run(&[&["-v"], &call[..]].concat());
        assert!(told.stderr.contains("is not used") && told.stdout == "8\n", "{}", told.stderr);
        assert_eq!(world.use_of(&call), "hit");
        rewrite(&entry, &bytes);
        world.run(&call).prints("8\n");
        assert_eq!(world.use_of(&call), "hit");
    });
}

#[test]
fn the_code_of_a_guest_that_was_stopped_is_kept() {
    let module =
        file(r#"(module (func (export "spin") (loop $again (br $again))) (func (export "trap") unreachable))"#);
    on_each_compiler(|engine| {
        let world = World::new();
        for call in [&["--timeout", "100ms"][..], &["--fuel", "1000"], &[]] {
            let function = if call.is_empty() { "trap" } else { "spin" };
            let args = [engine, call, &[&module.path, function]].concat();
            assert_eq!(world.use_of(&args), "miss", "{call:?}");
            assert_eq!(world.use_of(&args), "hit", "{call:?}");
        }
    });
}

#[test]
fn many_processes_share_a_cache_while_another_clears_it() {
    on_each_compiler(|engine| {
        let world = World::new();
        let start = |args: &[&str]| -> Child {
            let mut command = std::process::Command::new(WRUN);
            for name in ENVIRONMENT {
                command.env_remove(name);
            }
            command.env("WRUN_CACHE_DIR", world.cache()).args(args);
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
        world.run(&[engine, &ADD].concat()).prints("8\n");
        assert_eq!(world.entries().len(), 1);
        assert!(world.run(&["cache", "verify"]).stdout.contains("1 checked, 0 bad"));
    });
}

#[test]
fn the_cache_in_force_is_explained() {
    let world = World::new();
    let explain = |args: &[&str]| world.run(&[args, &["--explain"], &ADD].concat()).stdout;
    let line = |text: &str| text.lines().find(|line| line.starts_with("cache ")).unwrap().to_owned();
    let told = line(&explain(&[]));
    assert!(told.contains(world.cache().to_str().unwrap()) && told.ends_with("(WRUN_CACHE_DIR)"), "{told}");
    assert!(line(&explain(&["--cache-dir", "/tmp/x"])).ends_with("(command line)"));
    let none = line(&explain(&["--no-cache"]));
    assert_eq!(none.split_whitespace().collect::<Vec<_>>(), ["cache", "no", "(command", "line)"]);
    let report: Value = serde_json::from_str(&explain(&["-o", "json"])).unwrap();
    assert_eq!(report["cache"], json!({"value": world.cache(), "from": "environment"}));
    let report: Value = serde_json::from_str(&run(&[&["--explain", "-o", "json"], &ADD[..]].concat()).stdout).unwrap();
    assert_eq!(report["cache"], json!({"value": null, "from": "default"}));
    assert!(!world.cache().exists());
}

#[test]
fn a_stream_that_is_closed_is_no_file_that_is_opened_next() {
    on_each_compiler(|engine| {
        let world = World::new();
        let mut shell = in_shell("exec <&- >&- 2>&-", &[engine, &ADD].concat().join(" "));
        let ended = said(&shell.env("WRUN_CACHE_DIR", world.cache()).output().unwrap());
        assert_eq!((ended.code, world.entries().len()), (0, 1));
        world.run(&["cache", "verify"]).prints("1 checked, 0 bad\n");
    });
}
