//! The folder of the cache: whose it is, who may write to it, and what is left there by whoever is killed.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::cache::{ADD, World, entries, set_mode};
use crate::process::on_each_compiler;
use crate::vocabulary::{ENVIRONMENT, Said, WRUN, file, said, skipped, wrun};

#[test]
fn what_is_killed_while_it_writes_leaves_nothing_bad() {
    // Its code takes some milliseconds to write.
    let large = format!(r#"(module (memory 64) (data (i32.const 0) "{}") (func (export "f")))"#, "x".repeat(4 << 20));
    let module = file(large);
    on_each_compiler(|engine| {
        let world = World::new();
        let is_writing = || {
            let files = fs::read_dir(world.cache()).into_iter().flatten().flatten();
            files.filter(|file| file.file_name().to_string_lossy().starts_with(".new-")).count() > 0
        };
        for turn in 0..12 {
            let mut command = std::process::Command::new(WRUN);
            command.env("WRUN_CACHE_DIR", world.cache()).args([engine, &[&*module.path, "f"]].concat());
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            while !is_writing() && child.try_wait().unwrap().is_none() {}
            std::thread::sleep(std::time::Duration::from_micros(turn * 200));
            child.kill().unwrap();
            child.wait().unwrap();
            let verified = world.run(&["cache", "verify"]);
            assert_eq!((verified.code, verified.stderr.as_str()), (0, ""), "{}", verified.stdout);
            world.run(&["cache", "clear"]);
            for file in fs::read_dir(world.cache()).unwrap().flatten() {
                fs::remove_file(file.path()).unwrap();
            }
        }
        world.run(&[engine, &[&*module.path, "f"]].concat()).prints("null\n");
    });
}

#[test]
fn a_folder_that_can_only_be_read_is_used_for_what_is_there() {
    // Root writes wherever it wants to.
    let is_root = rustix::process::geteuid().is_root();
    on_each_compiler(|engine| {
        let world = World::new();
        let binary = world.path("wrun");
        let run = |home: &Path, args: &[&str]| {
            let mut command = std::process::Command::new(&binary);
            for name in ENVIRONMENT {
                command.env_remove(name);
            }
            command.env("HOME", home).stdin(fs::File::open("fixtures/add.wasm").unwrap());
            if is_root {
                command.uid(12345).gid(12345);
            }
            said(&command.args([&["-v", "--metrics", "-", "add", "5", "3"], engine, args].concat()).output().unwrap())
        };
        // By another process: what this one has open for writing, a child of another thread has open too, and then it cannot run.
        let copied = std::process::Command::new("cp").arg(WRUN).arg(&binary).status();
        assert!(copied.unwrap().success());
        set_mode(&binary, 0o755);
        set_mode(&world.path(""), 0o755);
        let home = world.path("home");
        fs::create_dir(&home).unwrap();
        if is_root {
            std::os::unix::fs::chown(&home, Some(12345), Some(12345)).unwrap();
        }
        let use_of = |said: &Said| {
            let envelope: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"));
            assert_eq!(envelope["result"], json!(8));
            envelope["metrics"]["cache"].as_str().unwrap().to_owned()
        };
        let folder = home.join(".cache/wrun");
        assert_eq!(use_of(&run(&home, &[])), "miss");
        set_mode(&folder, 0o500);
        assert_eq!(use_of(&run(&home, &[])), "hit");
        let told = run(&home, &["--fuel", "100"]);
        assert_eq!(use_of(&told), "miss");
        assert!(told.stderr.contains("the code is not kept"), "{told:?}");
        assert_eq!(entries(&folder).len(), 1);
        set_mode(&folder, 0o700);
        fs::remove_dir_all(home.join(".cache")).unwrap();
        set_mode(&home, 0o500);
        let told = run(&home, &[]);
        assert_eq!(use_of(&told), "off");
        assert!(told.stderr.contains("nothing is cached"), "{told:?}");
        set_mode(&home, 0o700);
    });
}

#[test]
fn a_guest_of_root_is_not_granted_the_cache() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root's guests could write to entries");
    }
    on_each_compiler(|engine| {
        let world = World::new();
        let above = world.path("");
        let call = [engine, &ADD].concat();
        let grant = |access: &str| format!("{}::/data{access}", above.display());
        world.run(&call).prints("8\n");
        for more in [&[][..], &["--no-cache"], &["--explain"]] {
            let refused = world.run(&[more, &["--dir", &grant("")], &call].concat());
            refused.fails(126, &["cache of compiled code", "::ro"]);
        }
        world.run(&[&["--dir", &grant("::ro")], &call[..]].concat()).prints("8\n");
    });
}

#[test]
fn the_home_of_another_user_is_left_alone() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can give a folder to another user");
    }
    let world = World::new();
    let home = world.path("home");
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(12345), None).unwrap();
    for name in ["HOME", "XDG_CACHE_HOME"] {
        let told = said(&wrun().env(name, &home).arg("-v").args(ADD).output().unwrap());
        assert!(told.stdout == "8\n" && told.stderr.contains("nothing is cached"), "{told:?}");
    }
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}
