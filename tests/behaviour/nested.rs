//! Nested guests: a host function of one instance calls another instance, on any engine; each is stopped separately.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use wrun::{Control, Error, ErrorKind, FuncType, HostImports, InstanceState, Limits, Trap, Value, WasmInstance};

use crate::stopping::{BRIEF, Call, GUEST, Gate, LONG, becomes, eventually, guest_within, stoppable_engines, time};
use crate::vocabulary::{Engine, panic_message, refused, trapped};

const OUTER: &str = r#"
(module
  (import "host" "inner" (func $inner))
  (func (export "seven") (result i32) (i32.const 7))
  (func (export "inner") (result i32) (call $inner) (i32.const 7))
  (func (export "inner_and_spin") (call $inner) (loop $again (br $again))))"#;

/// Starts an instance whose host function calls `function` of an inner instance. `hands_on` says whether the host
/// function returns the inner error.
fn around(engine: &Engine, inner: Box<dyn WasmInstance>, function: &'static str, hands_on: bool) -> Nested {
    let control = inner.control();
    let inner = Arc::new(Mutex::new(inner));
    let its = Arc::clone(&inner);
    let imports = HostImports::none().with_function("host", "inner", FuncType::default(), move |_, _| {
        match its.lock().unwrap().call(function, &[]) {
            Err(error) if hands_on => Err(error.into()),
            _ => Ok(Vec::new()),
        }
    });
    let outer = engine.start_importing(&imports, OUTER).unwrap();
    Nested { outer, inner, control }
}

struct Nested {
    outer: Box<dyn WasmInstance>,
    inner: Arc<Mutex<Box<dyn WasmInstance>>>,
    /// The inner one's.
    control: Control,
}

/// Runs a case on pairs of engines, the inner one first, and reports where it fails. Covers every pair of engines, and
/// a selection with and without fuel.
#[track_caller]
fn pairs(case: impl Fn(&Engine, &Engine)) {
    let engines: Vec<Engine> = stoppable_engines().collect();
    let mut failures = Vec::new();
    for (number, inner) in engines.iter().enumerate() {
        for outer in engines.iter().skip(number % 2).step_by(2) {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| case(inner, outer))) {
                failures.push(format!("on {inner} within {outer}: {}", panic_message(panic.as_ref())));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn an_interruption_of_the_outer_guest_waits_for_the_inner_one() {
    pairs(|inner, outer| {
        let Nested { outer, inner, control } = around(outer, guest_within(inner, Limits::none()), "spin", false);
        let outer_control = outer.control();
        let call = Call::of(outer, "inner_and_spin", &[]);
        becomes(&control, InstanceState::Running);
        assert!(outer_control.interrupt().unwrap());
        assert_eq!((outer_control.state(), control.state()), (InstanceState::Running, InstanceState::Running));
        assert!(control.interrupt().unwrap());
        let (mut outer, result) = call.end();
        refused(result, ErrorKind::Interrupted);
        assert_eq!((outer.state(), control.state()), (InstanceState::Crashed, InstanceState::Crashed));
        outer.recover();
        assert_eq!(outer.call_simple_function("seven", &[]).unwrap(), 7);
        let mut inner = inner.lock().unwrap();
        inner.recover();
        assert_eq!(inner.call_simple_function("seven", &[]).unwrap(), 7);
    });
}

#[test]
fn the_host_function_decides_the_result_of_a_stopped_inner_call() {
    pairs(|inner, outer| {
        let within = |hands_on| around(outer, guest_within(inner, time(BRIEF)), "spin", hands_on);
        let mut nested = within(false);
        assert_eq!(nested.outer.call_simple_function("inner", &[]).unwrap(), 7);
        assert_eq!((nested.outer.state(), nested.control.state()), (InstanceState::Ready, InstanceState::Crashed));

        let mut nested = within(true);
        let error = trapped(nested.outer.call("inner", &[]), Trap::Host);
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<Error>());
        assert_eq!(source.map(Error::kind), Some(ErrorKind::Timeout), "{error:?}");
        assert_eq!(nested.outer.state(), InstanceState::Crashed);
    });
}

#[test]
fn a_time_limit_of_the_outer_counts_the_inner() {
    pairs(|inner, outer| {
        let mut nested = around(outer, guest_within(inner, time(3 * BRIEF)), "spin", false);
        nested.outer.reset_time(BRIEF).unwrap();
        refused(nested.outer.call("inner", &[]), ErrorKind::Timeout);
        assert_eq!((nested.outer.state(), nested.control.state()), (InstanceState::Crashed, InstanceState::Crashed));
    });
}

#[test]
fn a_pause_of_the_inner_guest_pauses_both_and_of_the_outer_only_itself() {
    pairs(|inner, outer| {
        let gate = Gate::default();
        let inner = inner.start_importing(&gate.imports(), GUEST).unwrap();
        let Nested { outer, control, .. } = around(outer, inner, "pass_and_knock", true);
        let outer_control = outer.control();
        let call = Call::of(outer, "inner", &[]);
        gate.wait_for_guest();
        control.pause().unwrap();
        outer_control.pause().unwrap();
        gate.open();
        becomes(&control, InstanceState::Paused);
        assert_eq!(outer_control.state(), InstanceState::Running, "it is in a host function");
        control.resume().unwrap();
        eventually("the inner call", || control.state() == InstanceState::Ready);
        outer_control.resume().unwrap();
        assert_eq!(call.end().1.unwrap(), [Value::I32(7)]);
    });
}

#[test]
fn a_guest_can_be_called_again_by_a_host_function_of_another_of_its_engine() {
    pairs(|inner, outer| {
        let mut nested = around(outer, guest_within(inner, time(LONG)), "seven", true);
        for _ in 0..20 {
            assert_eq!(nested.outer.call_simple_function("inner", &[]).unwrap(), 7);
        }
        let calls = nested.inner.lock().unwrap();
        assert_eq!(calls.state(), InstanceState::Ready);
    });
}

#[test]
fn a_guest_stopped_by_another_guest_has_crashed() {
    let lends = r#"(module (import "host" "lend" (func $lend)) (func (export "lend") (call $lend)))"#;
    pairs(|inner, outer| {
        let (send, interrupt_token) = std::sync::mpsc::channel();
        let lend = HostImports::none().with_function("host", "lend", FuncType::default(), move |context, _| {
            send.send(context.interrupt_token())?;
            // Runs until it is interrupted.
            loop {
                context.interrupt_token().check_interrupt()?;
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        });
        let lender = inner.start_importing(&lend, lends).unwrap();
        let control = lender.control();
        let call = Call::of(lender, "lend", &[]);
        let theirs = Mutex::new(interrupt_token.recv().unwrap());
        assert!(control.interrupt().unwrap());
        let hands_on = HostImports::none().with_function("host", "lend", FuncType::default(), move |_, _| {
            theirs.lock().unwrap().check_interrupt()?;
            Ok(Vec::new())
        });
        let mut guest = outer.start_importing(&hands_on, lends).unwrap();
        match guest.call("lend", &[]) {
            // The other call had ended already and got no request.
            Ok(_) => assert_eq!(guest.state(), InstanceState::Ready),
            Err(error) => assert_eq!((error.kind(), guest.state()), (ErrorKind::Interrupted, InstanceState::Crashed)),
        }
        refused(call.end().1, ErrorKind::Interrupted);
    });
}
