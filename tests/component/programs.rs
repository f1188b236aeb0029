//! The ends of programs, and requests to stop and pause them. `toolchains` tests their actions.

use std::thread;
use std::time::{Duration, Instant};

use wrun::{
    Capabilities, Captured, Control, ErrorKind, Input, InstanceState, Limits, Output, Trap, WasmComponentInstance,
};

use crate::program::{PATIENCE, Program, both};
use crate::vocabulary::{Engine, assert_contains, refused};

/// Far longer than any test waits, in milliseconds.
const LONG: &str = "600000";

fn programs() -> impl Iterator<Item = Program> {
    both("actions.wasm", "actions3.wasm")
}

fn start(program: &Program, args: &[&str]) -> Box<dyn WasmComponentInstance> {
    program.start(Limits::none(), args, Capabilities::none()).unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// Waits until an instance has this state.
#[track_caller]
fn becomes(control: &Control, state: InstanceState) {
    let started = Instant::now();
    while control.state() != state {
        assert!(started.elapsed() < PATIENCE, "{:?} after a minute, not {state:?}", control.state());
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_program_that_returns_is_ready_for_another_run() {
    for program in programs() {
        let stdout = Captured::new();
        let granted = Capabilities::none().with_stdout(Output::Capture(stdout.clone()));
        let mut instance = program.start(Limits::none(), &["say", "x"], granted).unwrap();
        instance.run().unwrap();
        assert_eq!((instance.state(), stdout.contents()), (InstanceState::Ready, b"x\n".to_vec()), "{program}");
    }
}

#[test]
fn an_exit_and_a_failed_run_end_the_instance() {
    for program in programs() {
        for (args, code) in [(["exit", "0"], 0), (["no such action", "-"], 1)] {
            let mut instance = start(&program, &args);
            assert_eq!(instance.run().unwrap_err().exit_code(), Some(code), "{program}");
            assert_eq!(instance.state(), InstanceState::Exited(code), "{program}");
            assert!(instance.run().unwrap_err().exit_code().is_none(), "{program}");
        }
    }
}

#[cfg(feature = "wasi-p3")]
#[test]
fn an_exit_may_have_any_code() {
    let program = Program::new("actions3.wasm");
    for (code, text) in [(1, "1"), (7, "7"), (125, "125"), (200, "200"), (255, "255")] {
        let mut instance = start(&program, &["exit", text]);
        assert_eq!(instance.run().unwrap_err().exit_code(), Some(code));
        assert_eq!(instance.state(), InstanceState::Exited(code));
    }
    assert_eq!(start(&program, &["fail", "-"]).run().unwrap_err().exit_code(), Some(1));
}

#[test]
fn a_trap_is_not_an_exit() {
    for program in programs() {
        let error = start(&program, &["trap", "-"]).run().unwrap_err();
        assert_eq!((error.trap_code(), error.exit_code()), (Some(Trap::Unreachable), None), "{program}");
    }
}

#[test]
fn a_component_without_run_is_not_a_program() {
    let error = refused(Engine::new().start("(component)").run(), ErrorKind::UnknownExport);
    assert_contains(error.message(), &["wasi:cli/run"]);
}

#[test]
fn a_capture_is_bounded_and_counts_all() {
    for program in programs() {
        let capture = Captured::with_max_bytes(1000);
        let granted = Capabilities::none()
            .with_stdin(Input::Bytes(vec![b'x'; 300_000]))
            .with_stdout(Output::Capture(capture.clone()));
        program.start(Limits::none(), &["echo", "-"], granted).unwrap().run().unwrap();
        assert_eq!((capture.contents().len(), capture.written()), (1000, 300_000), "{program}");
    }
}

#[test]
fn two_instances_cannot_share_a_capture() {
    let program = Program::new("actions.wasm");
    let capture = Captured::new();
    let granted = || Capabilities::none().with_stdout(Output::Capture(capture.clone()));
    let _first = program.start(Limits::none(), &[], granted()).unwrap();
    refused(program.start(Limits::none(), &[], granted()), ErrorKind::Grant);
}

#[test]
fn an_interrupt_ends_a_program_that_sleeps() {
    for program in programs() {
        let mut instance = start(&program, &["sleep", LONG]);
        let control = instance.control();
        let other = thread::spawn(move || {
            becomes(&control, InstanceState::Running);
            assert!(control.interrupt().unwrap());
        });
        refused(instance.run(), ErrorKind::Interrupted);
        other.join().unwrap();
    }
}

#[test]
fn a_pause_holds_a_program_that_sleeps() {
    for program in programs() {
        let mut instance = start(&program, &["sleep", LONG]);
        let control = instance.control();
        let other = thread::spawn(move || {
            becomes(&control, InstanceState::Running);
            control.pause().unwrap();
            becomes(&control, InstanceState::Paused);
            control.resume().unwrap();
            becomes(&control, InstanceState::Running);
            assert!(control.interrupt().unwrap());
        });
        refused(instance.run(), ErrorKind::Interrupted);
        other.join().unwrap();
    }
}

#[test]
fn a_shutdown_ends_a_program_that_sleeps() {
    for program in programs() {
        let mut instance = start(&program, &["sleep", LONG]);
        let control = instance.control();
        thread::scope(|scope| {
            scope.spawn(|| {
                becomes(&control, InstanceState::Running);
                program.runtime().shutdown(Duration::from_mins(1));
            });
            refused(instance.run(), ErrorKind::ShutDown);
            drop(instance);
        });
    }
}

#[test]
fn programs_wait_on_several_threads_at_once() {
    for program in &programs().collect::<Vec<_>>() {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| start(program, &["sleep", "20", "sleep", "1"]).run().unwrap());
            }
        });
    }
}

#[test]
fn a_program_waits_inside_a_task_of_another_tokio_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for program in programs() {
        runtime.block_on(async { start(&program, &["sleep", "20", "sleep", "0"]).run().unwrap() });
    }
}

#[test]
#[cfg(feature = "wasi-p3")]
fn a_program_goes_on_after_its_result() {
    let late = include_str!("late.wat");
    let run = |wat: &str| {
        let stdout = Captured::new();
        let granted = Capabilities::none().with_stdout(Output::Capture(stdout.clone()));
        let engine = Engine::metered();
        let component = engine.load(wat);
        let limits = Limits::none().with_time(Duration::from_secs(1));
        let mut instance =
            engine.runtime.create_component_instance(component.as_ref(), limits, granted).expect("it starts");
        (instance.run().map_err(|error| error.kind()), String::from_utf8_lossy(&stdout.contents()).into_owned())
    };
    assert_eq!(run(late), (Ok(()), "late\n".to_owned()));
    // A time limit holds after the result too.
    let endless = late.replace(
        "(call $return (i32.const 0))",
        "(call $return (i32.const 0)) (loop $more (drop (call $yield)) (br $more))",
    );
    assert_eq!(run(&endless), (Err(ErrorKind::Timeout), String::new()));
    let failing =
        late.replace("(call $return (i32.const 0))", "(call $return (i32.const 0)) (drop (call $yield)) (unreachable)");
    assert_eq!(run(&failing), (Err(ErrorKind::Trap), String::new()));
}
