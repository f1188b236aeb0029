//! Time limits: any guest ends soon after its deadline; calls that end earlier are not affected.

use std::thread;
use std::time::{Duration, Instant};

use wrun::{
    AsyncCall, Capabilities, ErrorKind, Feature, InstanceState, Limits, RuntimeMetrics, Trap, Value, WasmInstance,
    WasmInstanceExt,
};

use crate::stopping::{
    BRIEF, Call, Gate, LONG, becomes, eventually, guest, guest_within, on_each_stoppable, on_each_unmetered, time,
    timed_out,
};
use crate::vocabulary::{Engine, PAGE, assert_contains, hints, on_each, refused, trapped};

/// Guests that never end, or practically never.
const ENDLESS: &str = r#"
(module
  (import "host" "nothing" (func $nothing))
  (memory (export "memory") 16 64)
  (type $nullary (func))
  (table funcref (elem $leaf $indirect_tree))
  (global $n (mut i64) (i64.const 0))
  (func $leaf)
  (func (export "loop") (loop $again (br $again)))
  (func (export "conditional") (loop $again (br_if $again (i32.const 1))))
  (func (export "counting")
    (loop $again (global.set $n (i64.add (global.get $n) (i64.const 1))) (br $again)))
  (func (export "nested")
    (loop $outer (loop $inner (br_if $inner (i64.eqz (global.get $n)))) (br $outer)))
  (func (export "branches")
    (loop $again (if (i64.eqz (global.get $n)) (then (br $again)) (else (nop))) (br $again)))
  (func (export "br_table") (param i32)
    (loop $again (block $out (br_table $again $again $out (local.get 0))) (br $again)))
  (func $tree (export "tree") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 1))
      (else
        (i32.add
          (call $tree (i32.sub (local.get 0) (i32.const 1)))
          (call $tree (i32.sub (local.get 0) (i32.const 1)))))))
  (func $indirect_tree (export "indirect_tree")
    (if (i64.lt_u (global.get $n) (i64.const 60))
      (then
        (global.set $n (i64.add (global.get $n) (i64.const 1)))
        (call_indirect (type $nullary) (i32.const 1))
        (call_indirect (type $nullary) (i32.const 1))
        (global.set $n (i64.sub (global.get $n) (i64.const 1))))))
  (func (export "call") (loop $again (call $leaf) (br $again)))
  (func (export "call_indirect") (loop $again (call_indirect (type $nullary) (i32.const 0)) (br $again)))
  (func (export "host") (loop $again (call $nothing) (br $again)))
  (func (export "fill")
    (loop $again (memory.fill (i32.const 0) (i32.const 7) (i32.const 1048576)) (br $again)))
  (func (export "copy")
    (loop $again (memory.copy (i32.const 0) (i32.const 65536) (i32.const 983040)) (br $again)))
  (func (export "grow") (loop $again (drop (memory.grow (i32.const 1))) (br $again)))
  (func (export "results") (param i64 f64) (result f64 i64)
    (loop $again (br $again)) (local.get 1) (local.get 0)))"#;

const NAMES: [(&str, &[Value]); 16] = [
    ("loop", &[]),
    ("conditional", &[]),
    ("counting", &[]),
    ("nested", &[]),
    ("branches", &[]),
    ("br_table", &[Value::I32(0)]),
    ("br_table", &[Value::I32(9)]),
    ("tree", &[Value::I32(60)]),
    ("indirect_tree", &[]),
    ("call", &[]),
    ("call_indirect", &[]),
    ("host", &[]),
    ("fill", &[]),
    ("copy", &[]),
    ("grow", &[]),
    ("results", &[Value::I64(1), Value::F64(1.0)]),
];

fn metrics(engine: &Engine) -> RuntimeMetrics {
    engine.runtime.metrics()
}

#[test]
fn a_timeout_ends_every_endless_guest() {
    on_each_stoppable(|engine| {
        let (module, imports) = (engine.load(ENDLESS), Gate::default().imports());
        let start = || {
            let module = module.as_ref();
            engine.runtime.create_instance_with(module, time(BRIEF), Capabilities::none(), &imports)
        };
        for (name, args) in NAMES {
            let mut guest = start().unwrap();
            let error = timed_out(guest.call(name, args), BRIEF);
            assert_eq!((error.function(), guest.state()), (Some(name), InstanceState::Crashed), "{name}");
            assert_contains(error.message(), &["exceeded its time limit of 20ms"]);
            refused(guest.call(name, args), ErrorKind::Crashed);
        }
        let metrics = metrics(engine);
        assert_eq!((metrics.stopped, metrics.traps, metrics.calls), (16, 0, 16));
    });
}

