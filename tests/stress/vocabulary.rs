//! Helpers for the rounds.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use wrun::engine::features;
use wrun::{
    AsyncCall, Capabilities, Exit, FuncType, HostImports, Limits, Result, RuntimeConfig, ValType, Value, WasmInstance,
    WasmModule, WasmRuntime, create_runtime,
};

/// Functions that never return (`spin`, `knock`, `tree`), that return (`sum`), and that fail.
const GUEST: &str = r#"
(module
  (import "host" "nothing" (func $nothing))
  (import "host" "exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (table 1 funcref)
  (func (export "spin") (loop $again (br $again)))
  (func (export "knock") (loop $again (call $nothing) (br $again)))
  (func (export "fill") (loop $again (memory.fill (i32.const 0) (i32.const 7) (i32.const 131072)) (br $again)))
  (func (export "grow") (loop $again (drop (memory.grow (i32.const 0))) (br $again)))
  (func $tree (param i32)
    (if (local.get 0)
      (then (call $tree (i32.sub (local.get 0) (i32.const 1))) (call $tree (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "tree") (call $tree (i32.const 60)))
  (func (export "sum") (param $n i64) (result i64) (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (local.get $n)))
      (br_if $again (i64.ne (local.tee $n (i64.sub (local.get $n) (i64.const 1))) (i64.const 0))))
    (local.get $sum))
  (func (export "exit") (param i32) (call $exit (local.get 0)))
  (func (export "unreachable") (unreachable))
  (func (export "divide") (drop (i32.div_s (i32.const 1) (i32.const 0))))
  (func (export "load") (drop (i32.load (i32.const -1))))
  (func (export "null") (call_indirect (i32.const 0)))
  (func $deep (export "deep") (result i32) (i32.add (call $deep) (i32.const 1))))"#;

/// A time limit that no round reaches.
pub(crate) const LONG: Duration = Duration::from_hours(1);

/// The longest time without a finished round.
const STALL: Duration = Duration::from_mins(1);

static PROGRESS: AtomicU64 = AtomicU64::new(0);

/// Notes that a round has ended. If no round ends for [`STALL`], the process is ended.
pub(crate) fn progress() {
    static WATCHED: Once = Once::new();
    PROGRESS.fetch_add(1, Ordering::Relaxed);
    WATCHED.call_once(|| drop(thread::spawn(watch)));
}

fn watch() {
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        thread::sleep(Duration::from_secs(1));
        let now = PROGRESS.load(Ordering::Relaxed);
        if now != seen {
            (seen, since) = (now, Instant::now());
        } else if since.elapsed() > STALL {
            #[expect(clippy::print_stderr, reason = "the process ends here")]
            {
                eprintln!("no round has ended for {STALL:?}: something hangs");
            }
            std::process::abort();
        }
    }
}

/// A runtime with the module of the guest.
pub(crate) struct Stage {
    runtime: Box<dyn WasmRuntime>,
    module: Box<dyn WasmModule>,
    imports: HostImports,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = self.runtime.config();
        let metering = if config.metering { ", metering fuel" } else { "" };
        write!(f, "{} with {}{metering}", config.kind, config.effective_compiler())
    }
}

/// Returns every engine and compiler, without fuel and with fuel.
pub(crate) fn stages() -> Vec<Stage> {
    let imports = HostImports::none()
        .with_function("host", "nothing", FuncType::default(), |_, _| Ok(Vec::new()))
        .with_function("host", "exit", FuncType::new([ValType::I32], []), |_, args| match args {
            [Value::I32(code)] => Err(Exit(*code).into()),
            other => Err(format!("{other:?}").into()),
        });
    let here = features::combinations().filter(|(kind, _)| kind.is_available());
    let configs = here.flat_map(|(kind, compiler)| {
        let config = RuntimeConfig::new(kind).with_compiler(compiler).with_interruption();
        [config.clone(), config.with_metering()]
    });
    let stage = |config: RuntimeConfig| {
        let runtime = create_runtime(&config).unwrap();
        let module = runtime.load_module(GUEST.as_bytes()).unwrap();
        Stage { runtime, module, imports: imports.clone() }
    };
    configs.map(stage).collect()
}

impl Stage {
    /// Returns whether the runtime meters fuel.
    pub(crate) fn meters(&self) -> bool {
        self.runtime.config().metering
    }

    /// Starts a guest with limits.
    pub(crate) fn guest(&self, limits: Limits) -> Box<dyn WasmInstance> {
        let made = self.runtime.create_instance_with(self.module.as_ref(), limits, Capabilities::none(), &self.imports);
        made.unwrap()
    }

    /// Waits until no guest is left.
    pub(crate) fn is_left_empty(&self) {
        while self.runtime.metrics().instances_alive > 0 {
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(self.runtime.metrics().memory_bytes, 0, "{self}");
        progress();
    }
}

/// Returns limits with this time only.
pub(crate) fn limits(time: Duration) -> Limits {
    Limits::none().with_time(time)
}

/// Starts a call on its own thread.
pub(crate) fn start(guest: Box<dyn WasmInstance>, name: &str, args: &[Value]) -> AsyncCall {
    AsyncCall::start(guest, name, args.to_vec()).unwrap()
}

/// Waits for a call.
pub(crate) fn wait(call: AsyncCall) -> (Box<dyn WasmInstance>, Result<Vec<Value>>) {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut call = pin!(call);
    loop {
        match call.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(ended) => return ended,
            Poll::Pending => thread::park(),
        }
    }
}

/// Reproducible random numbers: splitmix64.
pub(crate) struct Chance(u64);

impl Chance {
    /// Creates a generator with this seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Returns a number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Returns one of several items.
    pub(crate) fn one_of<'o, T>(&mut self, several: &'o [T]) -> &'o T {
        let which = self.below(several.len() as u64);
        &several[usize::try_from(which).unwrap()]
    }

    /// Returns a delay of up to so many microseconds, often zero.
    pub(crate) fn moment(&mut self, most: u64) -> Duration {
        let most = if self.below(4) == 0 { 1 } else { most };
        Duration::from_micros(self.below(most))
    }

    /// Waits for a random delay.
    pub(crate) fn pass(&mut self, most: u64) {
        match self.moment(most) {
            Duration::ZERO => {}
            // A sleep cannot be this short.
            short if short < Duration::from_micros(60) => {
                let since = Instant::now();
                while since.elapsed() < short {
                    std::hint::spin_loop();
                }
            }
            long => thread::sleep(long),
        }
    }
}

/// Returns the resident memory of the process, in bytes.
pub(crate) fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kibibytes << 10
}
