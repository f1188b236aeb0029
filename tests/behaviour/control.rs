//! Control handles for other threads: they report the state, interrupt and pause running calls, and have no effect on
//! idle instances.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use wrun::{Control, ErrorKind, Exit, FuncType, HostImports, InstanceState, Limits, Trap, Value, WasmInstanceExt};

use crate::stopping::{Call, GUEST, Gate, LONG, answers, becomes, guest, on_each_stoppable, on_each_unmetered};
use crate::vocabulary::{PAGE, assert_contains, hints, on_each, refused, trapped};

/// A guest that grows its memory before it traps.
const TRAPPING: &str = r#"
(module (memory 1)
  (func (export "trap") (drop (memory.grow (i32.const 4))) unreachable)
  (func (export "seven") (result i32) (i32.const 7)))"#;

#[test]
fn a_handle_can_be_shared_and_sent() {
    fn is_shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}
    is_shared::<Control>();
    on_each(|engine| {
        let guest = engine.start("(module)");
        assert_eq!(format!("{:?}", guest.control()), "Control(Ready)");
    });
}

#[test]
fn a_handle_keeps_the_last_state_of_a_dropped_instance() {
    on_each(|engine| {
        for held in [true, false] {
            let mut guest = engine.start(TRAPPING);
            trapped(guest.call("trap", &[]), Trap::Unreachable);
            let gone = held.then(|| guest.control());
            drop(guest);
            let mut next = engine.start(TRAPPING);
            assert_eq!((next.state(), next.memory_peak_bytes()), (InstanceState::Ready, PAGE));
            assert_eq!(next.call("seven", &[]).unwrap(), [Value::I32(7)]);
            assert!(gone.is_none_or(|gone| gone.state() == InstanceState::Crashed));
        }
        assert_eq!((engine.runtime.metrics().calls, engine.runtime.metrics().traps), (4, 2));
    });
}

#[test]
fn a_running_guest_is_interrupted_from_another_thread() {
    on_each_stoppable(|engine| {
        for name in ["spin", "knock"] {
            let guest = guest(engine);
            let control = guest.control();
            let call = Call::of(guest, name, &[]);
            becomes(&control, InstanceState::Running);
            thread::sleep(Duration::from_millis(2));
            assert!(control.interrupt().unwrap());
            let (mut guest, result) = call.end();
            let error = refused(result, ErrorKind::Interrupted);
            assert_contains(error.message(), &["interrupted"]);
            assert_eq!((error.function(), error.limit_exceeded(), error.trap_code()), (Some(name), None, None));
            assert_eq!((guest.state(), control.state()), (InstanceState::Crashed, InstanceState::Crashed));
            assert!(!control.interrupt().unwrap());
            refused(guest.call("seven", &[]), ErrorKind::Crashed);
            guest.recover();
            answers(guest.as_mut());
        }
        let metrics = engine.runtime.metrics();
        assert_eq!((metrics.stopped, metrics.traps), (2, 0));
    });
}

#[test]
fn an_interruption_without_a_call_has_no_effect() {
    on_each_stoppable(|engine| {
        let mut guest = guest(engine);
        let control = guest.control();
        for _ in 0..100 {
            assert!(!control.interrupt().unwrap());
            answers(guest.as_mut());
        }
        trapped(guest.call("trap", &[]), Trap::Unreachable);
        assert!(!control.interrupt().unwrap());
        guest.recover();
        answers(guest.as_mut());
        assert_eq!(engine.runtime.metrics().stopped, 0);
    });
}

#[test]
fn an_interruption_in_a_host_function_takes_effect_when_it_returns() {
    on_each_stoppable(|engine| {
        for name in ["pass", "pass_and_spin", "pass_and_knock"] {
            let gate = Gate::default();
            let guest = gate.guest(engine, Limits::none());
            let control = guest.control();
            let call = Call::of(guest, name, &[]);
            gate.wait_for_guest();
            assert!(control.interrupt().unwrap());
            thread::sleep(Duration::from_millis(5));
            assert_eq!(control.state(), InstanceState::Running, "the host function has not returned");
            assert!(control.interrupt().unwrap());
            gate.open();
            let (mut guest, result) = call.end();
            refused(result, ErrorKind::Interrupted);
            guest.recover();
            answers(guest.as_mut());
        }
        assert_eq!(engine.runtime.metrics().stopped, 3);
    });
}

