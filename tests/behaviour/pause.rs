//! Paused guests: where they pause and resume; a pause costs no time and does not change the result.

use std::thread;
use std::time::{Duration, Instant};

use wrun::{ErrorKind, FuncType, HostImports, InstanceState, Limits, Value};

use crate::stopping::{
    BRIEF, Call, Gate, answers, becomes, guest, guest_within, interrupt, on_each_stoppable, on_each_unmetered,
    pauses_at_host_calls_only, time, timed_out,
};
use crate::vocabulary::refused;

/// Long enough to see whether a state changes.
const A_WHILE: Duration = Duration::from_millis(30);

#[test]
fn a_pause_before_a_call_delays_it_until_resume() {
    on_each_stoppable(|engine| {
        let guest = guest(engine);
        let control = guest.control();
        control.pause().unwrap();
        assert_eq!(control.state(), InstanceState::Ready, "no call is held");
        let call = Call::of(guest, "knock", &[]);
        becomes(&control, InstanceState::Paused);
        thread::sleep(A_WHILE);
        assert_eq!(control.state(), InstanceState::Paused);
        control.resume().unwrap();
        becomes(&control, InstanceState::Running);
        interrupt(&control);
        let (mut guest, result) = call.end();
        refused(result, ErrorKind::Interrupted);
        guest.recover();
        answers(guest.as_mut());
    });
}

#[test]
fn a_guest_paused_before_its_call_has_not_started() {
    on_each_stoppable(|engine| {
        let guest = guest(engine);
        let control = guest.control();
        control.pause().unwrap();
        let call = Call::of(guest, "knock", &[]);
        becomes(&control, InstanceState::Paused);
        assert!(control.interrupt().unwrap());
        let (mut guest, result) = call.end();
        refused(result, ErrorKind::Interrupted);
        assert_eq!(guest.state(), InstanceState::Crashed);
        assert_eq!(guest.global("rounds").unwrap(), Value::I32(0));
    });
}

#[test]
fn a_pause_that_is_resumed_early_has_no_effect() {
    on_each_stoppable(|engine| {
        let mut guest = guest(engine);
        let control = guest.control();
        for _ in 0..10 {
            control.pause().unwrap();
            control.pause().unwrap();
            control.resume().unwrap();
            answers(guest.as_mut());
            control.resume().unwrap();
            answers(guest.as_mut());
        }
    });
}

#[test]
fn wasmtime_pauses_a_running_loop_and_wasmer_at_its_next_host_call() {
    on_each_stoppable(|engine| {
        let guest = guest(engine);
        let control = guest.control();
        let call = Call::of(guest, "spin", &[]);
        becomes(&control, InstanceState::Running);
        control.pause().unwrap();
        if pauses_at_host_calls_only(engine) {
            thread::sleep(A_WHILE);
            assert_eq!(control.state(), InstanceState::Running);
        } else {
            becomes(&control, InstanceState::Paused);
            thread::sleep(A_WHILE);
            assert_eq!(control.state(), InstanceState::Paused);
            control.resume().unwrap();
            becomes(&control, InstanceState::Running);
        }
        assert!(control.interrupt().unwrap());
        refused(call.end().1, ErrorKind::Interrupted);
    });
}

#[test]
fn a_loop_with_host_calls_can_be_paused_repeatedly_on_every_engine() {
    on_each_stoppable(|engine| {
        let guest = guest(engine);
        let control = guest.control();
        let call = Call::of(guest, "knock", &[]);
        for _ in 0..20 {
            control.pause().unwrap();
            becomes(&control, InstanceState::Paused);
            control.resume().unwrap();
            becomes(&control, InstanceState::Running);
        }
        interrupt(&control);
        refused(call.end().1, ErrorKind::Interrupted);
    });
}

#[test]
fn a_resumed_call_has_the_right_result() {
    on_each_stoppable(|engine| {
        let gate = Gate::default();
        let guest = gate.guest(engine, Limits::none());
        let control = guest.control();
        let call = Call::of(guest, "pass_and_sum", &[Value::I64(3_000_000)]);
        gate.wait_for_guest();
        control.pause().unwrap();
        gate.open();
        if !pauses_at_host_calls_only(engine) {
            becomes(&control, InstanceState::Paused);
        }
        thread::sleep(Duration::from_millis(5));
        control.resume().unwrap();
        let (mut guest, result) = call.end();
        assert_eq!(result.unwrap(), [Value::I64(4_500_001_500_000)]);
        answers(guest.as_mut());
    });
}

