//! Time and fuel together: the first limit that is exceeded ends the guest, and the fuel count is unknown after a
//! timeout.

use std::time::Duration;

use wrun::{ErrorKind, InstanceState, LimitKind, Limits, Value, WasmInstanceExt};

use crate::stopping::{
    BRIEF, Call, Gate, LONG, becomes, guest_within, on_each_metered, on_each_stoppable, time, timed_out,
};
use crate::vocabulary::refused;

/// More fuel than a short call uses.
const PLENTY: u64 = 1 << 50;

#[test]
fn fuel_that_is_exhausted_first_ends_the_guest() {
    on_each_metered(|engine| {
        let mut guest = guest_within(engine, time(LONG).with_fuel(10_000));
        let error = refused(guest.call("spin", &[]), ErrorKind::OutOfFuel);
        let exceeded = error.limit_exceeded().unwrap();
        assert_eq!((exceeded.kind, exceeded.limit), (LimitKind::Fuel, 10_000));
        assert_eq!(guest.state(), InstanceState::Crashed);
        assert_eq!((guest.fuel_used(), guest.fuel_remaining()), (Some(10_000), Some(0)));
        assert_eq!((engine.runtime.metrics().stopped, engine.runtime.metrics().fuel_used), (0, 10_000));
    });
}

#[test]
fn time_that_is_exhausted_first_ends_the_guest() {
    on_each_metered(|engine| {
        for limits in [time(BRIEF), time(BRIEF).with_fuel(PLENTY)] {
            for name in ["spin", "knock"] {
                let mut guest = guest_within(engine, limits);
                timed_out(guest.call(name, &[]), BRIEF);
            }
        }
        assert_eq!((engine.runtime.metrics().stopped, engine.runtime.metrics().traps), (4, 0));
    });
}

#[test]
fn fuel_is_unknown_after_a_stop() {
    on_each_metered(|engine| {
        for limits in [time(BRIEF), time(BRIEF).with_fuel(PLENTY)] {
            for name in ["spin", "knock"] {
                let mut guest = guest_within(engine, limits);
                timed_out(guest.call(name, &[]), BRIEF);
                assert_eq!((guest.fuel_used(), guest.fuel_remaining()), (None, None), "{name} within {limits:?}");
                guest.recover();
                assert_eq!((guest.fuel_used(), guest.fuel_remaining()), (None, None), "{name} within {limits:?}");
            }
        }
        assert_eq!(engine.runtime.metrics().fuel_used, 0);
    });
}

#[test]
fn fuel_is_unknown_after_a_stop_at_the_return_of_a_call() {
    on_each_metered(|engine| {
        for limits in [Limits::none(), Limits::none().with_fuel(PLENTY)] {
            let gate = Gate::default();
            let guest = gate.guest(engine, limits);
            let control = guest.control();
            let call = Call::of(guest, "pass", &[]);
            gate.wait_for_guest();
            assert!(control.interrupt().unwrap());
            gate.open();
            let (mut guest, result) = call.end();
            refused(result, ErrorKind::Interrupted);
            assert_eq!((guest.fuel_used(), guest.fuel_remaining()), (None, None));
        }
        assert_eq!(engine.runtime.metrics().fuel_used, 0);
    });
}

#[test]
fn fuel_used_before_a_stop_stays_counted() {
    on_each_metered(|engine| {
        let mut guest = guest_within(engine, time(LONG).with_fuel(PLENTY));
        guest.call("seven", &[]).unwrap();
        assert_eq!((guest.fuel_used(), guest.fuel_remaining()), (Some(2), Some(PLENTY - 2)));
        guest.reset_time(BRIEF).unwrap();
        timed_out(guest.call("spin", &[]), BRIEF);
        assert_eq!(engine.runtime.metrics().fuel_used, 2);
        drop(guest);
        assert_eq!(engine.runtime.metrics().fuel_used, 2);
    });
}

#[test]
fn after_a_stop_calls_need_new_fuel() {
    on_each_metered(|engine| {
        let mut guest = guest_within(engine, time(BRIEF).with_fuel(PLENTY));
        timed_out(guest.call("spin", &[]), BRIEF);
        guest.recover();
        guest.reset_time(LONG).unwrap();
        refused(guest.call("seven", &[]), ErrorKind::OutOfFuel);
        guest.recover();
        guest.add_fuel(2).unwrap();
        assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
        refused(guest.call("seven", &[]), ErrorKind::OutOfFuel);
        guest.recover();
        guest.reset_fuel(100).unwrap();
        assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
        assert_eq!((guest.fuel_used(), guest.fuel_remaining()), (Some(2), Some(98)));
    });
}

#[test]
fn a_guest_without_a_fuel_limit_can_continue_after_a_stop() {
    on_each_stoppable(|engine| {
        let mut guest = guest_within(engine, time(BRIEF));
        for name in ["spin", "knock", "spin"] {
            timed_out(guest.call(name, &[]), BRIEF);
            guest.recover();
            guest.reset_time(LONG).unwrap();
            assert_eq!(guest.call_typed::<(i64,), i64>("sum", (100_000,)).unwrap(), 5_000_050_000);
            assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
            assert_eq!(guest.fuel_remaining(), None);
            guest.reset_time(BRIEF).unwrap();
        }
    });
}

#[test]
fn a_time_limit_that_is_not_reached_does_not_change_fuel() {
    let mut used = Vec::new();
    for engine in crate::stopping::stoppable_engines().filter(|engine| engine.runtime.config().metering) {
        let mut guest = guest_within(&engine, time(LONG).with_fuel(1_000_000));
        guest.call("sum", &[Value::I64(1000)]).unwrap();
        used.push((guest.fuel_used().unwrap(), guest.fuel_remaining().unwrap()));
    }
    assert!(used.windows(2).all(|pair| pair[0] == pair[1]), "{used:?}");
    assert_eq!(used[0].0 + used[0].1, 1_000_000);
}

#[test]
fn a_pause_takes_no_fuel() {
    on_each_metered(|engine| {
        let used = |held: bool| {
            let gate = Gate::default();
            let guest = gate.guest(engine, Limits::none().with_fuel(1_000_000));
            let control = guest.control();
            let call = Call::of(guest, "pass_and_knock", &[]);
            gate.wait_for_guest();
            if held {
                control.pause().unwrap();
            }
            gate.open();
            if held {
                becomes(&control, InstanceState::Paused);
                std::thread::sleep(Duration::from_millis(20));
                control.resume().unwrap();
            }
            let (mut guest, result) = call.end();
            assert_eq!(result.unwrap(), [Value::I32(7)]);
            guest.fuel_used().unwrap()
        };
        assert_eq!(used(true), used(false));
    });
}
