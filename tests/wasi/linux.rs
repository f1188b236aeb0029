//! Calls on files answer as on Linux, or as `docs/wasi.md` says.

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use wrun::{Capabilities, DirGrant, Limits, RuntimeConfig, RuntimeKind, create_runtime};

use crate::guest::{End, fixtures, on_each};
use crate::path_calls::{GUEST, PathCall};

/// Creates a named pipe and a socket. Returns the socket, to keep it open.
fn special_files(dir: &Path) -> UnixListener {
    assert!(Command::new("mkfifo").arg(dir.join("pipe")).status().unwrap().success());
    UnixListener::bind(dir.join("socket")).unwrap()
}

#[test]
fn paths_are_resolved_as_on_linux() {
    for program in on_each(&fixtures().join("linux/paths.wasm"), None) {
        let dir = tempfile::tempdir().unwrap();
        let ran = program.run(Capabilities::none().with_dir(DirGrant::new(dir.path(), ".")), None);
        assert_eq!((ran.end, ran.stdout.as_str()), (End::Code(0), ""), "{program}");
    }
}

#[test]
fn sockets_and_pipes_are_not_opened_without_waiting() {
    const NOTSUP: i32 = 58;
    const NXIO: i32 = 60;
    const IS_UNKNOWN: i32 = 256;
    for kind in RuntimeKind::available() {
        let dir = tempfile::tempdir().unwrap();
        let _socket = special_files(dir.path());
        let runtime = create_runtime(&RuntimeConfig::new(kind)).unwrap();
        let module = runtime.load_module(GUEST.as_bytes()).unwrap();
        let granted = Capabilities::none().with_dir(DirGrant::new(dir.path(), "."));
        let mut instance = runtime.create_instance(module.as_ref(), Limits::none(), granted).unwrap();
        let mut call = |name, path| PathCall::new(name, path, "").run(&mut *instance);
        assert_eq!(call("lstat", "pipe"), IS_UNKNOWN, "{kind}");
        assert_eq!(call("open", "pipe"), NOTSUP, "{kind}");
        assert_eq!(call("open", "socket"), NOTSUP, "{kind}");
        assert_eq!(call("create", "socket"), NXIO, "{kind}");
        assert_eq!(call("touch", "pipe"), NOTSUP, "{kind}");
    }
}

#[test]
fn a_path_of_any_length_is_an_errno() {
    const FAULT: i32 = 21;
    const NAMETOOLONG: i32 = 37;
    const NOMEM: i32 = 48;
    for kind in RuntimeKind::available() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = create_runtime(&RuntimeConfig::new(kind)).unwrap();
        let module = runtime.load_module(GUEST.as_bytes()).unwrap();
        let granted = Capabilities::none().with_dir(DirGrant::new(dir.path(), "."));
        let mut instance = runtime.create_instance(module.as_ref(), Limits::none(), granted).unwrap();
        instance.write_memory("memory", 1024, &b"a/".repeat(30_000)).unwrap();
        for name in ["lstat", "rmdir", "unlink", "touch", "open"] {
            for (len, expected) in [(4096, [NAMETOOLONG; 2]), (60_000, [NAMETOOLONG; 2]), (i32::MIN, [FAULT, NOMEM])] {
                let errno = instance.call_simple_function(name, &[len, 0]).unwrap();
                assert!(expected.contains(&errno), "{name} of {len} bytes on {kind}: {errno}");
            }
        }
    }
}

/// Runs the program `open` with at most 64 open files, and a time limit. Returns the exit code and the output.
#[cfg(feature = "cli")]
fn open(kind: RuntimeKind, wasm: &str, dir: &Path, args: &[&str]) -> (Option<i32>, String) {
    let wrun = env!("CARGO_BIN_EXE_wrun");
    let options = ["-r", kind.as_str(), "--no-cache", "--timeout", "3s", "--dir", ".::."];
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", wrun]).args(options);
    shell.arg(fixtures().join("linux").join(wasm)).arg("--").args(args);
    let output = shell.current_dir(dir).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[cfg(feature = "cli")]
#[test]
fn a_full_table_of_files_is_reported() {
    let mut runs: Vec<_> = RuntimeKind::available().map(|kind| (kind, "open.wasm")).collect();
    if cfg!(feature = "wasix") {
        runs.push((RuntimeKind::Wasmer, "open_wasix.wasm"));
    }
    for (kind, wasm) in runs {
        let dir = tempfile::tempdir().unwrap();
        let expected = "open: EMFILE\nopendir: EMFILE\nmkdir: EMFILE\n";
        assert_eq!(open(kind, wasm, dir.path(), &[]), (Some(0), expected.to_owned()), "{wasm} on {kind}");
    }
}

#[cfg(feature = "cli")]
#[test]
fn a_time_limit_ends_the_wait_for_the_other_end_of_a_pipe() {
    for kind in RuntimeKind::available() {
        let dir = tempfile::tempdir().unwrap();
        let _socket = special_files(dir.path());
        assert_eq!(open(kind, "open.wasm", dir.path(), &["pipe"]), (Some(124), String::new()), "{kind}");
    }
}
