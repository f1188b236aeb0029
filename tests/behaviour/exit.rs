//! Guests that exit through the host: the result is an exit code, and the instance accepts no more calls.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use wrun::{
    Capabilities, Control, ErrorKind, Exit, FuncType, HostImports, InstanceState, Limits, Result, RuntimeConfig,
    ValType, Value, WasmInstance, WasmInstanceExt,
};

use crate::stopping::{LONG, on_each_metered, on_each_stoppable, stoppable_engines, time};
use crate::vocabulary::{Engine, assert_contains, on_each, refused};

const GUEST: &str = r#"
(module
  (import "host" "exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global $after (export "after") (mut i32) (i32.const 0))
  (func (export "seven") (result i32) (i32.const 7))
  (func $exit_with (export "exit") (param i32)
    (call $exit (local.get 0))
    (global.set $after (i32.const 1)))
  (func (export "deep") (param i32) (result i32)
    (i32.store (i32.const 0) (local.get 0))
    (call $exit_with (local.get 0))
    (i32.const 5))
  (func (export "after_work") (param i32) (local i32)
    (loop $again
      (local.set 1 (i32.add (local.get 1) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get 1) (i32.const 1000))))
    (call $exit (local.get 0))))"#;

fn imports() -> HostImports {
    HostImports::none().with_function("host", "exit", FuncType::new([ValType::I32], []), |_, args| match args {
        [Value::I32(code)] => Err(Exit(*code).into()),
        other => Err(format!("{other:?}").into()),
    })
}

fn start(engine: &Engine) -> Box<dyn WasmInstance> {
    engine.start_importing(&imports(), GUEST).unwrap()
}

#[track_caller]
fn exited<T>(result: Result<T>, code: i32) {
    let error = refused(result, ErrorKind::Exited);
    assert_eq!((error.exit_code(), error.trap_code(), error.limit_exceeded()), (Some(code), None, None));
    assert_contains(error.message(), &["exited", &code.to_string()]);
}

/// Runs a case with interruption and without.
#[track_caller]
fn on_all(case: fn(&Engine)) {
    on_each(case);
    on_each_stoppable(case);
}

#[test]
fn a_guest_ends_itself_with_any_code() {
    on_all(|engine| {
        let (module, imports) = (engine.load(GUEST), imports());
        let start =
            || engine.runtime.create_instance_with(module.as_ref(), Limits::none(), Capabilities::none(), &imports);
        for code in [0, 1, 3, 123, 124, 255, 256, -1, i32::MIN, i32::MAX] {
            for name in ["exit", "deep"] {
                let mut guest = start().unwrap();
                exited(guest.call(name, &[Value::I32(code)]), code);
                assert_eq!(guest.state(), InstanceState::Exited(code));
                assert_eq!(guest.control().state(), InstanceState::Exited(code));
                assert_eq!(guest.global("after").unwrap(), Value::I32(0), "nothing runs after an exit");
            }
        }
        let metrics = engine.runtime.metrics();
        assert_eq!((metrics.calls, metrics.traps, metrics.stopped), (20, 0, 0));
    });
}

#[test]
fn a_guest_that_exited_takes_no_calls_and_cannot_be_revived() {
    on_all(|engine| {
        let mut guest = start(engine);
        let mut seven = guest.function("seven").unwrap();
        exited(guest.call("exit", &[Value::I32(3)]), 3);
        for _ in 0..2 {
            let error = refused(guest.call("seven", &[]), ErrorKind::Crashed);
            assert_contains(error.message(), &["exited with code 3"]);
            assert!(error.hints().iter().all(|hint| !hint.contains("recover")), "{:?}", error.hints());
            refused(guest.call("exit", &[Value::I32(4)]), ErrorKind::Crashed);
            refused(seven.call(guest.as_mut(), &[], &mut [Value::I32(0)]), ErrorKind::Crashed);
            guest.recover();
            assert_eq!(guest.state(), InstanceState::Exited(3));
        }
    });
}

#[test]
fn memory_can_be_read_after_an_exit() {
    on_all(|engine| {
        let mut guest = start(engine);
        exited(guest.call("deep", &[Value::I32(77)]), 77);
        let mut bytes = [0; 4];
        guest.read_memory("memory", 0, &mut bytes).unwrap();
        assert_eq!(bytes, [77, 0, 0, 0]);
        assert_eq!(guest.memory_size("memory").unwrap(), 65536);
    });
}

