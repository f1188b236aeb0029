//! How a program with threads ends: with whatever ends first, and all of it.

use std::time::Instant;

use wrun::{Capabilities, ErrorKind, InstanceState, Limits, Trap};

use crate::guest::{End, Program, args, fixture, on_each, refused};

fn ends(what: &'static str, end: &'static End) {
    on_each(move |config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let begun = Instant::now();
        assert_eq!(program.run(args(&[what])).end, *end, "{what}");
        assert!(begun.elapsed().as_secs() < 5, "{what} took {:?}", begun.elapsed());
    });
}

#[test]
fn a_trap_in_a_thread_ends_the_program() {
    ends("trap", &End::Trap(Trap::Unreachable));
    ends("trap-while-running", &End::Trap(Trap::Unreachable));
    ends("trap-while-waiting", &End::Trap(Trap::Unreachable));
    ends("trap-while-reading", &End::Trap(Trap::Unreachable));
}

#[test]
fn so_does_an_exit_in_a_thread() {
    ends("exit", &End::Code(40));
}

#[test]
fn threads_end_with_the_main_one() {
    ends("leave-running", &End::Code(0));
    ends("exit-while-running", &End::Code(7));
    ends("trap-with-threads", &End::Trap(Trap::Unreachable));
}

#[test]
fn the_thread_that_trapped_is_told() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let mut guest = program.start(Limits::none(), args(&["trap"])).unwrap();
        let error = guest.call("_start", &[]).unwrap_err();
        assert_eq!(error.message(), "unreachable executed: in thread 2");
        assert!(!error.backtrace().is_empty());
        assert_eq!(guest.state(), InstanceState::Crashed);
    });
}

#[test]
fn nothing_runs_after_the_end() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let mut guest = program.start(Limits::none(), args(&["trap"])).unwrap();
        guest.call("_start", &[]).unwrap_err();
        guest.recover();
        refused(guest.call("counted", &[]), ErrorKind::Crashed, "has ended with its threads");
        let mut guest = program.start(Limits::none(), args(&["leave-running"])).unwrap();
        guest.call("_start", &[]).unwrap();
        refused(guest.call("counted", &[]), ErrorKind::Crashed, "has ended with its threads");
    });
}

#[test]
fn an_exit_ends_what_a_plain_export_started() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
        guest.call("start_one", &[]).unwrap();
        assert_eq!(guest.call("stop_all", &[]).unwrap_err().exit_code(), Some(5));
        assert_eq!(guest.state(), InstanceState::Exited(5));
    });
}
