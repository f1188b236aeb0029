//! Shutdown of a runtime: it refuses new work, stops running calls, waits for them, and reports the result.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use wrun::{
    AsyncCall, Capabilities, ErrorKind, InstanceState, Limits, Shutdown, Trap, Value, WasmInstance, WasmInstanceExt,
};

use crate::stopping::{
    Call, Gate, Going, MAX_WAIT, becomes, eventually, guest, on_each_stoppable, on_each_unmetered,
    pauses_at_host_calls_only,
};
use crate::vocabulary::{Engine, assert_contains, on_each, refused, trapped};

/// Returns the report of a shutdown as numbers: stopped, running, alive.
fn counts(shutdown: Shutdown) -> (u64, u64, u64) {
    (shutdown.stopped, shutdown.running, shutdown.instances_alive)
}

#[track_caller]
fn takes_no_calls(guest: &mut dyn WasmInstance) {
    for _ in 0..2 {
        let error = refused(guest.call("seven", &[]), ErrorKind::ShutDown);
        assert_contains(error.message(), &["shut down"]);
    }
}

#[test]
fn a_runtime_that_was_shut_down_refuses_new_work() {
    on_each(|engine| {
        let module = engine.load(r#"(module (func (export "seven") (result i32) (i32.const 7)))"#);
        let mut guest = engine.instance_of(module.as_ref()).unwrap();
        let mut seven = guest.function("seven").unwrap();
        assert_eq!(counts(engine.runtime.shutdown(MAX_WAIT)), (0, 0, 1));
        refused(engine.runtime.load_module(b"(module)"), ErrorKind::ShutDown);
        refused(engine.instance_of(module.as_ref()), ErrorKind::ShutDown);
        takes_no_calls(guest.as_mut());
        refused(seven.call(guest.as_mut(), &[], &mut [Value::I32(0)]), ErrorKind::ShutDown);
        refused(guest.call_typed::<(), i32>("seven", ()), ErrorKind::ShutDown);
        guest.recover();
        takes_no_calls(guest.as_mut());
        assert_eq!(engine.runtime.metrics().calls, 0);
        assert_eq!(guest.state(), InstanceState::Ready);
        drop(guest);
        assert_eq!(engine.runtime.metrics().instances_alive, 0);
    });
}

#[test]
fn an_instance_can_be_inspected_after_a_shutdown() {
    on_each_stoppable(|engine| {
        let mut guest = guest(engine);
        guest.write_memory("memory", 0, b"kept").unwrap();
        engine.runtime.shutdown(MAX_WAIT);
        let mut kept = [0; 4];
        guest.read_memory("memory", 0, &mut kept).unwrap();
        assert_eq!(&kept, b"kept");
        assert_eq!(guest.global("rounds").unwrap(), Value::I32(0));
    });
}

#[test]
fn running_calls_are_stopped_and_waited_for() {
    on_each_stoppable(|engine| {
        let guests: Vec<_> = (0..4).map(|_| guest(engine)).collect();
        let controls: Vec<_> = guests.iter().map(|guest| guest.control()).collect();
        let names = ["spin", "knock", "spin", "knock"];
        let calls: Vec<_> = guests.into_iter().zip(names).map(|(guest, name)| Call::of(guest, name, &[])).collect();
        for control in &controls {
            becomes(control, InstanceState::Running);
        }
        let ended = engine.runtime.shutdown(MAX_WAIT);
        assert_eq!((ended.stopped, ended.running), (4, 0));
        assert!(controls.iter().all(|control| control.state() == InstanceState::Crashed), "they have ended");
        for call in calls {
            let (mut guest, result) = call.end();
            assert_contains(refused(result, ErrorKind::ShutDown).message(), &["shuts down"]);
            takes_no_calls(guest.as_mut());
            guest.recover();
            takes_no_calls(guest.as_mut());
        }
        let metrics = engine.runtime.metrics();
        assert_eq!((metrics.instances_alive, metrics.stopped, metrics.traps), (0, 4, 0));
    });
}

#[test]
fn shutdown_stops_a_paused_guest() {
    on_each_stoppable(|engine| {
        let guest = guest(engine);
        let control = guest.control();
        control.pause().unwrap();
        let call = Call::of(guest, "knock", &[]);
        becomes(&control, InstanceState::Paused);
        let ended = engine.runtime.shutdown(MAX_WAIT);
        assert_eq!((ended.stopped, ended.running), (1, 0));
        refused(call.end().1, ErrorKind::ShutDown);
    });
}

#[test]
fn a_pause_that_has_not_taken_effect_delays_nothing() {
    on_each_stoppable(|engine| {
        let guest = guest(engine);
        let control = guest.control();
        let call = Call::of(guest, "spin", &[]);
        becomes(&control, InstanceState::Running);
        control.pause().unwrap();
        if !pauses_at_host_calls_only(engine) {
            becomes(&control, InstanceState::Paused);
        }
        assert_eq!(engine.runtime.shutdown(MAX_WAIT).running, 0);
        refused(call.end().1, ErrorKind::ShutDown);
    });
}

#[test]
fn a_host_function_that_takes_longer_counts_as_running() {
    on_each_stoppable(|engine| {
        let gate = Gate::default();
        let guest = gate.guest(engine, Limits::none());
        let control = guest.control();
        let call = Call::of(guest, "pass_and_spin", &[]);
        gate.wait_for_guest();
        let since = Instant::now();
        assert_eq!(counts(engine.runtime.shutdown(Duration::from_millis(30))), (0, 1, 1));
        assert!(since.elapsed() >= Duration::from_millis(30));
        assert_eq!(control.state(), InstanceState::Running);
        assert_eq!(counts(engine.runtime.shutdown(Duration::ZERO)), (0, 1, 1));
        gate.open();
        let (guest, result) = call.end();
        refused(result, ErrorKind::ShutDown);
        assert_eq!(counts(engine.runtime.shutdown(Duration::ZERO)), (0, 0, 1));
        drop(guest);
        assert_eq!(counts(engine.runtime.shutdown(Duration::MAX)), (0, 0, 0));
        assert_eq!(engine.runtime.metrics().stopped, 1);
    });
}

#[test]
fn shutdown_waits_for_a_call_that_ends_in_time() {
    on_each(|engine| {
        let gate = Gate::default();
        let guest = gate.guest(engine, Limits::none());
        let call = Call::of(guest, "pass", &[]);
        gate.wait_for_guest();
        assert_eq!(counts(engine.runtime.shutdown(Duration::from_millis(10))), (0, 1, 1));
        let opener = thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            gate.open();
        });
        let ended = engine.runtime.shutdown(MAX_WAIT);
        assert_eq!((ended.stopped, ended.running), (0, 0));
        opener.join().unwrap();
        let (mut guest, result) = call.end();
        assert_eq!(result.unwrap(), [Value::I32(7)], "nothing could stop it");
        takes_no_calls(guest.as_mut());
    });
}

