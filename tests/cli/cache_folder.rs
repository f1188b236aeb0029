//! The folder of the cache: its owner, its permissions, and what a killed process leaves in it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::cache::{ADD, TestCache, entries, set_mode};
use crate::process::on_each_compiler;
use crate::vocabulary::{ENVIRONMENT, Printed, WRUN, file, printed, skipped, wrun};

#[test]
fn a_process_killed_while_writing_leaves_no_bad_entry() {
    // Large enough that writing its code takes some milliseconds.
    let large = format!(r#"(module (memory 64) (data (i32.const 0) "{}") (func (export "f")))"#, "x".repeat(4 << 20));
    let module = file(large);
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let is_writing = || {
            let files = fs::read_dir(cache.folder()).into_iter().flatten().flatten();
            files.filter(|file| file.file_name().to_string_lossy().starts_with(".new-")).count() > 0
        };
        for turn in 0..12 {
            let mut command = std::process::Command::new(WRUN);
            command.env("WRUN_CACHE_DIR", cache.folder()).args([engine, &[&*module.path, "f"]].concat());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            while !is_writing() && child.try_wait().unwrap().is_none() {}
            std::thread::sleep(std::time::Duration::from_micros(turn * 200));
            child.kill().unwrap();
            child.wait().unwrap();
            let verified = cache.run(&["cache", "verify"]);
            assert_eq!((verified.code, verified.stderr.as_str()), (0, ""), "{}", verified.stdout);
            cache.run(&["cache", "clear"]);
            for file in fs::read_dir(cache.folder()).unwrap().flatten() {
                fs::remove_file(file.path()).unwrap();
            }
        }
        cache.run(&[engine, &[&*module.path, "f"]].concat()).prints("null\n");
    });
}

#[test]
fn a_read_only_folder_is_used_for_existing_entries() {
    // Root can write to any folder.
    let is_root = rustix::process::geteuid().is_root();
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let binary = cache.path("wrun");
        let run = |home: &Path, args: &[&str]| {
            let mut command = std::process::Command::new(&binary);
            for name in ENVIRONMENT {
                command.env_remove(name);
            }
            command.env("HOME", home).stdin(fs::File::open("fixtures/add.wasm").unwrap());
            if is_root {
                command.uid(12345).gid(12345);
            }
            printed(
                &command.args([&["-v", "--metrics", "-", "add", "5", "3"], engine, args].concat()).output().unwrap(),
            )
        };
        // Another process copies the binary: a file that this process has open for writing is also open in children of
        // other threads, and cannot be executed then.
        let copied = std::process::Command::new("cp").arg(WRUN).arg(&binary).status();
        assert!(copied.unwrap().success());
        set_mode(&binary, 0o755);
        set_mode(&cache.path(""), 0o755);
        let home = cache.path("home");
        fs::create_dir(&home).unwrap();
        if is_root {
            std::os::unix::fs::chown(&home, Some(12345), Some(12345)).unwrap();
        }
        let cache_use = |output: &Printed| {
            let envelope: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
            assert_eq!(envelope["result"], json!(8));
            envelope["metrics"]["cache"].as_str().unwrap().to_owned()
        };
        let folder = home.join(".cache/wrun");
        assert_eq!(cache_use(&run(&home, &[])), "miss");
        set_mode(&folder, 0o500);
        assert_eq!(cache_use(&run(&home, &[])), "hit");
        let output = run(&home, &["--fuel", "100"]);
        assert_eq!(cache_use(&output), "miss");
        assert!(output.stderr.contains("the code is not cached"), "{output:?}");
        assert_eq!(entries(&folder).len(), 1);
        set_mode(&folder, 0o700);
        fs::remove_dir_all(home.join(".cache")).unwrap();
        set_mode(&home, 0o500);
        let output = run(&home, &[]);
        assert_eq!(cache_use(&output), "off");
        assert!(output.stderr.contains("caching is disabled"), "{output:?}");
        set_mode(&home, 0o700);
    });
}

#[test]
fn root_cannot_grant_the_cache_to_a_guest() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root's guests could write to entries");
    }
    on_each_compiler(|engine| {
        let cache = TestCache::new();
        let above = cache.path("");
        let call = [engine, &ADD].concat();
        let grant = |access: &str| format!("{}::/data{access}", above.display());
        cache.run(&call).prints("8\n");
        for more in [&[][..], &["--no-cache"], &["--explain"]] {
            let refused = cache.run(&[more, &["--dir", &grant("")], &call].concat());
            refused.fails(126, &["cache of compiled code", "::ro"]);
        }
        cache.run(&[&["--dir", &grant("::ro")], &call[..]].concat()).prints("8\n");
    });
}

/// A module whose `open` opens a file of the first granted directory for writing, with these flags, and returns the error number.
fn opener(wasi: &str, path: &str) -> String {
    format!(
        r#"(module (import "{wasi}" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (memory (export "memory") 1) (data (i32.const 0) "{path}")
          (func (export "open") (param $flags i32) (result i32)
            (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const {}) (local.get $flags)
              (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 4096))))"#,
        path.len()
    )
}