#[test]
fn a_start_function_may_exit_and_its_instance_is_never_made() {
    let wat = r#"
        (module
          (import "host" "exit" (func $exit (param i32)))
          (func $f (call $exit (i32.const 42)))
          (func (export "seven") (result i32) (i32.const 7))
          (start $f))"#;
    let engines = crate::vocabulary::engines().chain(stoppable_engines());
    for engine in engines {
        let error = refused(engine.start_importing(&imports(), wat), ErrorKind::Exited);
        assert_eq!(error.exit_code(), Some(42), "{engine}");
        let metrics = engine.runtime.metrics();
        assert_eq!((metrics.instances_created, metrics.instances_alive, metrics.traps), (0, 0, 0), "{engine}");
    }
}

#[test]
fn fuel_after_an_exit_is_known_and_the_same_on_every_engine() {
    let mut used = Vec::new();
    let metered = wrun::RuntimeKind::available().flat_map(|kind| {
        kind.compilers().iter().map(move |compiler| RuntimeConfig::new(kind).with_compiler(*compiler).with_metering())
    });
    for config in metered.flat_map(|config| [config.clone(), config.with_interruption()]) {
        let engine = Engine::configured(&config);
        let limits = Limits::none().with_fuel(1_000_000);
        let mut guest = engine.start_importing_within(limits, &imports(), GUEST).unwrap();
        exited(guest.call("after_work", &[Value::I32(0)]), 0);
        let fuel = guest.fuel_used().expect("an exit leaves the count as it is");
        assert_eq!(guest.fuel_remaining(), Some(1_000_000 - fuel), "{engine}");
        assert_eq!(engine.runtime.metrics().fuel_used, fuel, "{engine}");
        used.push(fuel);
    }
    assert!(used.windows(2).all(|pair| pair[0] == pair[1]), "{used:?}");
    assert!(used[0] > 5000, "{used:?}");
}

#[test]
fn an_exit_before_the_deadline_is_not_a_timeout() {
    on_each_metered(|engine| {
        let limits = time(LONG).with_fuel(1_000_000);
        let mut guest = engine.start_importing_within(limits, &imports(), GUEST).unwrap();
        exited(guest.call("after_work", &[Value::I32(0)]), 0);
        assert!(!guest.control().interrupt().unwrap());
        assert_eq!(guest.state(), InstanceState::Exited(0));
        guest.reset_fuel(10).unwrap();
        guest.reset_time(LONG).unwrap();
        refused(guest.call("seven", &[]), ErrorKind::Crashed);
    });
}

#[test]
fn an_exit_wins_over_an_interruption() {
    on_each_stoppable(|engine| {
        let control: Arc<OnceLock<Control>> = Arc::default();
        let its = Arc::clone(&control);
        let imports =
            HostImports::none().with_function("host", "exit", FuncType::new([ValType::I32], []), move |_, _| {
                assert!(its.get().unwrap().interrupt()?);
                thread::sleep(Duration::from_millis(5));
                Err(Exit(6).into())
            });
        let mut guest = engine.start_importing(&imports, GUEST).unwrap();
        control.set(guest.control()).unwrap();
        exited(guest.call("exit", &[Value::I32(0)]), 6);
        assert_eq!(guest.state(), InstanceState::Exited(6));
        assert_eq!(engine.runtime.metrics().stopped, 0);
        // The interruption may have corrupted the fuel counter.
        assert!(guest.fuel_used().is_none_or(|fuel| fuel < 100), "{:?}", guest.fuel_used());
    });
}

#[test]
fn a_wrapped_exit_is_a_host_error() {
    on_all(|engine| {
        let imports = HostImports::none().with_function("host", "exit", FuncType::new([ValType::I32], []), |_, _| {
            Err(format!("not quite: {}", Exit(3)).into())
        });
        let mut guest = engine.start_importing(&imports, GUEST).unwrap();
        let error = crate::vocabulary::trapped(guest.call("exit", &[Value::I32(0)]), wrun::Trap::Host);
        assert_eq!(error.exit_code(), None);
        guest.recover();
        assert_eq!(guest.call_typed::<(), i32>("seven", ()).unwrap(), 7);
    });
}
