//! Async calls: they do not block the executor, return the instance, and end the guest when dropped.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use wrun::{
    AsyncCall, ErrorKind, FuncType, HostImports, InstanceState, Limits, Trap, Value, WasmInstance, WasmInstanceExt,
};

use crate::stopping::{
    BRIEF, GUEST, Gate, LONG, MAX_WAIT, becomes, eventually, guest, guest_within, on_each_stoppable, on_each_unmetered,
    stoppable_engines, time, timed_out,
};
use crate::vocabulary::{Engine, assert_contains, hints, on_each, refused, trapped};

/// Runs a future on a single-threaded executor, which must not be blocked.
fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[track_caller]
fn call(guest: Box<dyn WasmInstance>, name: &str, args: &[Value]) -> AsyncCall {
    AsyncCall::start(guest, name, args.to_vec()).unwrap()
}

#[track_caller]
fn all_are_freed(engine: &Engine) {
    eventually("no instance is left", || engine.runtime.metrics().instances_alive == 0);
}

#[test]
fn a_call_can_be_sent_and_shared() {
    fn is_shared<T: Send + Unpin + 'static>() {}
    fn is_a_future<T: Future<Output = wrun::runtime::async_call::AsyncOutput> + Send>() {}
    is_shared::<AsyncCall>();
    is_a_future::<AsyncCall>();
}

#[test]
fn an_awaited_call_gives_back_the_instance_and_the_results() {
    on_each_stoppable(|engine| {
        block_on(async {
            let (guest, result) = call(guest(engine), "sum", &[Value::I64(100)]).await;
            assert_eq!(result.unwrap(), [Value::I64(5050)]);
            let (guest, result) = call(guest, "trap", &[]).await;
            assert_eq!(trapped(result, Trap::Unreachable).function(), Some("trap"));
            let (mut guest, result) = call(guest, "seven", &[]).await;
            refused(result, ErrorKind::Crashed);
            guest.recover();
            let (guest, result) = call(guest, "sevne", &[]).await;
            refused(result, ErrorKind::UnknownExport);
            let (guest, result) = call(guest, "seven", &[Value::I32(1)]).await;
            refused(result, ErrorKind::InvalidArgument);
            let (mut guest, result) = call(guest, "seven", &[]).await;
            assert_eq!(result.unwrap(), [Value::I32(7)]);
            assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
        });
        assert_eq!(engine.runtime.metrics().instances_alive, 0);
    });
}

