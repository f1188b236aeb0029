//! Attempts to escape from the grants, with many forms of paths and every call of the file system.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, FileTimes};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use tempfile::TempDir;
use virtual_fs::{FileSystem, FsError, MountFileSystem, Result as FsResult};

use super::granted_fs::{GrantedFs, file_system};
use super::mounts::normalize;
use super::test_support::{open, read, rename, write};
use crate::capabilities::DirGrant;

const SECRET: &str = "SECRET";

/// Paths outside the grants, separated by spaces. `HOST` stands for the host path of the directory around all of them.
const OUTSIDE: &str = "
    secret/f /secret/f ../secret/f /../secret/f /../../../../secret/f /rw/../secret/f /ro/../secret/f
    /rw/../../secret/f /rw/sub/../../secret/f /rw/./.././secret/./f //rw//..//secret//f /rw/../secret/ HOST/secret/f
    HOST/secret HOST/rw/f HOST/ro/f /rwHOST/secret/f /rw/../HOST/secret/f /proc/self/root/HOST/secret/f
    /proc/self/cwd /dev/null /etc/passwd /tmp /rw/out/f /rw/out/sub /rw/out_file /rw/sub/up/f /rw/sub/up/new
    /rw/abs/f /rw/abs_file /rw/root /rw/to_ro/f /rw/to_ro/new /rw/chain /rw/loop /rw/loop/f /rw/dangling
    /rw/dangling_out /rw/out/ /rw/out_file/ /rw/sub/up/ /rw/abs/ /rw/abs_file/ /rw/root/ /rw/to_ro/ /rw/chain/
    /rw/loop/ /rw/dangling/ /rw/dangling_out/ /rw/out// /rw/out/. /ro/out/ /ro/out/f /ro/out_file /ro/abs/f
    /rw/f/../../secret/f/x /rw/f/x /rw/\0/../../secret/f /rw/f\0
";

/// Paths that may be read, if they exist, but not changed or created.
const READ_ONLY: &str = "
    /ro/f ro/f /rw/../ro/f /ro/../ro/./f /../ro//f ../ro/f ../ro/new /ro/sub/f /ro/sub/../f /ro/sub /ro/new
    /ro/sub/new /ro/inside /ro/inside/ /ro/sub/ /ro/new/ /ro/dangling /ro/loop /ro/empty /ro /ro/ /ro/. / /rw/..
    rw/.. /rw/../.. /new /rw/in_rw_but_ro/f /rw/in_rw_but_ro/new /rw/in_rw_but_ro
";

/// Creates a secret directory, a read-only and a read-write grant, both with links out of the grant, and a nested grant.
fn setup() -> (TempDir, GrantedFs) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for dir in ["secret/sub", "ro/sub", "ro/empty", "rw/sub", "nested"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    fs::write(root.join("secret/f"), SECRET).unwrap();
    for file in ["ro/f", "ro/sub/f", "nested/f", "rw/f", "rw/sub/f"] {
        fs::write(root.join(file), "contents").unwrap();
    }
    for grant in ["ro", "rw"] {
        let link = |target: &Path, name: &str| symlink(target, root.join(grant).join(name)).unwrap();
        link(Path::new("../secret"), "out");
        link(Path::new("../secret/f"), "out_file");
        link(&root.join("secret"), "abs");
        link(&root.join("secret/f"), "abs_file");
        link(Path::new("/"), "root");
        link(Path::new("f"), "inside");
        link(Path::new("loop"), "loop");
        link(Path::new("none"), "dangling");
        link(Path::new("../secret/new"), "dangling_out");
        link(Path::new("../ro"), "to_ro");
        link(Path::new("sub/../sub/up/f"), "chain");
        link(Path::new("../../secret"), "sub/up");
    }
    let grants = [
        DirGrant::new(root.join("ro"), "/ro").read_only(),
        DirGrant::new(root.join("rw"), "/rw"),
        DirGrant::new(root.join("nested"), "/rw/in_rw_but_ro").read_only(),
    ];
    let files = file_system(&grants).unwrap();
    (dir, files)
}

type Snapshot = BTreeMap<PathBuf, (u32, Vec<u8>, i64, i64)>;