#[test]
fn a_start_function_is_stopped_too_and_its_instance_never_made() {
    const ENDLESS: &str = r#"
        (module
          (import "host" "gate" (func $gate))
          (func $f (call $gate) (loop $again (br $again)))
          (start $f))"#;
    for engine in crate::stopping::stoppable_engines() {
        let engine = Arc::new(engine);
        let gate = Gate::default();
        let (theirs, imports) = (Arc::clone(&engine), gate.imports());
        let starting = Going::on(move || theirs.start_importing(&imports, ENDLESS).map(drop));
        gate.wait_for_guest();
        gate.open();
        let ended = engine.runtime.shutdown(MAX_WAIT);
        assert_eq!((ended.stopped, ended.running), (1, 0), "{engine}");
        refused(starting.end(), ErrorKind::ShutDown);
        let metrics = engine.runtime.metrics();
        assert_eq!((metrics.instances_alive, metrics.instances_created, metrics.stopped), (0, 0, 1), "{engine}");
    }
}

#[test]
fn a_start_function_that_cannot_be_stopped_counts_as_running() {
    const WAITING: &str = r#"
        (module
          (import "host" "gate" (func $gate))
          (func $f (call $gate))
          (func (export "seven") (result i32) (i32.const 7))
          (start $f))"#;
    for engine in crate::vocabulary::engines() {
        let engine = Arc::new(engine);
        let gate = Gate::default();
        let (theirs, imports) = (Arc::clone(&engine), gate.imports());
        let starting = Going::on(move || theirs.start_importing(&imports, WAITING));
        gate.wait_for_guest();
        let ended = engine.runtime.shutdown(Duration::from_millis(5));
        gate.open();
        assert_eq!(counts(ended), (0, 1, 1), "{engine}");
        if let Ok(mut guest) = starting.end() {
            takes_no_calls(guest.as_mut());
        }
    }
}

