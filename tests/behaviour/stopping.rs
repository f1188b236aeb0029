//! Helpers for guests that are stopped and paused. Every wait ends after [`MAX_WAIT`], so that a guest that cannot be
//! stopped fails its own case only.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use wrun::engine::features;
use wrun::{
    Control, Error, ErrorKind, FuncType, HostError, HostImports, InstanceState, LimitKind, Limits, Result,
    RuntimeConfig, ValType, Value, WasmInstance,
};

use crate::vocabulary::{Engine, panic_message, refused};

/// A guest with the kinds of endless functions that the tests need. Only `sum` returns.
pub(crate) const GUEST: &str = r#"
(module
  (import "host" "nothing" (func $nothing))
  (import "host" "sleep" (func $sleep (param i32)))
  (import "host" "gate" (func $gate))
  (memory (export "memory") 1)
  (global $rounds (export "rounds") (mut i32) (i32.const 0))
  (func (export "seven") (result i32) (i32.const 7))
  (func (export "spin") (loop $again (br $again)))
  (func (export "knock")
    (loop $again
      (global.set $rounds (i32.add (global.get $rounds) (i32.const 1)))
      (call $nothing)
      (br $again)))
  (func $sum (export "sum") (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (local.get $n)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum))
  (func (export "pass") (result i32) (call $gate) (i32.const 7))
  (func (export "pass_and_spin") (call $gate) (loop $again (br $again)))
  (func (export "pass_and_trap") (call $gate) (unreachable))
  (func (export "pass_and_sum") (param i64) (result i64) (call $gate) (call $sum (local.get 0)))
  (func (export "pass_and_knock") (result i32) (call $gate) (call $nothing) (i32.const 7))
  (func (export "sleep") (param i32) (call $sleep (local.get 0)))
  (func (export "trap") (unreachable)))"#;

/// A short time limit.
pub(crate) const BRIEF: Duration = Duration::from_millis(20);

/// A time limit that no test reaches.
pub(crate) const LONG: Duration = Duration::from_hours(1);

/// The longest time that a test waits for an event.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(10);

/// Returns every engine and compiler with interruption, without fuel and with fuel.
pub(crate) fn stoppable_engines() -> impl Iterator<Item = Engine> {
    let here = features::combinations().filter(|(kind, _)| kind.is_available());
    let configs = here.flat_map(|(kind, compiler)| {
        let config = RuntimeConfig::new(kind).with_compiler(compiler).with_interruption();
        [config.clone(), config.with_metering()]
    });
    configs.map(|config| Engine::configured(&config))
}

/// Runs a case on every engine and compiler with interruption, without fuel and with fuel. Reports where it fails or
/// hangs.
#[track_caller]
pub(crate) fn on_each_stoppable(case: fn(&Engine)) {
    on_each_of(stoppable_engines(), case);
}

/// Runs a long case without fuel only.
#[track_caller]
pub(crate) fn on_each_unmetered(case: fn(&Engine)) {
    on_each_of(stoppable_engines().filter(|engine| !engine.runtime.config().metering), case);
}

/// Runs a case with fuel only.
#[track_caller]
pub(crate) fn on_each_metered(case: fn(&Engine)) {
    on_each_of(stoppable_engines().filter(|engine| engine.runtime.config().metering), case);
}