/// Maps each path to its mode, contents and modification time. Returns those outside `rw`, which must not change, and those
/// inside.
fn snapshot(root: &Path) -> (Snapshot, Snapshot) {
    let mut found = BTreeMap::new();
    let mut pending = vec![root.to_owned()];
    while let Some(path) = pending.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let contents = match metadata.file_type() {
            kind if kind.is_dir() => {
                pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                Vec::new()
            }
            kind if kind.is_file() => fs::read(&path).unwrap(),
            _ => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
        };
        found.insert(path, (metadata.mode(), contents, metadata.mtime(), metadata.mtime_nsec()));
    }
    found.into_iter().partition(|(path, _)| !path.starts_with(root.join("rw")))
}

/// A call that succeeded: the bytes it returned, and whether it reported a change.
#[derive(Debug)]
struct Success {
    call: String,
    read: Vec<u8>,
    changed: bool,
}

/// Returns all combinations of open options.
fn all_options() -> impl Iterator<Item = String> {
    (0..64)
        .map(|bits: u32| "rwatcx".chars().enumerate().filter(|(at, _)| (bits >> at) & 1 == 1).map(|(_, c)| c).collect())
}

/// Opens a file and tries every call on it.
fn use_file(files: &dyn FileSystem, path: &Path, options: &str) -> Option<Success> {
    let mut file = open(files, path, options).ok()?;
    let writable = options.chars().any(|option| "watcx".contains(option));
    let read = read(&mut file).unwrap_or_default();
    let changed = [
        write(&mut file, b"changed").is_ok(),
        file.set_len(1).is_ok(),
        file.set_times(Some(1), Some(1)).is_ok(),
        file.unlink().is_ok(),
    ];
    Some(Success { call: format!("open {options}"), read, changed: writable || changed.contains(&true) })
}

type Call = fn(&dyn FileSystem, &Path) -> FsResult<Vec<u8>>;

/// The calls that read.
const READS: &[(&str, Call)] = &[
    ("readlink", |files, path| files.readlink(path).map(|target| target.into_os_string().into_encoded_bytes())),
    ("metadata", |files, path| files.metadata(path).map(|found| format!("{found:?}").into_bytes())),
    ("read_dir", |files, path| {
        Ok(files.read_dir(path)?.flat_map(|entry| entry.unwrap().path.into_os_string().into_encoded_bytes()).collect())
    }),
];

/// The calls that change something at the path, or use it to create something elsewhere.
const CHANGES: &[(&str, Call)] = &[
    ("create_dir", |files, path| match files.symlink_metadata(path) {
        // `MountFileSystem` reports success if the directory exists.
        Ok(_) => files.create_dir(path).and(Err(FsError::AlreadyExists)),
        Err(_) => files.create_dir(path).map(|()| Vec::new()),
    }),
    ("remove_dir", |files, path| files.remove_dir(path).map(|()| Vec::new())),
    ("remove_file", |files, path| files.remove_file(path).map(|()| Vec::new())),
    ("symlink to f", |files, path| files.create_symlink(Path::new("f"), path).map(|()| Vec::new())),
    ("hard link to f", |files, path| files.hard_link(Path::new("/rw/f"), path).map(|()| Vec::new())),
    ("hard link from it", |files, path| {
        files.hard_link(path, Path::new("/rw/stolen"))?;
        read_any(files, Path::new("/rw/stolen"))
    }),
    ("rename f to it", |files, path| rename(files, Path::new("/rw/f"), path).map(|()| Vec::new())),
    ("rename sub to it", |files, path| rename(files, Path::new("/rw/sub"), path).map(|()| Vec::new())),
    ("rename it to stolen", |files, path| {
        rename(files, path, Path::new("/rw/stolen"))?;
        read_any(files, Path::new("/rw/stolen"))
    }),
];

/// Reads a file or lists a directory.
fn read_any(files: &dyn FileSystem, path: &Path) -> FsResult<Vec<u8>> {
    match open(files, path, "r") {
        Ok(mut file) => Ok(read(&mut file)?),
        Err(_) => (READS[2].1)(files, path),
    }
}

/// Creates a link to the path, and uses the link.
fn through_link(files: &dyn FileSystem, path: &Path) -> Vec<Success> {
    let here = Path::new("/rw/here");
    let mut successes = Vec::new();
    if files.create_symlink(path, here).is_ok() {
        successes.extend(read_any(files, here).ok().map(|read| Success {
            call: "through a link".into(),
            read,
            changed: false,
        }));
        for options in ["rw", "rwct", "ra"] {
            successes.extend(use_file(files, here, options));
        }
        successes.extend(use_file(files, &here.join("f"), "rwc"));
    }
    successes
}