#[test]
fn a_guest_interrupted_in_a_host_function_ends_by_its_own_trap_where_it_traps_then() {
    on_each_stoppable(|engine| {
        let gate = Gate::default();
        let guest = gate.guest(engine, Limits::none());
        let control = guest.control();
        let call = Call::of(guest, "pass_and_trap", &[]);
        gate.wait_for_guest();
        control.interrupt().unwrap();
        gate.open();
        let (mut guest, result) = call.end();
        let error = result.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Trap | ErrorKind::Interrupted), "{error}");
        assert_eq!(error.trap_code(), (error.kind() == ErrorKind::Trap).then_some(Trap::Unreachable));
        guest.recover();
        answers(guest.as_mut());
    });
}

#[test]
fn a_host_function_can_interrupt_the_guest_that_calls_it() {
    on_each_stoppable(|engine| {
        let own: Arc<OnceLock<Control>> = Arc::default();
        let its = Arc::clone(&own);
        let imports = HostImports::none().with_function("host", "stop", FuncType::default(), move |_, _| {
            assert!(its.get().unwrap().interrupt()?);
            Ok(Vec::new())
        });
        let wat = r#"
            (module
              (import "host" "stop" (func $stop))
              (func (export "stop") (call $stop) (loop $again (br $again))))"#;
        let mut guest = engine.start_importing(&imports, wat).unwrap();
        own.set(guest.control()).unwrap();
        refused(guest.call("stop", &[]), ErrorKind::Interrupted);
    });
}

#[test]
fn every_state_is_seen_from_outside() {
    on_each_stoppable(|engine| {
        let gate = Gate::default();
        let imports = gate.imports().with_function("host", "nothing", FuncType::default(), |_, _| Err(Exit(9).into()));
        let start = || engine.start_importing(&imports, GUEST).unwrap();
        let guest = start();
        let control = guest.control();
        assert_eq!(control.state(), InstanceState::Ready);
        let call = Call::of(guest, "pass_and_knock", &[]);
        gate.wait_for_guest();
        assert_eq!(control.state(), InstanceState::Running);
        control.pause().unwrap();
        gate.open();
        becomes(&control, InstanceState::Paused);
        control.resume().unwrap();
        let (guest, result) = call.end();
        refused(result, ErrorKind::Exited);
        assert_eq!((control.state(), guest.state()), (InstanceState::Exited(9), InstanceState::Exited(9)));
        let mut other = start();
        trapped(other.call("trap", &[]), Trap::Unreachable);
        assert_eq!(other.control().state(), InstanceState::Crashed);
        assert_eq!(control.state(), InstanceState::Exited(9), "each handle is of one instance");
    });
}

#[test]
fn a_handle_outlives_its_instance() {
    on_each_stoppable(|engine| {
        let mut first = guest(engine);
        let (ready, control) = (guest(engine).control(), first.control());
        trapped(first.call("trap", &[]), Trap::Unreachable);
        drop(first);
        assert_eq!((ready.state(), control.state()), (InstanceState::Ready, InstanceState::Crashed));
        for control in [&ready, &control] {
            assert!(!control.interrupt().unwrap());
            control.pause().unwrap();
            control.resume().unwrap();
        }
        assert_eq!(engine.runtime.metrics().instances_alive, 0);
    });
}

#[test]
fn operations_that_need_interruption_are_refused_without_it() {
    on_each(|engine| {
        let mut guest = engine.start(r#"(module (func (export "seven") (result i32) (i32.const 7)))"#);
        let control = guest.control();
        for refusal in [control.interrupt().map(drop), control.pause(), control.resume()] {
            let error = refused(refusal, ErrorKind::UnsupportedConfig);
            assert_contains(&hints(&error), &["RuntimeConfig::with_interruption"]);
        }
        refused(guest.reset_time(LONG), ErrorKind::UnsupportedConfig);
        assert_eq!(control.state(), InstanceState::Ready);
        answers(guest.as_mut());
    });
}

#[test]
fn handles_on_many_threads_do_not_break_a_guest() {
    on_each_unmetered(|engine| {
        let mut guest = guest(engine);
        let control = guest.control();
        thread::scope(|scope| {
            for offset in 0..4_u32 {
                let control = control.clone();
                scope.spawn(move || {
                    for round in 0..200 {
                        match (round + offset) % 4 {
                            0 => control.pause().unwrap(),
                            1 => drop(control.interrupt().unwrap()),
                            _ => control.resume().unwrap(),
                        }
                        thread::sleep(Duration::from_micros(100));
                    }
                    control.resume().unwrap();
                });
            }
            for _ in 0..50 {
                match guest.call_typed::<(i64,), i64>("sum", (20_000,)) {
                    Ok(sum) => assert_eq!(sum, 200_010_000),
                    Err(error) => drop(refused::<()>(Err(error), ErrorKind::Interrupted)),
                }
                guest.recover();
            }
        });
        control.resume().unwrap();
        answers(guest.as_mut());
    });
}