#[test]
fn hundreds_of_async_guests_do_not_block_a_ticking_task() {
    let engines: Vec<Engine> = stoppable_engines().collect();
    let modules: Vec<_> = engines.iter().map(|engine| engine.load(GUEST)).collect();
    let gate = Gate::default();
    let guest = |number: usize| {
        let (engine, module) = (&engines[number % engines.len()], &modules[number % engines.len()]);
        let limits = Limits::none().with_time(LONG);
        let none = wrun::Capabilities::none();
        engine.runtime.create_instance_with(module.as_ref(), limits, none, &gate.imports()).unwrap()
    };
    block_on(async {
        let calls: Vec<_> = (0..300_usize)
            .map(|number| {
                let call = match number % 10 {
                    0..=4 => call(guest(number), "pass", &[]),
                    5..=8 => call(guest(number), "sum", &[Value::I64(10_000)]),
                    _ => call(guest(number), "knock", &[]),
                };
                tokio::spawn(async move {
                    while number % 10 == 9 && !call.control().interrupt().unwrap() {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    call.await
                })
            })
            .collect();
        let opened = gate.clone();
        let ticking = tokio::spawn(async move {
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // Half of the guests wait for this.
            opened.open();
        });
        for (number, call) in calls.into_iter().enumerate() {
            let (_, result) = tokio::time::timeout(MAX_WAIT, call).await.expect("the call ends").unwrap();
            match number % 10 {
                0..=4 => assert_eq!(result.unwrap(), [Value::I32(7)]),
                5..=8 => assert_eq!(result.unwrap(), [Value::I64(50_005_000)]),
                _ => drop(refused(result, ErrorKind::Interrupted)),
            }
        }
        ticking.await.unwrap();
    });
    engines.iter().for_each(all_are_freed);
}

#[test]
fn a_dropped_call_ends_its_guest_and_frees_the_instance() {
    on_each_stoppable(|engine| {
        for name in ["spin", "knock"] {
            let running = call(guest(engine), name, &[]);
            becomes(running.control(), InstanceState::Running);
            let control = running.control().clone();
            drop(running);
            all_are_freed(engine);
            assert_eq!(control.state(), InstanceState::Crashed);
        }
        assert_eq!(engine.runtime.metrics().stopped, 2);
    });
}

#[test]
fn calls_dropped_at_any_moment_leave_nothing_behind() {
    on_each_stoppable(|engine| {
        let module = engine.load(r#"(module (func (export "spin") (loop $again (br $again))))"#);
        for round in 0..40 {
            let running = call(engine.instance_of(module.as_ref()).unwrap(), "spin", &[]);
            thread::sleep(Duration::from_micros(20 * (round % 10)));
            drop(running);
        }
        all_are_freed(engine);
    });
}

#[test]
fn a_dropped_call_in_a_host_function_is_freed_when_it_returns() {
    on_each_stoppable(|engine| {
        let gate = Gate::default();
        let running = call(gate.guest(engine, Limits::none()), "pass_and_spin", &[]);
        gate.wait_for_guest();
        drop(running);
        assert_eq!(engine.runtime.metrics().instances_alive, 1);
        gate.open();
        all_are_freed(engine);
    });
}

#[test]
fn a_dropped_paused_call_is_freed() {
    on_each_stoppable(|engine| {
        let guest = guest(engine);
        guest.control().pause().unwrap();
        let held = call(guest, "knock", &[]);
        becomes(held.control(), InstanceState::Paused);
        drop(held);
        all_are_freed(engine);
    });
}

#[test]
fn a_call_that_ended_and_is_never_polled_is_freed_with_its_future() {
    on_each_stoppable(|engine| {
        let ended = call(guest(engine), "seven", &[]);
        let calls = || engine.runtime.metrics().calls;
        eventually("the call", || calls() == 1 && ended.control().state() == InstanceState::Ready);
        thread::sleep(Duration::from_millis(2));
        assert_eq!(engine.runtime.metrics().instances_alive, 1, "it may be asked for yet");
        drop(ended);
        all_are_freed(engine);
        assert_eq!(engine.runtime.metrics().stopped, 0);
    });
}

#[test]
fn a_call_runs_whether_it_is_polled_or_not_and_its_result_waits() {
    on_each_stoppable(|engine| {
        let running = call(guest(engine), "sum", &[Value::I64(3)]);
        eventually("the call", || {
            engine.runtime.metrics().calls == 1 && running.control().state() == InstanceState::Ready
        });
        let (_, result) = block_on(running);
        assert_eq!(result.unwrap(), [Value::I64(6)]);
    });
}

#[test]
fn dropping_the_future_ends_the_guest() {
    on_each_stoppable(|engine| {
        block_on(async {
            let waited = tokio::time::timeout(BRIEF, call(guest(engine), "spin", &[])).await;
            assert!(waited.is_err());
        });
        all_are_freed(engine);
    });
}

#[test]
fn a_second_wait_gets_the_result() {
    on_each_unmetered(|engine| {
        let gate = Gate::default();
        let guest = gate.guest(engine, Limits::none());
        block_on(async {
            let mut running = call(guest, "pass", &[]);
            for _ in 0..3 {
                assert!(tokio::time::timeout(Duration::from_millis(5), &mut running).await.is_err());
            }
            gate.open();
            let (guest, result) = tokio::time::timeout(MAX_WAIT, running).await.unwrap();
            assert_eq!((result.unwrap(), guest.state()), (vec![Value::I32(7)], InstanceState::Ready));
        });
    });
}

#[test]
fn dropping_a_finished_future_does_not_end_its_instance() {
    on_each_stoppable(|engine| {
        let mut ended = call(guest(engine), "seven", &[]);
        let (mut guest, result) = block_on(&mut ended);
        result.unwrap();
        drop(ended);
        assert_eq!(guest.state(), InstanceState::Ready);
        assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
    });
}

#[test]
fn an_interrupted_or_timed_out_call_gives_its_instance_back() {
    on_each_stoppable(|engine| {
        block_on(async {
            let running = call(guest_within(engine, time(LONG)), "spin", &[]);
            eventually("a call", || running.control().interrupt().unwrap());
            let (mut guest, result) = running.await;
            refused(result, ErrorKind::Interrupted);
            guest.recover();
            guest.reset_time(BRIEF).unwrap();
            let (mut guest, result) = call(guest, "knock", &[]).await;
            timed_out(result, BRIEF);
            guest.recover();
            guest.reset_time(LONG).unwrap();
            assert_eq!(guest.call_typed::<(i64,), i64>("sum", (4,)).unwrap(), 10);
        });
    });
}

#[test]
fn a_panic_of_a_host_function_reaches_the_future() {
    on_each_stoppable(|engine| {
        let wat = r#"(module (import "host" "panic" (func $panic)) (func (export "panic") (call $panic)))"#;
        let imports = HostImports::none()
            .with_function("host", "panic", FuncType::default(), |_, _| std::panic::panic_any("the host gave up"));
        let start = || engine.start_importing(&imports, wat).unwrap();
        let panic = block_on(async {
            let panicking = call(start(), "panic", &[]);
            tokio::spawn(panicking).await.unwrap_err().into_panic()
        });
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the host gave up"));
        let ignored = call(start(), "panic", &[]);
        drop(ignored);
        all_are_freed(engine);
    });
}

#[test]
fn any_executor_works() {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    on_each_stoppable(|engine| {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut running = pin!(call(guest(engine), "sleep", &[Value::I32(5)]));
        let (_, result) = loop {
            match running.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(ended) => break ended,
                Poll::Pending => thread::park_timeout(MAX_WAIT),
            }
        };
        assert_eq!(result.unwrap(), []);
    });
}

#[test]
fn a_call_is_awaited_on_another_thread_than_it_was_started_on() {
    let engines: Vec<Engine> = stoppable_engines().collect();
    let calls = engines.iter().map(|engine| call(guest(engine), "sum", &[Value::I64(10)]));
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for call in calls {
            scope.spawn(|| results.lock().unwrap().push(block_on(call).1.unwrap()));
        }
    });
    let results = results.into_inner().unwrap();
    assert_eq!(results, vec![vec![Value::I64(55)]; engines.len()]);
}

#[test]
fn an_async_call_needs_interruption() {
    on_each(|engine| {
        let guest = engine.start(r#"(module (func (export "f")))"#);
        let error = refused(AsyncCall::start(guest, "f", Vec::new()), ErrorKind::UnsupportedConfig);
        assert_contains(&hints(&error), &["RuntimeConfig::with_interruption"]);
        assert_eq!((engine.runtime.metrics().calls, engine.runtime.metrics().instances_alive), (0, 0));
    });
}
