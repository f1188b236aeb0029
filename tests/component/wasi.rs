//! Missing rights. `toolchains` tests granted ones.

use std::fs;
use std::os::unix::fs::symlink;

#[cfg(feature = "wasi-p3")]
use wrun::WitValue;
use wrun::{Capabilities, DirGrant, ErrorKind, Input, Limits};

use crate::program::{End, Program, Ran, both};
use crate::vocabulary::refused;
#[cfg(feature = "wasi-p3")]
use crate::vocabulary::{Engine, returned, text};

fn programs() -> impl Iterator<Item = Program> {
    both("actions.wasm", "actions3.wasm")
}

/// A folder with a file and a folder.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "text").unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    dir
}

#[track_caller]
fn prints(ran: &Ran, stdout: &str) {
    assert_eq!((ran.end, &*ran.stdout), (End::Code(0), stdout), "{ran:?}");
}

#[track_caller]
fn fails(ran: &Ran) {
    assert_eq!((ran.end, &*ran.stdout), (End::Code(1), ""), "{ran:?}");
}

#[test]
fn no_variable_is_inherited() {
    assert!(std::env::var_os("PATH").is_some());
    prints(&Program::new("actions.wasm").run(&["environ", "-"], Capabilities::none()), "");
}

#[test]
fn variables_keep_their_order_and_may_be_empty() {
    let granted = Capabilities::none().with_env("B", "1").with_env("A", "");
    prints(&Program::new("actions.wasm").run(&["environ", "-"], granted), "B=1\nA=\n");
}

#[test]
fn without_a_grant_there_is_no_folder() {
    let outside = folder();
    for program in programs() {
        for path in [outside.path().join("file").to_str().unwrap(), "file", "/", "/proc/self/environ"] {
            fails(&program.run(&["read", path], Capabilities::none()));
        }
    }
}

#[test]
fn no_path_leads_out_of_a_granted_folder() {
    let dir = folder();
    let inside = dir.path().join("folder");
    symlink(dir.path().join("file"), inside.join("absolute")).unwrap();
    symlink("../file", inside.join("relative")).unwrap();
    symlink("..", inside.join("parent")).unwrap();
    for program in programs() {
        for path in ["/d/../file", "/d/absolute", "/d/relative", "/d/parent/file", "/d/./../file", "/file"] {
            let granted = Capabilities::none().with_dir(DirGrant::new(&inside, "/d"));
            fails(&program.run(&["read", path], granted));
        }
    }
}

#[test]
fn every_change_of_a_read_only_folder_fails() {
    let dir = folder();
    let granted = || {
        let granted = Capabilities::none().with_stdin(Input::Bytes(b"new".to_vec()));
        granted.with_dir(DirGrant::new(dir.path(), "/d").read_only())
    };
    for program in programs() {
        prints(&program.run(&["read", "/d/file"], granted()), "text");
        fails(&program.run(&["write", "/d/file"], granted()));
        fails(&program.run(&["write", "/d/new"], granted()));
    }
    for action in [["append", "/d/file"], ["mkdir", "/d/new"], ["remove", "/d/file"], ["remove", "/d/folder"]] {
        fails(&Program::new("actions.wasm").run(&action, granted()));
    }
    assert_eq!(fs::read_to_string(dir.path().join("file")).unwrap(), "text");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_folder_is_removed_by_a_path_with_a_trailing_slash() {
    let dir = folder();
    let granted = Capabilities::none().with_dir(DirGrant::new(dir.path(), "/"));
    prints(&Program::new("actions.wasm").run(&["remove", "/folder//"], granted), "");
    assert!(!dir.path().join("folder").exists());
}

#[cfg(feature = "wasi-p3")]
#[test]
fn a_folder_is_removed_by_a_path_with_a_trailing_slash_in_wasi_0_3() {
    const NOT_DIRECTORY: u32 = 1 + 23;
    let dir = folder();
    let engine = Engine::new();
    let component = engine.load(include_str!("remove_dir.wat"));
    let granted = Capabilities::none().with_dir(DirGrant::new(dir.path(), "/"));
    let mut instance = engine.runtime.create_component_instance(component.as_ref(), Limits::none(), granted).unwrap();
    let mut remove = |path| returned(&mut *instance, "remove", &[text(path)]);
    assert_eq!(remove("folder//"), WitValue::U32(0));
    assert!(!dir.path().join("folder").exists());
    assert_eq!(remove("file/"), WitValue::U32(NOT_DIRECTORY));
}

#[test]
fn a_missing_folder_is_refused() {
    let granted = Capabilities::none().with_dir(DirGrant::new("/no/such/folder", "/d"));
    refused(Program::new("actions.wasm").start(Limits::none(), &[], granted), ErrorKind::Grant);
}

#[test]
fn without_a_seed_numbers_and_clocks_are_those_of_the_system() {
    for program in programs() {
        let random = || program.run(&["random", "16"], Capabilities::none()).stdout;
        assert_ne!(random(), random(), "{program}");
        let time = program.run(&["time", "real"], Capabilities::none()).stdout;
        let seconds: u64 = time.split(['.', '\n']).next().unwrap().parse().unwrap();
        assert!(seconds > 1_700_000_000, "{program}: {time}");
    }
}