#[test]
fn a_stopped_guest_has_a_backtrace() {
    on_each_stoppable(|engine| {
        let mut guest = guest_within(engine, time(BRIEF));
        // On a busy machine the deadline may pass before the call starts.
        eventually("a backtrace", || {
            let error = timed_out(guest.call("spin", &[]), BRIEF);
            guest.recover();
            guest.reset_time(BRIEF).unwrap();
            error.backtrace().first().is_some_and(|frame| frame.function_index == 4)
        });
    });
}

#[test]
fn a_timeout_ends_endless_tail_calls() {
    on_each_stoppable(|engine| {
        let wat = r#"(module (func $again (export "again") (return_call $again)))"#;
        if engine.has(Feature::TailCall) {
            let mut guest = engine.start_within(time(BRIEF), wat).unwrap();
            timed_out(guest.call("again", &[]), BRIEF);
        } else {
            refused(engine.runtime.load_module(wat.as_bytes()), ErrorKind::UnsupportedFeature);
        }
    });
}

#[test]
fn a_timeout_ends_an_endless_start_function() {
    const STARTS: [&str; 3] = [
        "(module (func $f (loop $again (br $again))) (start $f))",
        r#"(module
            (import "host" "nothing" (func $nothing))
            (memory (export "memory") 1)
            (data (i32.const 0) "abc")
            (func $f (loop $again (call $nothing) (br $again)))
            (func (export "g"))
            (start $f))"#,
        r"(module
            (func $tree (param i32)
              (if (local.get 0)
                (then (call $tree (i32.sub (local.get 0) (i32.const 1)))
                      (call $tree (i32.sub (local.get 0) (i32.const 1))))))
            (func $f (call $tree (i32.const 60)))
            (start $f))",
    ];
    on_each_stoppable(|engine| {
        let imports = Gate::default().imports();
        for wat in STARTS {
            timed_out(engine.start_importing_within(time(BRIEF), &imports, wat), BRIEF);
        }
        let metrics = metrics(engine);
        assert_eq!((metrics.stopped, metrics.traps, metrics.calls), (3, 0, 0));
        assert_eq!((metrics.instances_created, metrics.instances_alive, metrics.memory_bytes), (0, 0, 0));
    });
}

#[test]
fn the_time_limit_applies_to_every_kind_of_call() {
    on_each_stoppable(|engine| {
        let mut guest = guest_within(engine, time(BRIEF));
        let mut spin = guest.function("spin").unwrap();
        timed_out(spin.call(guest.as_mut(), &[], &mut []), BRIEF);
        let again = |guest: &mut dyn WasmInstance| {
            guest.recover();
            guest.reset_time(BRIEF).unwrap();
        };
        again(guest.as_mut());
        timed_out(guest.call_typed::<(), ()>("spin", ()), BRIEF);
        again(guest.as_mut());
        timed_out(guest.call_json("spin", "[]"), BRIEF);
        again(guest.as_mut());
        timed_out(spin.call(guest.as_mut(), &[], &mut []), BRIEF);
    });
}

#[test]
fn remaining_time_carries_over_between_calls() {
    on_each_unmetered(|engine| {
        let limit = Duration::from_millis(150);
        let mut guest = guest_within(engine, time(limit));
        let results: Vec<_> = (0..5).map(|_| guest.call("sleep", &[Value::I32(40)])).collect();
        let ended_well = results.iter().take_while(|result| result.is_ok()).count();
        assert!(ended_well <= 3, "{ended_well} calls of 40 ms ended within 150 ms");
        timed_out(results.into_iter().nth(ended_well).unwrap(), limit);
        for _ in 0..2 {
            guest.recover();
            timed_out(guest.call("seven", &[]), limit);
        }
        guest.reset_time(LONG).unwrap();
        assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
    });
}