#[test]
fn a_second_shutdown_has_nothing_left_to_do() {
    on_each_stoppable(|engine| {
        let guest = guest(engine);
        let control = guest.control();
        let call = Call::of(guest, "spin", &[]);
        becomes(&control, InstanceState::Running);
        assert_eq!(engine.runtime.shutdown(MAX_WAIT).stopped, 1);
        drop(call.end());
        assert_eq!(counts(engine.runtime.shutdown(MAX_WAIT)), (0, 0, 0));
        assert_eq!(counts(engine.runtime.shutdown(Duration::ZERO)), (0, 0, 0));
    });
}

#[test]
fn concurrent_shutdowns_wait_for_the_same_calls() {
    on_each_unmetered(|engine| {
        let guest = guest(engine);
        let control = guest.control();
        let call = Call::of(guest, "knock", &[]);
        becomes(&control, InstanceState::Running);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    assert_eq!(engine.runtime.shutdown(MAX_WAIT).running, 0);
                    assert_eq!(control.state(), InstanceState::Crashed);
                });
            }
        });
        refused(call.end().1, ErrorKind::ShutDown);
        assert_eq!(engine.runtime.metrics().stopped, 1);
    });
}

#[test]
fn every_stop_is_counted_by_the_shutdown_that_made_it() {
    on_each_unmetered(|engine| {
        for _ in 0..30 {
            let runtime = Engine::configured(engine.runtime.config()).runtime;
            let module = runtime.load_module(b"(module (func (export \"spin\") (loop $again (br $again))))").unwrap();
            let mut guest = runtime.create_instance(module.as_ref(), Limits::none(), Capabilities::none()).unwrap();
            let control = guest.control();
            let (said, hears) = mpsc::channel();
            let call = thread::spawn(move || said.send(guest.call("spin", &[]).map_err(|error| error.kind())));
            becomes(&control, InstanceState::Running);
            let ended = runtime.shutdown(MAX_WAIT);
            assert_eq!((ended.stopped, ended.running), (1, 0));
            assert_eq!(hears.recv().unwrap(), Err(ErrorKind::ShutDown));
            call.join().unwrap().unwrap();
        }
    });
}

#[test]
fn awaited_calls_end_with_their_runtime() {
    on_each_stoppable(|engine| {
        let call = AsyncCall::start(guest(engine), "spin", Vec::new()).unwrap();
        becomes(call.control(), InstanceState::Running);
        assert_eq!(engine.runtime.shutdown(MAX_WAIT).stopped, 1);
        let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (guest, result) = executor.block_on(call);
        refused(result, ErrorKind::ShutDown);
        let late = AsyncCall::start(guest, "seven", Vec::new()).unwrap();
        let (guest, result) = executor.block_on(late);
        refused(result, ErrorKind::ShutDown);
        drop(guest);
        assert_eq!(engine.runtime.metrics().instances_alive, 0);
    });
}

#[test]
fn a_crashed_instance_is_not_running() {
    on_each_stoppable(|engine| {
        let mut guest = guest(engine);
        trapped(guest.call("trap", &[]), Trap::Unreachable);
        assert_eq!(counts(engine.runtime.shutdown(MAX_WAIT)), (0, 0, 1));
        let error = refused(guest.call("seven", &[]), ErrorKind::ShutDown);
        assert!(error.limit_exceeded().is_none());
    });
}

#[test]
fn other_runtimes_go_on() {
    on_each_stoppable(|engine| {
        let other = Engine::configured(engine.runtime.config());
        let guest = guest(&other);
        let control = guest.control();
        let call = Call::of(guest, "knock", &[]);
        becomes(&control, InstanceState::Running);
        assert_eq!(counts(engine.runtime.shutdown(MAX_WAIT)), (0, 0, 0));
        thread::sleep(Duration::from_millis(5));
        assert_eq!(control.state(), InstanceState::Running);
        eventually("a call", || control.interrupt().unwrap());
        refused(call.end().1, ErrorKind::Interrupted);
    });
}