#[test]
fn a_long_loop_paused_many_times_has_the_right_result() {
    on_each_unmetered(|engine| {
        let guest = guest(engine);
        let control = guest.control();
        let call = Call::of(guest, "sum", &[Value::I64(40_000_000)]);
        while control.state() != InstanceState::Ready {
            control.pause().unwrap();
            thread::sleep(Duration::from_micros(300));
            control.resume().unwrap();
            thread::sleep(Duration::from_micros(700));
        }
        let (mut guest, result) = call.end();
        assert_eq!(result.unwrap(), [Value::I64(800_000_020_000_000)]);
        answers(guest.as_mut());
    });
}

#[test]
fn a_paused_guest_can_be_interrupted() {
    on_each_stoppable(|engine| {
        let gate = Gate::default();
        let guest = gate.guest(engine, Limits::none());
        let control = guest.control();
        let call = Call::of(guest, "pass_and_knock", &[]);
        gate.wait_for_guest();
        control.pause().unwrap();
        assert_eq!(control.state(), InstanceState::Running, "a host function is not held");
        gate.open();
        becomes(&control, InstanceState::Paused);
        assert!(control.interrupt().unwrap());
        let (mut guest, result) = call.end();
        refused(result, ErrorKind::Interrupted);
        assert_eq!(guest.state(), InstanceState::Crashed);
        guest.recover();
        // The pause lasts until it is resumed, and applies to the next call too.
        let call = Call::of(guest, "seven", &[]);
        becomes(&control, InstanceState::Paused);
        control.resume().unwrap();
        assert_eq!(call.end().1.unwrap(), [Value::I32(7)]);
    });
}

#[test]
fn time_does_not_count_during_a_pause() {
    on_each_unmetered(|engine| {
        let limit = Duration::from_millis(200);
        let gate = Gate::default();
        let guest = gate.guest(engine, time(limit));
        let control = guest.control();
        let call = Call::of(guest, "pass_and_knock", &[]);
        gate.wait_for_guest();
        control.pause().unwrap();
        gate.open();
        becomes(&control, InstanceState::Paused);
        thread::sleep(2 * limit);
        assert_eq!(control.state(), InstanceState::Paused);
        control.resume().unwrap();
        let (mut guest, result) = call.end();
        assert_eq!(result.unwrap(), [Value::I32(7)]);
        control.pause().unwrap();
        let call = Call::of(guest, "seven", &[]);
        becomes(&control, InstanceState::Paused);
        thread::sleep(limit + limit / 4);
        control.resume().unwrap();
        (guest, _) = call.end();
        answers(guest.as_mut());
    });
}

#[test]
fn time_continues_after_a_pause() {
    on_each_unmetered(|engine| {
        let guest = guest_within(engine, time(3 * BRIEF));
        let control = guest.control();
        control.pause().unwrap();
        let since = Instant::now();
        let call = Call::of(guest, "knock", &[]);
        becomes(&control, InstanceState::Paused);
        thread::sleep(4 * BRIEF);
        control.resume().unwrap();
        let error = timed_out(call.end().1, 3 * BRIEF);
        assert!(since.elapsed() >= 7 * BRIEF, "{:?}: it was stopped before its time", since.elapsed());
        assert!(error.limit_exceeded().unwrap().attempted < 7_000_000_000);
    });
}

#[test]
fn requests_without_a_running_call_have_no_effect() {
    on_each_stoppable(|engine| {
        let (send, interrupt_token) = std::sync::mpsc::channel();
        let imports = HostImports::none().with_function("host", "lend", FuncType::default(), move |context, _| {
            send.send(context.interrupt_token())?;
            Ok(Vec::new())
        });
        let wat = r#"(module (import "host" "lend" (func $lend))
          (func (export "lend") (result i32) (call $lend) (i32.const 7)))"#;
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        assert_eq!(guest.call_simple_function("lend", &[]).unwrap(), 7);
        let interrupt_token = interrupt_token.recv().unwrap();
        let control = guest.control();
        control.pause().unwrap();
        interrupt_token.check_interrupt().unwrap();
        assert_eq!(control.state(), InstanceState::Ready);
        control.resume().unwrap();
        assert_eq!(guest.call_simple_function("lend", &[]).unwrap(), 7);
        drop(guest);
        interrupt_token.check_interrupt().unwrap();
    });
}
