//! Guests that try to get out of what they were granted, by every form of path and every call there is.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use tempfile::TempDir;
use virtual_fs::MountFileSystem;

use super::tests::{opened, read, rename, write};
use super::*;

const SECRET: &str = "SECRET";

/// Forms of paths to what was not granted. `HOST` is the host's path of the folder that all are in.
const OUTSIDE: &[&str] = &[
    "secret/f",
    "/secret/f",
    "../secret/f",
    "/../secret/f",
    "/../../../../secret/f",
    "/rw/../secret/f",
    "/ro/../secret/f",
    "/rw/../../secret/f",
    "/rw/sub/../../secret/f",
    "/rw/./.././secret/./f",
    "//rw//..//secret//f",
    "/rw/../secret/",
    "HOST/secret/f",
    "HOST/secret",
    "HOST/rw/f",
    "HOST/ro/f",
    "/rwHOST/secret/f",
    "/rw/../HOST/secret/f",
    "/proc/self/root/HOST/secret/f",
    "/proc/self/cwd",
    "/dev/null",
    "/etc/passwd",
    "/tmp",
    "/rw/out/f",
    "/rw/out/sub",
    "/rw/out_file",
    "/rw/sub/up/f",
    "/rw/sub/up/new",
    "/rw/abs/f",
    "/rw/abs_file",
    "/rw/root",
    "/rw/to_ro/f",
    "/rw/to_ro/new",
    "/rw/chain",
    "/rw/loop",
    "/rw/loop/f",
    "/rw/dangling",
    "/rw/dangling_out",
    "/ro/out/f",
    "/ro/out_file",
    "/ro/abs/f",
    "/rw/f/../../secret/f/x",
    "/rw/f/x",
    "/rw/\0/../../secret/f",
    "/rw/f\0",
];

/// Forms of paths to what may be looked at and not changed, or is not there and may not come to be.
const READ_ONLY: &[&str] = &[
    "/ro/f",
    "ro/f",
    "/rw/../ro/f",
    "/ro/../ro/./f",
    "/../ro//f",
    "../ro/f",
    "../ro/new",
    "/ro/sub/f",
    "/ro/sub/../f",
    "/ro/sub",
    "/ro/new",
    "/ro/sub/new",
    "/ro/inside",
    "/ro/dangling",
    "/ro/loop",
    "/ro/empty",
    "/ro",
    "/ro/",
    "/ro/.",
    "/",
    "/rw/..",
    "rw/..",
    "/rw/../..",
    "/new",
    "/rw/in_rw_but_ro/f",
    "/rw/in_rw_but_ro/new",
    "/rw/in_rw_but_ro",
];

/// A folder that nobody may read, one that may be looked at, and one that may be changed; links in both lead out.
fn world() -> (TempDir, GrantedFiles) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for folder in ["secret/sub", "ro/sub", "ro/empty", "rw/sub", "nested"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::write(root.join("secret/f"), SECRET).unwrap();
    for file in ["ro/f", "ro/sub/f", "nested/f", "rw/f", "rw/sub/f"] {
        fs::write(root.join(file), "contents").unwrap();
    }
    for folder in ["ro", "rw"] {
        let link = |target: &Path, name: &str| symlink(target, root.join(folder).join(name)).unwrap();
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

type Found = BTreeMap<PathBuf, (u32, Vec<u8>, i64, i64)>;

/// Each path with what it is, what is in it, and when it was last changed: of all that may not change, and of the rest.
fn look(root: &Path) -> (Found, Found) {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let contents = match metadata.file_type() {
            kind if kind.is_dir() => {
                left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
                Vec::new()
            }
            kind if kind.is_file() => fs::read(&path).unwrap(),
            _ => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
        };
        found.insert(path, (metadata.mode(), contents, metadata.mtime(), metadata.mtime_nsec()));
    }
    found.into_iter().partition(|(path, _)| !path.starts_with(root.join("rw")))
}

/// What a call tells, and whether it claims to have changed something at the path.
#[derive(Debug)]
struct Told {
    call: String,
    read: Vec<u8>,
    changed: bool,
}

/// All combinations of options a file is opened with.
fn every_option() -> impl Iterator<Item = String> {
    (0..64)
        .map(|bits: u32| "rwatcx".chars().enumerate().filter(|(at, _)| (bits >> at) & 1 == 1).map(|(_, c)| c).collect())
}

/// Opens with some options, and does all that an open file does.
fn through_a_file(files: &dyn FileSystem, path: &Path, options: &str) -> Option<Told> {
    let mut file = opened(files, path, options).ok()?;
    let changes = options.chars().any(|option| "watcx".contains(option));
    let read = read(&mut file).unwrap_or_default();
    let done = [
        write(&mut file, b"changed").is_ok(),
        file.set_len(1).is_ok(),
        file.set_times(Some(1), Some(1)).is_ok(),
        file.unlink().is_ok(),
    ];
    Some(Told { call: format!("open {options}"), read, changed: changes || done.contains(&true) })
}

type Call = fn(&dyn FileSystem, &Path) -> FsResult<Vec<u8>>;

/// The calls that look.
const LOOKS: &[(&str, Call)] = &[
    ("readlink", |files, path| files.readlink(path).map(|target| target.into_os_string().into_encoded_bytes())),
    ("metadata", |files, path| files.metadata(path).map(|found| format!("{found:?}").into_bytes())),
    ("read_dir", |files, path| {
        Ok(files.read_dir(path)?.flat_map(|entry| entry.unwrap().path.into_os_string().into_encoded_bytes()).collect())
    }),
];

/// The calls that change something at the path, or that make something of it elsewhere.
const CHANGES: &[(&str, Call)] = &[
    ("create_dir", |files, path| match files.symlink_metadata(path) {
        // WASIX's mounts say that they made what was there.
        Ok(_) => files.create_dir(path).and(Err(FsError::AlreadyExists)),
        Err(_) => files.create_dir(path).map(|()| Vec::new()),
    }),
    ("remove_dir", |files, path| files.remove_dir(path).map(|()| Vec::new())),
    ("remove_file", |files, path| files.remove_file(path).map(|()| Vec::new())),
    ("link there", |files, path| files.create_symlink(Path::new("f"), path).map(|()| Vec::new())),
    ("hard link there", |files, path| files.hard_link(Path::new("/rw/f"), path).map(|()| Vec::new())),
    ("hard link of it", |files, path| {
        files.hard_link(path, Path::new("/rw/stolen"))?;
        told_of(files, Path::new("/rw/stolen"))
    }),
    ("rename there", |files, path| rename(files, Path::new("/rw/f"), path).map(|()| Vec::new())),
    ("rename a folder there", |files, path| rename(files, Path::new("/rw/sub"), path).map(|()| Vec::new())),
    ("rename it here", |files, path| {
        rename(files, path, Path::new("/rw/stolen"))?;
        told_of(files, Path::new("/rw/stolen"))
    }),
];

/// What a file has in it, or the names a folder has.
fn told_of(files: &dyn FileSystem, path: &Path) -> FsResult<Vec<u8>> {
    match opened(files, path, "r") {
        Ok(mut file) => Ok(read(&mut file)?),
        Err(_) => (LOOKS[2].1)(files, path),
    }
}

/// Makes a link to the path, and goes that way: the guest's own way out.
fn by_a_link(files: &dyn FileSystem, path: &Path) -> Vec<Told> {
    let here = Path::new("/rw/here");
    let mut told = Vec::new();
    if files.create_symlink(path, here).is_ok() {
        told.extend(told_of(files, here).ok().map(|read| Told { call: "by a link".into(), read, changed: false }));
        for options in ["rw", "rwct", "ra"] {
            told.extend(through_a_file(files, here, options));
        }
        told.extend(through_a_file(files, &here.join("f"), "rwc"));
    }
    told
}

type Attempt = Box<dyn Fn(&dyn FileSystem, &Path) -> Vec<Told>>;

/// Everything that can be tried on a path.
fn attempts() -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = vec![Box::new(by_a_link)];
    for options in every_option() {
        attempts.push(Box::new(move |files, path| through_a_file(files, path, &options).into_iter().collect()));
    }
    for (calls, changed) in [(LOOKS, false), (CHANGES, true)] {
        for (name, call) in calls {
            attempts.push(Box::new(move |files, path| {
                let read = call(files, path).ok();
                read.map(|read| Told { call: (*name).into(), read, changed }).into_iter().collect()
            }));
        }
    }
    attempts
}