#[track_caller]
fn on_each_of(engines: impl Iterator<Item = Engine>, case: fn(&Engine)) {
    let mut failures = Vec::new();
    for engine in engines {
        let name = engine.to_string();
        let (done, ended) = mpsc::channel::<()>();
        let case = thread::spawn(move || {
            let _done = done;
            case(&engine);
        });
        if ended.recv_timeout(3 * MAX_WAIT) == Err(RecvTimeoutError::Timeout) {
            failures.push(format!("on {name}: it hangs"));
        } else if let Err(panic) = case.join() {
            failures.push(format!("on {name}: {}", panic_message(panic.as_ref())));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Returns limits with this time only.
pub(crate) fn time(limit: Duration) -> Limits {
    Limits::none().with_time(limit)
}

/// Starts a [`GUEST`] without limits and with an open gate.
#[track_caller]
pub(crate) fn guest(engine: &Engine) -> Box<dyn WasmInstance> {
    guest_within(engine, Limits::none())
}

/// Starts such a guest with limits.
#[track_caller]
pub(crate) fn guest_within(engine: &Engine, limits: Limits) -> Box<dyn WasmInstance> {
    let gate = Gate::default();
    gate.open();
    gate.guest(engine, limits)
}

/// Asserts that this exceeded its time limit, and that the error has the limit in nanoseconds.
#[track_caller]
pub(crate) fn timed_out<T>(result: Result<T>, limit: Duration) -> Error {
    let error = refused(result, ErrorKind::Timeout);
    let exceeded = error.limit_exceeded().expect("a timeout names the limit");
    let nanoseconds = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    assert_eq!((exceeded.kind, exceeded.limit), (LimitKind::Time, nanoseconds));
    assert!(exceeded.attempted >= exceeded.limit, "{exceeded:?}");
    assert_eq!(error.trap_code(), None, "{error}");
    error
}

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < MAX_WAIT, "{what}: not after {:?}", since.elapsed());
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until an instance is in this state.
#[track_caller]
pub(crate) fn becomes(control: &Control, state: InstanceState) {
    eventually(&format!("{state:?}"), || control.state() == state);
}

/// Interrupts a guest as soon as a call is running.
#[track_caller]
pub(crate) fn interrupt(control: &Control) {
    eventually("a call to interrupt", || control.interrupt().unwrap());
}

/// Asserts that a guest is ready and accepts a call.
#[track_caller]
pub(crate) fn answers(guest: &mut dyn WasmInstance) {
    assert_eq!(guest.state(), InstanceState::Ready);
    assert_eq!(guest.call_simple_function("seven", &[]).unwrap(), 7);
}

/// Returns whether a guest of this engine pauses at a host call only, and not at its next loop iteration.
pub(crate) fn pauses_at_host_calls_only(engine: &Engine) -> bool {
    engine.kind == wrun::RuntimeKind::Wasmer
}

/// Work that runs on its own thread.
pub(crate) struct Going<T>(Receiver<T>);

impl<T: Send + 'static> Going<T> {
    /// Starts the work.
    pub(crate) fn on(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (done, ended) = mpsc::channel();
        thread::spawn(move || done.send(work()));
        Self(ended)
    }

    /// Waits for the result.
    #[track_caller]
    pub(crate) fn end(self) -> T {
        self.0.recv_timeout(MAX_WAIT).unwrap_or_else(|error| panic!("it does not end: {error}"))
    }
}

/// A running call.
pub(crate) type Call = Going<(Box<dyn WasmInstance>, Result<Vec<Value>>)>;

impl Call {
    /// Starts a call of this function.
    pub(crate) fn of(mut guest: Box<dyn WasmInstance>, name: &'static str, args: &'static [Value]) -> Self {
        Self::on(move || {
            let result = guest.call(name, args);
            (guest, result)
        })
    }
}

/// A gate in a host function, where a guest waits until it opens.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<Passage>, Condvar)>);

#[derive(Default)]
struct Passage {
    arrived: u32,
    open: bool,
}

impl Gate {
    /// Returns the imports of a [`GUEST`] with this gate.
    pub(crate) fn imports(&self) -> HostImports {
        let gate = self.clone();
        HostImports::none()
            .with_function("host", "nothing", FuncType::default(), |_, _| Ok(Vec::new()))
            .with_function("host", "sleep", FuncType::new([ValType::I32], []), |_, args| match args {
                [Value::I32(milliseconds)] => {
                    thread::sleep(Duration::from_millis(u64::try_from(*milliseconds)?));
                    Ok(Vec::new())
                }
                other => Err(format!("{other:?}").into()),
            })
            .with_function("host", "gate", FuncType::default(), move |_, _| gate.pass())
    }

    /// Starts a [`GUEST`] with this gate.
    #[track_caller]
    pub(crate) fn guest(&self, engine: &Engine, limits: Limits) -> Box<dyn WasmInstance> {
        let made = engine.start_importing_within(limits, &self.imports(), GUEST);
        made.unwrap_or_else(|error| panic!("the guest does not start: {error}"))
    }

    fn pass(&self) -> Result<Vec<Value>, HostError> {
        let (passage, changed) = &*self.0;
        let mut passage = passage.lock().unwrap();
        passage.arrived += 1;
        changed.notify_all();
        let waiting = changed.wait_timeout_while(passage, MAX_WAIT, |passage| !passage.open);
        if waiting.unwrap().1.timed_out() { Err("the gate did not open".into()) } else { Ok(Vec::new()) }
    }

    /// Waits until a guest is at the gate.
    #[track_caller]
    pub(crate) fn wait_for_guest(&self) {
        let (passage, changed) = &*self.0;
        let waiting = changed.wait_timeout_while(passage.lock().unwrap(), MAX_WAIT, |passage| passage.arrived == 0);
        assert!(!waiting.unwrap().1.timed_out(), "no guest came to the gate");
    }

    /// Opens the gate for good.
    pub(crate) fn open(&self) {
        self.0.0.lock().unwrap().open = true;
        self.0.1.notify_all();
    }
}
