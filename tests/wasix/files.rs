//! File access follows the grants.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wrun::{Capabilities, DirGrant, Limits, Value};

use crate::guest::{End, Program, args, fixture, on_each};

/// Runs the program with a directory next to a secret file. Returns its output as pairs, and the names that are then in the
/// directory.
fn attempt(program: &Program, grant: impl Fn(&Path) -> Option<DirGrant>) -> (BTreeMap<String, String>, Vec<String>) {
    let parent = tempfile::tempdir().unwrap();
    let secret = parent.path().join("secret.txt");
    fs::write(&secret, "SECRET").unwrap();
    let data = parent.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("in.txt"), "from the host").unwrap();
    fs::write(data.join("gone.txt"), "").unwrap();
    symlink(&secret, data.join("planted")).unwrap();
    let granted = args(&[secret.to_str().unwrap()]);
    let ran = program.run(grant(&data).into_iter().fold(granted, Capabilities::with_dir));
    assert!(!ran.stdout.contains("SECRET") && !ran.stdout.contains("root:"), "{}", ran.stdout);
    assert_eq!(fs::read(&secret).unwrap(), b"SECRET");
    let output = ran.stdout.lines().filter_map(|line| line.split_once(['=', ' ']));
    let output = output.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let names = |dir: &Path| {
        let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names.into_iter().map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(parent.path()), ["data", "secret.txt"]);
    (output, names(&data))
}

/// The attempts on paths outside the grant.
const OUTSIDE: [&str; 9] = ["absolute", "dotdot", "planted", "symlink", "made", "beside", "etc", "tmp", "relative"];
/// The attempts to change something inside.
const CHANGES: [&str; 5] = ["create", "truncate", "folder", "rename", "unlink"];

#[test]
fn a_granted_directory_is_read_and_written() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("files.wasm"));
        let (output, names) = attempt(&program, |data| Some(DirGrant::new(data, "/data")));
        assert_eq!((output["read"].as_str(), output["contents"].as_str()), ("0", "from the host"));
        for change in CHANGES {
            assert_eq!(output[change], "0", "{change}: {output:?}");
        }
        for attempt in OUTSIDE {
            assert_ne!(output[attempt], "0", "{attempt}: {output:?}");
        }
        assert_eq!(names, ["moved.txt", "new", "out.txt", "planted"]);
    });
}

#[test]
fn a_read_only_directory_is_only_read() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("files.wasm"));
        let (output, names) = attempt(&program, |data| Some(DirGrant::new(data, "/data").read_only()));
        assert_eq!((output["read"].as_str(), output["contents"].as_str()), ("0", "from the host"));
        for refused in CHANGES.iter().chain(&OUTSIDE) {
            assert_ne!(output[*refused], "0", "{refused}: {output:?}");
        }
        assert_eq!(names, ["gone.txt", "in.txt", "planted"]);
    });
}

#[test]
fn without_a_grant_no_file_is_accessible() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("files.wasm"));
        let (output, names) = attempt(&program, |_| None);
        for refused in CHANGES.iter().chain(&OUTSIDE).chain(&["read"]) {
            assert_ne!(output[*refused], "0", "{refused}: {output:?}");
        }
        assert_eq!(names, ["gone.txt", "in.txt", "planted"]);
    });
}

#[test]
fn paths_are_resolved_as_on_linux() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("../wasi/linux/paths_wasix.wasm"));
        let dir = tempfile::tempdir().unwrap();
        let ran = program.run(args(&[]).with_dir(DirGrant::new(dir.path(), ".")));
        assert_eq!((ran.end, ran.stdout.as_str()), (End::Code(0), ""));
    });
}

/// Renames `/ro/dir/`, and `/a/link`.
const RENAMES: &str = r#"(module
    (import "wasix_32v1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "/ro/dir//ro/new//a/link/a/moved")
    (func (export "dir") (result i32)
        (call $rename (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 3) (i32.const 8) (i32.const 8)))
    (func (export "link") (result i32)
        (call $rename (i32.const 3) (i32.const 16) (i32.const 7) (i32.const 3) (i32.const 23) (i32.const 8))))"#;

#[test]
fn a_link_is_renamed_after_a_refused_directory() {
    const PERM: i32 = 63;
    on_each(|config| {
        let program = Program::new(&config, RENAMES.as_bytes());
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("ro/dir")).unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        symlink("none", dir.path().join("a/link")).unwrap();
        let granted = Capabilities::none()
            .with_dir(DirGrant::new(dir.path().join("a"), "/a"))
            .with_dir(DirGrant::new(dir.path().join("ro"), "/ro").read_only());
        let mut guest = program.start(Limits::none(), granted).unwrap();
        assert_eq!(guest.call("dir", &[]).unwrap(), [Value::I32(PERM)]);
        assert_eq!(guest.call("link", &[]).unwrap(), [Value::I32(0)]);
        assert!(dir.path().join("a/moved").is_symlink());
    });
}