#[test]
fn root_can_grant_its_home_but_the_guest_cannot_write_to_the_default_cache() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root's guests could write to entries");
    }
    let [create, truncate] = ["1", "8"];
    on_each_compiler(|options| {
        for wasi in ["wasi_snapshot_preview1", "wasix_32v1"] {
            if wasi == "wasix_32v1" && !(cfg!(feature = "wasix") && options.contains(&"wasmer")) {
                continue;
            }
            let cache = TestCache::new();
            let (home, add) = (cache.path(""), fs::canonicalize(ADD[0]).unwrap());
            let add = [options, &[add.to_str().unwrap()], &ADD[1..]].concat();
            let run = |args: &[&str]| {
                printed(&wrun().current_dir(&home).env("HOME", &home).args(options).args(args).output().unwrap())
            };
            run(&add).prints("8\n");
            let entry = entries(&cache.path(".cache/wrun")).pop().unwrap();
            let code = fs::read(&entry).unwrap();
            let module = |path: &Path| {
                let path = path.strip_prefix(&home).unwrap().to_str().unwrap();
                // WASIX resolves a path from the root.
                let module = opener(wasi, &if wasi == "wasix_32v1" { format!("/h/{path}") } else { path.to_owned() });
                fs::write(cache.path("open.wat"), module).unwrap();
            };
            module(&entry);
            for more in [&[][..], &["--no-cache"], &["--timeout", "1h"], &["--cache-dir", "../elsewhere"]] {
                for flags in ["0", truncate] {
                    let denied = run(&[&["--dir", ".::/h"], more, &["open.wat", "open", flags]].concat());
                    // EACCES.
                    assert_eq!(denied.stdout, "2\n", "{denied:?}");
                }
            }
            assert_eq!(fs::read(&entry).unwrap(), code);
            let told = run(&["--dir", ".::/h", "open.wat", "open", "0"]);
            assert!(told.stderr.contains("root obeys file modes in this run"), "{told:?}");
            assert_eq!(run(&["-q", "--dir", ".::/h", "open.wat", "open", "0"]).stderr, "");
            assert_eq!(run(&["--explain", "--dir", ".::/h", "open.wat"]).code, 0);

            for named in [".cache/wrun", "missing/cache"] {
                run(&["--dir", ".::/h", "--cache-dir", named, "--explain", "open.wat", "open", "0"])
                    .fails(126, &["cache of compiled code", "::ro", "`--cache-dir`"]);
            }
            module(&cache.path("new.txt"));
            run(&["-q", "--dir", ".::/h", "open.wat", "open", create]).prints("0\n");
            assert!(cache.path("new.txt").exists());
            let envelope = run(&[&["--metrics"], &add[..]].concat()).envelope();
            assert_eq!((&envelope["result"], &envelope["metrics"]["cache"]), (&json!(8), &json!("hit")));
        }
    });
}

/// Another run may create the cache while the guest runs.
#[test]
fn root_obeys_file_modes_if_the_default_cache_can_come_into_a_granted_directory() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root's guests could write to entries");
    }
    let cache = TestCache::new();
    let (home, elsewhere) = (cache.path("home"), cache.path("elsewhere"));
    for dir in [&home.join("data"), &elsewhere] {
        fs::create_dir_all(dir).unwrap();
    }
    fs::write(home.join("data/guarded.txt"), "").unwrap();
    set_mode(&home.join("data/guarded.txt"), 0o400);
    std::os::unix::fs::symlink("missing", cache.path("broken")).unwrap();
    let opened = |variables: &[(&str, &Path)], granted: &str, file: &str| {
        let module = self::file(opener("wasi_snapshot_preview1", file));
        let grant = format!("{granted}::/h");
        let args = ["--no-cache", "--dir", &grant, &module.path, "open", "0"];
        let output = wrun().current_dir(&home).envs(variables.iter().copied()).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let obeys = String::from_utf8_lossy(&output.stderr).contains("root obeys file modes");
        // EACCES.
        assert_eq!(output.stdout, if obeys { b"2\n" } else { b"0\n" }, "{output:?}");
        obeys
    };
    let path = "data/guarded.txt";
    assert!(opened(&[("HOME", &home)], ".", path));
    assert!(opened(&[("HOME", &elsewhere), ("XDG_CACHE_HOME", &home.join("caches"))], ".", path));
    assert!(opened(&[("HOME", &home), ("XDG_CACHE_HOME", &elsewhere)], ".", path), "others have no XDG_CACHE_HOME");
    assert!(opened(&[("HOME", &home), ("WRUN_CACHE_DIR", &elsewhere)], ".", path));
    assert!(opened(&[("HOME", &home.join("missing"))], ".", path));
    assert!(opened(&[("HOME", &elsewhere), ("XDG_CACHE_HOME", &cache.path("broken/x"))], ".", path));
    assert!(!opened(&[("HOME", &home)], "data", "guarded.txt"));
    assert!(!opened(&[("HOME", &elsewhere)], ".", path));
    assert!(!opened(&[], ".", path));
    assert_eq!(fs::read_dir(&home).unwrap().count(), 1, "nothing was created");
}

#[test]
fn the_home_of_another_user_is_not_written_to() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can give a folder to another user");
    }
    let cache = TestCache::new();
    let home = cache.path("home");
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(12345), None).unwrap();
    for name in ["HOME", "XDG_CACHE_HOME"] {
        let output = printed(&wrun().env(name, &home).arg("-v").args(ADD).output().unwrap());
        assert!(output.stdout == "8\n" && output.stderr.contains("caching is disabled"), "{output:?}");
    }
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}
