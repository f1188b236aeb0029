//! A program ends with the first of its threads that traps or exits, or with the main one.

use std::time::Instant;

use wrun::{Capabilities, ErrorKind, InstanceState, Limits, Trap};

use crate::guest::{End, Program, args, fixture, on_each, refused};

fn check_end(what: &'static str, end: &'static End) {
    on_each(move |config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let start = Instant::now();
        assert_eq!(program.run(args(&[what])).end, *end, "{what}");
        assert!(start.elapsed().as_secs() < 5, "{what} took {:?}", start.elapsed());
    });
}

#[test]
fn a_trap_in_a_thread_ends_the_program() {
    check_end("trap", &End::Trap(Trap::Unreachable));
    check_end("trap-while-running", &End::Trap(Trap::Unreachable));
    check_end("trap-while-waiting", &End::Trap(Trap::Unreachable));
    check_end("trap-while-reading", &End::Trap(Trap::Unreachable));
}

#[test]
fn an_exit_in_a_thread_ends_the_program() {
    check_end("exit", &End::Code(40));
}

#[test]
fn the_end_of_the_main_thread_ends_the_others() {
    check_end("leave-running", &End::Code(0));
    check_end("exit-while-running", &End::Code(7));
    check_end("trap-with-threads", &End::Trap(Trap::Unreachable));
}

#[test]
fn a_trap_names_its_thread() {
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
fn no_calls_run_after_the_end() {
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
fn an_exit_ends_threads_of_an_export() {
    on_each(|config| {
        let program = Program::new(&config, &fixture("threads.wasm"));
        let mut guest = program.start(Limits::none(), Capabilities::none()).unwrap();
        guest.call("start_one", &[]).unwrap();
        assert_eq!(guest.call("stop_all", &[]).unwrap_err().exit_code(), Some(5));
        assert_eq!(guest.state(), InstanceState::Exited(5));
    });
}
