//! Files, as far as they are granted.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use wrun::{Capabilities, DirGrant};

use crate::guest::{Program, args, fixture, on_each};

/// Runs the program in a folder of its own, next to a file that nobody granted; what it told, and what came of the folder.
fn attempt(program: &Program, grant: impl Fn(&Path) -> Option<DirGrant>) -> (BTreeMap<String, String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.txt");
    fs::write(&secret, "SECRET").unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("in.txt"), "from the host").unwrap();
    fs::write(data.join("gone.txt"), "").unwrap();
    symlink(&secret, data.join("planted")).unwrap();
    let granted = args(&[secret.to_str().unwrap()]);
    let ran = program.run(grant(&data).into_iter().fold(granted, Capabilities::with_dir));
    assert!(!ran.stdout.contains("SECRET") && !ran.stdout.contains("root:"), "{}", ran.stdout);
    assert_eq!(fs::read(&secret).unwrap(), b"SECRET");
    let told = ran.stdout.lines().filter_map(|line| line.split_once(['=', ' ']));
    let told = told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names.into_iter().map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(names(folder.path()), ["data", "secret.txt"]);
    (told, names(&data))
}

/// What leads out, or to nothing that was granted.
const OUT: [&str; 9] = ["absolute", "dotdot", "planted", "symlink", "made", "beside", "etc", "tmp", "relative"];
/// What changes something.
const CHANGES: [&str; 5] = ["create", "truncate", "folder", "rename", "unlink"];

#[test]
fn a_granted_folder_is_read_and_written_and_nothing_else_is() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("files.wasm"));
        let (told, names) = attempt(&program, |data| Some(DirGrant::new(data, "/data")));
        assert_eq!((told["read"].as_str(), told["contents"].as_str()), ("0", "from the host"));
        for change in CHANGES {
            assert_eq!(told[change], "0", "{change}: {told:?}");
        }
        for out in OUT {
            assert_ne!(told[out], "0", "{out}: {told:?}");
        }
        assert_eq!(names, ["moved.txt", "new", "out.txt", "planted"]);
    });
}

#[test]
fn a_read_only_folder_is_read_and_nothing_changes() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("files.wasm"));
        let (told, names) = attempt(&program, |data| Some(DirGrant::new(data, "/data").read_only()));
        assert_eq!((told["read"].as_str(), told["contents"].as_str()), ("0", "from the host"));
        for refused in CHANGES.iter().chain(&OUT) {
            assert_ne!(told[*refused], "0", "{refused}: {told:?}");
        }
        assert_eq!(names, ["gone.txt", "in.txt", "planted"]);
    });
}

#[test]
fn without_a_grant_there_are_no_files() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("files.wasm"));
        let (told, names) = attempt(&program, |_| None);
        for refused in CHANGES.iter().chain(&OUT).chain(&["read"]) {
            assert_ne!(told[*refused], "0", "{refused}: {told:?}");
        }
        assert_eq!(names, ["gone.txt", "in.txt", "planted"]);
    });
}