/// Lists the granted folder into buffers of 4 KiB, and removes each file that it finds. Returns the number of entries.
const REMOVES: &str = r#"(module
    (import "wasix_32v1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasix_32v1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
    (import "wasix_32v1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "/data")
    (func (export "all") (result i32)
        (local $fd i32) (local $cookie i64) (local $entry i32) (local $end i32) (local $entries i32)
        (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 2) (i64.const -65)
            (i64.const -65) (i32.const 0) (i32.const 16)) (then (return (i32.const -1))))
        (local.set $fd (i32.load (i32.const 16)))
        (loop $part
            (if (call $list (local.get $fd) (i32.const 1024) (i32.const 4096) (local.get $cookie) (i32.const 32))
                (then (return (i32.const -2))))
            (local.set $entry (i32.const 1024))
            (local.set $end (i32.add (i32.const 1024) (i32.load (i32.const 32))))
            (loop $next
                (if (i32.le_u (i32.add (local.get $entry) (i32.const 24)) (local.get $end)) (then
                    (if (i32.le_u
                        (i32.add (i32.add (local.get $entry) (i32.const 24)) (i32.load offset=16 (local.get $entry)))
                        (local.get $end)) (then
                        (local.set $cookie (i64.load (local.get $entry)))
                        (local.set $entries (i32.add (local.get $entries) (i32.const 1)))
                        (drop (call $unlink (local.get $fd) (i32.add (local.get $entry) (i32.const 24))
                            (i32.load offset=16 (local.get $entry))))
                        (local.set $entry
                            (i32.add (i32.add (local.get $entry) (i32.const 24)) (i32.load offset=16 (local.get $entry))))
                        (br $next))))))
            (br_if $part (i32.eq (i32.load (i32.const 32)) (i32.const 4096))))
        (local.get $entries)))"#;

#[test]
fn a_listing_has_all_entries_while_they_are_removed() {
    const FILES: i32 = 500;
    on_each(|config| {
        let program = Program::new(&config, REMOVES.as_bytes());
        let dir = tempfile::tempdir().unwrap();
        for number in 0..FILES {
            fs::write(dir.path().join(format!("file{number}")), "").unwrap();
        }
        let granted = Capabilities::none().with_dir(DirGrant::new(dir.path(), "/data"));
        let mut guest = program.start(Limits::none(), granted).unwrap();
        assert_eq!(guest.call("all", &[]).unwrap(), [Value::I32(FILES + 2)]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(guest.call("all", &[]).unwrap(), [Value::I32(2)]);
    });
}

/// Lists `/data`, removes the file `a` in it, and continues the listing in another thread, after the first entry.
const CONTINUES: &str = r#"(module
    (import "wasix_32v1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasix_32v1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
    (import "wasix_32v1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (import "env" "memory" (memory 1 4 shared))
    (export "memory" (memory 0))
    (data (i32.const 0) "/data")
    (data (i32.const 8) "a")
    (func $from (param $cookie i64) (result i32)
        (if (call $list (i32.load (i32.const 16)) (i32.const 1024) (i32.const 4096) (local.get $cookie) (i32.const 32))
            (then (return (i32.const -2))))
        (i32.load (i32.const 32)))
    (func (export "wasi_thread_start") (param i32 i32)
        (i32.atomic.store (i32.const 64) (call $from (i64.const 1)))
        (drop (memory.atomic.notify (i32.const 64) (i32.const 1))))
    (func (export "start") (result i32)
        (if (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 2) (i64.const -65)
            (i64.const -65) (i32.const 0) (i32.const 16)) (then (return (i32.const -1))))
        (call $from (i64.const 0)))
    (func (export "remove") (result i32) (call $unlink (i32.load (i32.const 16)) (i32.const 8) (i32.const 1)))
    (func (export "spawn") (result i32) (call $spawn (i32.const 0)))
    (func (export "await") (result i32)
        (drop (memory.atomic.wait32 (i32.const 64) (i32.const 0) (i64.const -1)))
        (i32.atomic.load (i32.const 64))))"#;

#[test]
fn threads_share_the_listing_of_a_directory() {
    const HEADER: i32 = 24;
    on_each(|config| {
        let program = Program::new(&config, CONTINUES.as_bytes());
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let granted = Capabilities::none().with_dir(DirGrant::new(dir.path(), "/data"));
        let mut guest = program.start(Limits::none(), granted).unwrap();
        let mut call = |name| guest.call_simple_function(name, &[]).unwrap();
        // The entries `.`, `..`, `a` and `b`.
        assert_eq!(call("start"), 4 * HEADER + 5);
        assert_eq!(call("remove"), 0);
        assert!(call("spawn") > 0);
        assert_eq!(call("await"), 3 * HEADER + 4);
    });
}
