//! Links out of the grant, in paths with and without a trailing slash: no call follows them out or panics.

use wrun::{Capabilities, Limits};

use crate::guest::{Program, on_each};
use crate::layout::Layout;
use crate::path_calls::{GUEST, calls};

#[test]
fn no_call_follows_a_link_out_of_the_grant() {
    // One import of WASIX makes the others WASIX functions, too.
    let guest = GUEST.replacen("(module", r#"(module (import "wasix_32v1" "sched_yield" (func (result i32)))"#, 1);
    on_each(move |config| {
        let program = Program::new(&config, guest.as_bytes());
        let mut layout = Layout::create();
        let mut succeeded = std::collections::BTreeSet::new();
        for call in calls("/rw/", &layout.links()) {
            let mut instance = program.start(Limits::none(), layout.grant(Capabilities::none())).unwrap();
            let errno = call.run(&mut *instance);
            layout.check(&format!("{call:?}"));
            if errno == 0 {
                succeeded.insert(call.name);
                layout = Layout::create();
            }
        }
        for name in ["unlink", "rename", "create"] {
            assert!(succeeded.contains(name), "{name} never succeeds: {succeeded:?}");
        }
    });
}