type Attempt = Box<dyn Fn(&dyn FileSystem, &Path) -> Vec<Success>>;

/// Returns everything to try on a path.
fn attempts() -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = vec![Box::new(through_link)];
    for options in all_options() {
        attempts.push(Box::new(move |files, path| use_file(files, path, &options).into_iter().collect()));
    }
    for (calls, changed) in [(READS, false), (CHANGES, true)] {
        for (name, call) in calls {
            attempts.push(Box::new(move |files, path| {
                let read = call(files, path).ok();
                read.map(|read| Success { call: (*name).into(), read, changed }).into_iter().collect()
            }));
        }
    }
    attempts
}

/// Tries everything on each of `paths`, directly and through a `MountFileSystem`, always from the same initial state. Checks
/// that nothing outside `rw` changes and that no host path is revealed; `check` gets each call that succeeded.
fn try_all(paths: &str, check: impl Fn(&str, &Success)) {
    let (mut dir, mut files) = setup();
    let mut before = snapshot(dir.path());
    for (form, attempt) in
        paths.split_whitespace().flat_map(|form| attempts().into_iter().map(move |attempt| (form, attempt)))
    {
        for mounted in [false, true] {
            let path = form.replace("HOST", dir.path().to_str().unwrap());
            let successes = if mounted {
                let mounts = MountFileSystem::new();
                mounts.mount("/", Arc::new(files.clone())).unwrap();
                attempt(&mounts, Path::new(&path))
            } else {
                attempt(&files, Path::new(&path))
            };
            let host = dir.path().to_str().unwrap();
            for success in &successes {
                assert!(!contains(&success.read, host), "{form:?} reveals the host path: {success:?}");
                check(form, success);
            }
            let after = snapshot(dir.path());
            assert_eq!(after.0, before.0, "{form:?} changed something outside `rw`: {successes:?}");
            if after.1 != before.1 {
                (dir, files) = setup();
                before = snapshot(dir.path());
            }
        }
    }
}

fn contains(read: &[u8], text: &str) -> bool {
    read.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn nothing_outside_is_read_or_changed() {
    try_all(OUTSIDE, |form, success| {
        assert!(!contains(&success.read, SECRET), "{form:?}: {success:?}");
        // `rw/dangling` can create a file inside the grant; otherwise the paths do not exist.
        let exists = success.call.strip_prefix("open ").is_some_and(|options| !options.contains(['c', 'x']));
        assert!(!exists && success.call != "metadata" && success.call != "read_dir", "{form:?}: {success:?}");
    });
}

#[test]
fn nothing_read_only_is_changed() {
    try_all(READ_ONLY, |form, success| {
        assert!(!contains(&success.read, SECRET), "{form:?}: {success:?}");
        assert!(!success.changed, "{form:?}: {success:?}");
    });
}

#[test]
fn no_times_are_set_outside_or_read_only() {
    let (dir, files) = setup();
    let before = snapshot(dir.path());
    let times = FileTimes::new().set_modified(UNIX_EPOCH);
    for form in OUTSIDE.split_whitespace().chain(READ_ONLY.split_whitespace()) {
        let path = normalize(Path::new(&form.replace("HOST", dir.path().to_str().unwrap())));
        assert!(files.set_times(&path, times).is_err(), "{form:?}");
    }
    assert_eq!(snapshot(dir.path()), before);
    files.set_times(Path::new("rw/sub"), times).unwrap();
    assert_eq!(fs::metadata(dir.path().join("rw/sub")).unwrap().modified().unwrap(), UNIX_EPOCH);
}

#[test]
fn the_attempts_succeed_inside_the_grant() {
    let succeeded = RefCell::new(BTreeSet::new());
    try_all("/rw/f /rw/new /rw/empty /rw/sub f", |_, success| {
        if success.changed || !success.read.is_empty() {
            succeeded.borrow_mut().insert(success.call.clone());
        }
    });
    let succeeded = succeeded.into_inner();
    for call in ["open r", "open w", "open ra", "open rwt", "open wc", "open wx", "metadata", "read_dir", "create_dir"]
    {
        assert!(succeeded.contains(call), "{call} never succeeds: {succeeded:?}");
    }
    for call in ["remove_file", "symlink to f", "rename f to it", "rename it to stolen"] {
        assert!(succeeded.contains(call), "{call} never succeeds: {succeeded:?}");
    }
}
