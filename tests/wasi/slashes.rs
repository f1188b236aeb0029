//! Links out of the grant, in paths with and without a trailing slash: no call follows them out.

use wrun::{Capabilities, Limits, RuntimeConfig, RuntimeKind, create_runtime};

use crate::layout::Layout;
use crate::path_calls::{GUEST, PathCall, calls};

/// Makes each call on a fresh instance, and returns it with its errno.
fn run_all(kind: RuntimeKind, unstable: bool) -> Vec<(PathCall, i32)> {
    let runtime = create_runtime(&RuntimeConfig::new(kind)).unwrap();
    let version = if unstable { "wasi_unstable" } else { "wasi_snapshot_preview1" };
    let module = runtime.load_module(GUEST.replace("wasi_snapshot_preview1", version).as_bytes()).unwrap();
    let mut layout = Layout::create();
    let mut run = |call: PathCall| {
        let granted = layout.grant(Capabilities::none());
        let errno = call.run(&mut *runtime.create_instance(module.as_ref(), Limits::none(), granted).unwrap());
        layout.check(&format!("{call:?} on {kind}"));
        if errno == 0 {
            layout = Layout::create();
        }
        (call, errno)
    };
    calls("", &Layout::create().links()).into_iter().map(&mut run).collect()
}

fn check(unstable: bool) {
    let mut results = RuntimeKind::available().map(|kind| (kind, run_all(kind, unstable)));
    let (first, expected) = results.next().unwrap();
    for name in ["unlink", "rename", "create"] {
        assert!(expected.iter().any(|(call, errno)| call.name == name && *errno == 0), "{name} never succeeds");
    }
    for (kind, actual) in results {
        for ((call, expected), (_, actual)) in expected.iter().zip(&actual) {
            assert_eq!(actual, expected, "{call:?}: errno on {kind} and on {first}");
        }
    }
}

#[test]
fn no_call_follows_a_link_out_of_the_grant() {
    check(false);
}

#[test]
fn no_call_of_wasi_unstable_follows_a_link_out_of_the_grant() {
    check(true);
}

#[test]
fn a_trailing_slash_demands_a_directory() {
    const NOENT: i32 = 44;
    const NOTDIR: i32 = 54;
    const NOTEMPTY: i32 = 55;
    const IS_DIRECTORY: i32 = 256 + 3;
    for kind in RuntimeKind::available() {
        let runtime = create_runtime(&RuntimeConfig::new(kind)).unwrap();
        let module = runtime.load_module(GUEST.as_bytes()).unwrap();
        let layout = Layout::create();
        let mut instance =
            runtime.create_instance(module.as_ref(), Limits::none(), layout.grant(Capabilities::none())).unwrap();
        let mut call = |name, path| PathCall::new(name, path, "").run(&mut *instance);
        for name in ["lstat", "touch", "touch_link", "rmdir", "unlink"] {
            assert_eq!(call(name, "file.txt/"), NOTDIR, "{name} on {kind}");
            assert_eq!(call(name, "none/"), NOENT, "{name} on {kind}");
        }
        assert_eq!(call("lstat", "link_file/"), NOTDIR, "{kind}");
        assert_eq!(call("lstat", "link_sub/"), IS_DIRECTORY, "{kind}");
        assert_eq!(call("touch_link", "link_sub/"), 0, "{kind}");
        assert_eq!(call("unlink", "link_sub/"), NOTDIR, "{kind}");
        assert_eq!(call("rmdir", "link_sub/"), NOTDIR, "{kind}");
        assert_eq!(call("rmdir", "sub/"), NOTEMPTY, "{kind}");
        assert_eq!(call("rmdir", "sub/.."), NOTEMPTY, "{kind}");
        assert_eq!(call("rmdir", "empty//"), 0, "{kind}");
        assert_eq!(call("lstat", "empty"), NOENT, "{kind}");
    }
}