/// Tries everything on each of `paths`, without WASIX's mounts and through them, always in a world as it was. What is told
/// is looked at by `judge`; that nothing changed that may not, here.
fn attempt(paths: &[&str], judge: impl Fn(&str, &Told)) {
    let (mut dir, mut files) = world();
    let mut before = look(dir.path());
    for (form, attempt) in paths.iter().flat_map(|form| attempts().into_iter().map(move |attempt| (form, attempt))) {
        for mounted in [false, true] {
            let path = form.replace("HOST", dir.path().to_str().unwrap());
            let told = if mounted {
                let mounts = MountFileSystem::new();
                mounts.mount("/", Arc::new(files.clone())).unwrap();
                attempt(&mounts, Path::new(&path))
            } else {
                attempt(&files, Path::new(&path))
            };
            let host = dir.path().to_str().unwrap();
            for told in &told {
                assert!(!has(&told.read, host), "{form:?} is told the host's path: {told:?}");
                judge(form, told);
            }
            let after = look(dir.path());
            assert_eq!(after.0, before.0, "{form:?} changed what is not to change: {told:?}");
            if after.1 != before.1 {
                (dir, files) = world();
                before = look(dir.path());
            }
        }
    }
}

fn has(read: &[u8], text: &str) -> bool {
    read.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn nothing_outside_is_told_or_changed() {
    attempt(OUTSIDE, |form, told| {
        assert!(!has(&told.read, SECRET), "{form:?}: {told:?}");
        // A file may come to be where a link within the grant leads; else nothing is there.
        let there = told.call.strip_prefix("open ").is_some_and(|options| !options.contains(['c', 'x']));
        assert!(!there && told.call != "metadata" && told.call != "read_dir", "{form:?}: {told:?}");
    });
}

#[test]
fn nothing_read_only_is_changed() {
    attempt(READ_ONLY, |form, told| {
        assert!(!has(&told.read, SECRET), "{form:?}: {told:?}");
        assert!(!told.changed, "{form:?}: {told:?}");
    });
}

#[test]
fn the_attempts_work_where_they_may() {
    let done = std::cell::RefCell::new(std::collections::BTreeSet::new());
    attempt(&["/rw/f", "/rw/new", "/rw/empty", "/rw/sub", "f"], |_, told| {
        if told.changed || !told.read.is_empty() {
            done.borrow_mut().insert(told.call.clone());
        }
    });
    let done = done.into_inner();
    for call in ["open r", "open w", "open ra", "open rwt", "open wc", "open wx", "metadata", "read_dir", "create_dir"]
    {
        assert!(done.contains(call), "{call} is no attempt: {done:?}");
    }
    for call in ["remove_file", "link there", "rename there", "rename it here"] {
        assert!(done.contains(call), "{call} is no attempt: {done:?}");
    }
}
