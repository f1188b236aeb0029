//! Links out of the grant, in paths with and without a trailing slash: no call follows them out or panics.

use wrun::{Capabilities, Limits, RuntimeConfig};

use crate::guest::{Program, on_each};
use crate::layout::Layout;
use crate::path_calls::{GUEST, PathCall, calls};

/// Compiles the guest. One import of WASIX makes its other imports functions of WASIX, too.
fn compile(config: &RuntimeConfig) -> Program {
    let guest = GUEST.replacen("(module", r#"(module (import "wasix_32v1" "sched_yield" (func (result i32)))"#, 1);
    Program::new(config, guest.as_bytes())
}

#[test]
fn no_call_follows_a_link_out_of_the_grant() {
    on_each(|config| {
        let program = compile(&config);
        let start = || {
            let layout = Layout::create();
            let instance = program.start(Limits::none(), layout.grant(Capabilities::none())).unwrap();
            (layout, instance)
        };
        let (mut layout, mut instance) = start();
        let mut succeeded = std::collections::BTreeSet::new();
        for call in calls("/rw/", &layout.links()) {
            let errno = call.run(&mut *instance);
            layout.check(&format!("{call:?}"));
            if errno == 0 {
                succeeded.insert(call.name);
            }
            if errno == 0 && !call.name.starts_with("touch") {
                (layout, instance) = start();
            }
        }
        for name in ["unlink", "rename", "create", "touch"] {
            assert!(succeeded.contains(name), "{name} never succeeds: {succeeded:?}");
        }
    });
}

#[test]
fn only_directories_are_renamed_to_a_path_with_a_trailing_slash() {
    const NOTDIR: i32 = 54;
    on_each(|config| {
        let layout = Layout::create();
        let mut instance = compile(&config).start(Limits::none(), layout.grant(Capabilities::none())).unwrap();
        let mut rename = |from, to| PathCall::new("rename", from, to).run(&mut *instance);
        assert_eq!(rename("/rw/file.txt", "/rw/new/"), NOTDIR);
        assert_eq!(rename("/rw/file.txt", "/rw/link_file/"), NOTDIR);
        assert_eq!(rename("/rw/other.txt/", "/rw/other"), NOTDIR);
        assert_eq!(rename("/rw/empty", "/rw/new/"), 0);
        assert_eq!(rename("/rw/file.txt", "/rw/new/moved"), 0);
    });
}