#[test]
fn the_start_function_uses_the_same_time_limit() {
    let wat = r#"
        (module
          (import "host" "sleep" (func $sleep (param i32)))
          (func $nap (export "nap") (call $sleep (i32.const 80)))
          (start $nap))"#;
    let imports = Gate::default().imports();
    on_each(|engine| {
        let config = engine.runtime.config().clone().with_interruption();
        let engine = Engine::configured(&config);
        let limit = Duration::from_millis(200);
        let mut guest = engine.start_importing_within(time(limit), &imports, wat).unwrap();
        let ended_well = (0..2).take_while(|_| guest.call("nap", &[]).is_ok()).count();
        assert!(ended_well < 2, "three naps of 80 ms ended within 200 ms");
    });
}

#[test]
fn no_time_passes_between_calls() {
    on_each_unmetered(|engine| {
        let mut guest = guest_within(engine, time(Duration::from_millis(200)));
        for _ in 0..2 {
            thread::sleep(Duration::from_millis(210));
            assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
        }
        assert_eq!(guest.state(), InstanceState::Ready);
    });
}

#[test]
fn a_time_limit_of_zero_allows_only_instantiation() {
    on_each_stoppable(|engine| {
        let mut guest = guest_within(engine, time(Duration::ZERO));
        for _ in 0..2 {
            timed_out(guest.call("seven", &[]), Duration::ZERO);
            assert_eq!(guest.state(), InstanceState::Ready, "nothing ran");
        }
        let started = engine.start_within(time(Duration::ZERO), "(module (func $f) (start $f))");
        timed_out(started, Duration::ZERO);
        guest.reset_time(LONG).unwrap();
        assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
        assert_eq!(metrics(engine).calls, 1);
    });
}

#[test]
fn a_time_beyond_the_range_of_the_clock_is_no_limit() {
    on_each_stoppable(|engine| {
        for seconds in [u64::MAX, i64::MAX.unsigned_abs(), i64::MAX.unsigned_abs() - 10_000_000_000, 1 << 40] {
            for limit in [Duration::from_secs(seconds), Duration::new(seconds, 999_999_999)] {
                let mut guest = guest_within(engine, time(limit));
                for _ in 0..3 {
                    assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7, "{limit:?}");
                }
                guest.reset_time(limit).unwrap();
            }
        }
    });
}

#[test]
fn a_pause_can_move_the_deadline_beyond_the_range_of_the_clock() {
    on_each_stoppable(|engine| {
        let (mut least, mut most) = (Duration::ZERO, Duration::MAX);
        while most.abs_diff(least) > Duration::from_nanos(1) {
            let middle = least + most.abs_diff(least) / 2;
            let reachable = Instant::now().checked_add(middle).is_some();
            *(if reachable { &mut least } else { &mut most }) = middle;
        }
        let limit = least.saturating_sub(Duration::from_millis(50));
        let mut guest = guest_within(engine, time(limit));
        let control = guest.control();
        control.pause().unwrap();
        let call = Call::of(guest, "seven", &[]);
        becomes(&control, InstanceState::Paused);
        thread::sleep(Duration::from_millis(60));
        control.resume().unwrap();
        (guest, _) = call.end();
        assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
    });
}

#[test]
fn a_time_limit_needs_interruption() {
    on_each(|engine| {
        let module = engine.load("(module)");
        let create = |limits| engine.runtime.create_instance(module.as_ref(), limits, Capabilities::none());
        for limit in [Duration::ZERO, LONG, Duration::MAX] {
            let error = refused(create(time(limit)), ErrorKind::UnsupportedConfig);
            assert_contains(&hints(&error), &["RuntimeConfig::with_interruption"]);
        }
        let mut guest = create(Limits::none()).unwrap();
        refused(guest.reset_time(LONG), ErrorKind::UnsupportedConfig);
        assert_eq!(metrics(engine).instances_created, 1);
    });
}

#[test]
fn a_call_within_its_time_is_not_affected() {
    on_each_stoppable(|engine| {
        let mut guest = guest_within(engine, time(Duration::from_secs(10)));
        for n in 1..200_i64 {
            let sum = guest.call_typed::<(i64,), i64>("sum", (n,)).unwrap();
            assert_eq!(sum, n * (n + 1) / 2);
            assert_eq!(guest.state(), InstanceState::Ready);
        }
        refused(guest.call("sum", &[]), ErrorKind::InvalidArgument);
        assert_eq!(guest.state(), InstanceState::Ready);
        trapped(guest.call("trap", &[]), Trap::Unreachable);
        assert_eq!((metrics(engine).calls, metrics(engine).traps, metrics(engine).stopped), (200, 1, 0));
    });
}

#[test]
fn a_timeout_in_a_host_function_takes_effect_when_it_returns() {
    on_each_unmetered(|engine| {
        for name in ["pass_and_spin", "pass", "pass_and_knock"] {
            let gate = Gate::default();
            let call = Call::of(gate.guest(engine, time(BRIEF)), name, &[]);
            gate.wait_for_guest();
            thread::sleep(3 * BRIEF);
            gate.open();
            let (guest, result) = call.end();
            timed_out(result, BRIEF);
            assert_eq!(guest.state(), InstanceState::Crashed);
        }
    });
}

#[test]
fn a_trap_wins_over_a_timeout() {
    on_each_stoppable(|engine| {
        let wat = r#"
            (module
              (import "host" "sleep" (func $sleep (param i32)))
              (func (export "seven") (result i32) (i32.const 7))
              (func (export "divide") (call $sleep (i32.const 60)) (drop (i32.div_s (i32.const 1) (i32.const 0)))))"#;
        let mut guest = engine.start_importing_within(time(BRIEF), &Gate::default().imports(), wat).unwrap();
        trapped(guest.call("divide", &[]), Trap::IntegerDivideByZero);
        assert_eq!((metrics(engine).traps, metrics(engine).stopped), (1, 0));
        guest.recover();
        guest.reset_time(LONG).unwrap();
        assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
    });
}

#[test]
fn a_guest_recovers_from_a_timeout_any_number_of_times_and_keeps_its_memory() {
    on_each_unmetered(|engine| {
        let mut guest = guest_within(engine, time(BRIEF));
        guest.write_memory("memory", PAGE - 4, b"kept").unwrap();
        for _ in 0..10 {
            timed_out(guest.call("knock", &[]), BRIEF);
            guest.recover();
            guest.reset_time(LONG).unwrap();
            assert_eq!(guest.state(), InstanceState::Ready);
            assert_eq!(guest.call_typed::<(i64,), i64>("sum", (10_000,)).unwrap(), 50_005_000);
            assert_eq!(guest.fuel_used(), None);
            guest.reset_time(BRIEF).unwrap();
        }
        let mut kept = [0; 4];
        guest.read_memory("memory", PAGE - 4, &mut kept).unwrap();
        assert_eq!(&kept, b"kept");
        assert_eq!(metrics(engine).stopped, 10);
    });
}

#[test]
fn each_instance_has_a_time_of_its_own() {
    on_each_unmetered(|engine| {
        let patient = Call::of(guest(engine), "sum", &[Value::I64(20_000_000)]);
        let hasty = Call::of(guest_within(engine, time(BRIEF)), "spin", &[]);
        let hastier = Call::of(guest_within(engine, time(BRIEF / 4)), "spin", &[]);
        timed_out(hastier.end().1, BRIEF / 4);
        timed_out(hasty.end().1, BRIEF);
        assert_eq!(patient.end().1.unwrap(), [Value::I64(200_000_010_000_000)]);
    });
}

#[test]
fn a_guest_that_waits_on_shared_memory_is_refused_a_time_limit() {
    const WAT: &str = r#"
        (module
          (memory 1 1 shared)
          (func (export "wait") (param i64) (result i32)
            (memory.atomic.wait32 (i32.const 0) (i32.const 0) (local.get 0))))"#;
    on_each_unmetered(|engine| {
        refused(engine.start_within(time(BRIEF), WAT), ErrorKind::UnsupportedFeature);
        let mut guest = engine.start_within(Limits::none(), WAT).unwrap();
        assert_eq!(guest.call("wait", &[Value::I64(1_000_000)]).unwrap(), [Value::I32(2)], "the wait timed out");
        refused(guest.reset_time(BRIEF), ErrorKind::UnsupportedFeature);
        refused(AsyncCall::start(guest, "wait", vec![Value::I64(0)]), ErrorKind::UnsupportedFeature);
        let unshared = WAT.replace("1 1 shared", "1");
        assert!(engine.start_within(time(BRIEF), &unshared).is_ok(), "such a wait traps at once");
    });
}
