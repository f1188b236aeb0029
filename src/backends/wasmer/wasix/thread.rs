//! A thread of a program: an instance of the same module, in a store of its own, on the shared memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;

use wasmer::{Engine, Extern, FunctionEnv, Instance, Memory, Module, SharedMemory, Store};
use wasmer_wasix::runtime::SpawnType;
use wasmer_wasix::runtime::task_manager::TaskWasm;
use wasmer_wasix::wasmer_wasix_types::wasi::{Errno, ExitCode};
use wasmer_wasix::wasmer_wasix_types::wasix::ThreadStartType;
use wasmer_wasix::{
    WasiEnv, WasiFunctionEnv, WasiModuleInstanceHandles, WasiModuleTreeHandles, WasiThread, WasiThreadError,
};

use super::crew::{Crew, Member};
use super::outcome::{in_thread, is_thread_exit};
use super::process::{functions, panicked, provide};
use crate::backends::wasmer::convert::Funcs;
use crate::backends::wasmer::fuel::Meter;
use crate::backends::wasmer::host::Guest;
use crate::backends::wasmer::metering::Private;
use crate::backends::wasmer::{host, interruption};
use crate::error::{Error, ErrorKind};
use crate::module::info::{Import, ModuleInfo};
use crate::runtime::host::HostImports;
use crate::runtime::life::Life;
use crate::runtime::wasix::MEMORY;

/// The export that a thread begins in: it is given the thread's number, and what the guest said when it started it.
const START: &str = "wasi_thread_start";

/// What every thread of a program is made from.
pub(super) struct Plan {
    pub(super) module: Module,
    /// With tunables that hold a thread to the program's limits.
    pub(super) engine: Engine,
    pub(super) info: Arc<ModuleInfo>,
    pub(super) imports: HostImports,
    pub(super) private: Private,
    pub(super) life: Arc<Life>,
}

impl Plan {
    /// An instance for a thread, with everything it imports anew but the shared memory.
    fn instantiate(
        &self,
        store: &mut Store,
        env: &WasiFunctionEnv,
        memory: &Memory,
    ) -> Result<Instance, WasiThreadError> {
        let functions = functions(store, env, &self.info);
        let funcs = Funcs::default();
        let shared = |store: &mut Store, _: &FunctionEnv<Guest>, import: &Import| match (&*import.module, &*import.name)
        {
            MEMORY => Some(Extern::Memory(memory.clone())),
            _ => provide(store, &functions, self.imports.wasix()?, import),
        };
        let lowered = host::lower(store, &self.info, &self.imports, &funcs, &self.life, shared);
        let lowered = lowered.map_err(|_| WasiThreadError::Unsupported)?;
        let made = Instance::new_by_index(store, &self.module, &lowered.externs);
        let instance = made.map_err(|error| WasiThreadError::InstanceCreateFailed(Box::new(error)))?;
        lowered.connect(store, &instance, None);
        Ok(instance)
    }
}

/// Starts a thread as WASIX asks for it, and waits until it is made.
pub(super) fn start(crew: &Arc<Crew>, plan: &Arc<Plan>, task: TaskWasm) -> Result<(), WasiThreadError> {
    let TaskWasm { callbacks, env, spawn_type, .. } = task;
    let (SpawnType::AttachMemory(memory), ThreadStartType::ThreadSpawn { start_ptr }) =
        (spawn_type, env.thread.thread_start_type())
    else {
        return Err(WasiThreadError::Unsupported);
    };
    let Some(member) = crew.enlist() else { return Err(WasiThreadError::Unsupported) };
    let (crew, plan) = (Arc::clone(crew), Arc::clone(plan));
    let (ready, made) = mpsc::channel();
    let run = move || {
        let counted: Member = member;
        // What WASIX would run is kept for its end, by which others learn of the thread's: it is run here, so that a trap
        // is told and not printed.
        let registered = callbacks;
        let number = env.thread.tid().raw();
        let thread = env.thread.clone();
        let made = Thread::new(&crew, &plan, env, memory);
        let told = ready.send(made.as_ref().map(drop).map_err(WasiThreadError::clone));
        if let (Ok(thread), Ok(())) = (made, told) {
            thread.run(&crew, &plan, start_ptr);
        }
        crew.leave(number);
        finish(&thread);
        drop(registered);
        drop(counted);
    };
    let spawned = std::thread::Builder::new().name("wrun guest thread".to_owned()).spawn(run);
    spawned.map_err(|_| WasiThreadError::Unsupported)?;
    made.recv().unwrap_or(Err(WasiThreadError::InvalidWasmContext))
}

/// Tells those who wait for the thread that it has ended.
fn finish(thread: &WasiThread) {
    thread.set_status_finished(Ok(ExitCode::from(Errno::Success)));
}

/// A thread before it runs.
struct Thread {
    number: u32,
    instance: Instance,
    meter: Meter,
    store: Store,
}

impl Thread {
    fn new(crew: &Crew, plan: &Plan, env: WasiEnv, memory: SharedMemory) -> Result<Self, WasiThreadError> {
        let number = env.thread.tid().raw();
        let mut store = Store::new(plan.engine.clone());
        let memory = memory.attach(&mut store);
        let mut env = WasiFunctionEnv::new(&mut store, env);
        let instance = plan.instantiate(&mut store, &env, &memory)?;
        let meter = Meter::of(&plan.private, &instance, &plan.life, None);
        let meter = meter.map_err(|_| WasiThreadError::InvalidWasmContext)?;
        let flag = meter.stop().and_then(|stop| interruption::flag(&mut store, stop));
        let handles = WasiModuleInstanceHandles::new(memory, &store, instance.clone(), None);
        let handles = WasiModuleTreeHandles::Static(handles);
        env.initialize_handles_and_layout(&mut store, instance.clone(), handles, None, false)
            .map_err(WasiThreadError::ExportError)?;
        if !crew.board(number, flag) {
            return Err(WasiThreadError::Unsupported);
        }
        Ok(Self { number, instance, meter, store })
    }

    /// Runs to its end, which may be the program's.
    fn run(mut self, crew: &Crew, plan: &Plan, start: u64) {
        let ran = catch_unwind(AssertUnwindSafe(|| self.call(plan, start)));
        let ended = ran.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        let number = self.number;
        crew.leave(number);
        drop(self);
        match ended {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                crew.end_with(in_thread(plan.life.explain(error), number));
            }
            _ => {}
        }
    }

    /// Calls what the guest runs in a thread, after the start function, which sets up what is the thread's own.
    fn call(&mut self, plan: &Plan, start: u64) -> Result<(), Error> {
        let Self { number, instance, meter, store } = self;
        if let Some(starter) = plan.private.start(instance)? {
            let started = starter.call(store, &[]);
            meter.settle(store, started)?;
        }
        let missing = |_| Error::new(ErrorKind::Unlinkable, format!("there is no `{START}` of type (i32, i32) -> ()"));
        let entry = instance.exports.get_typed_function::<(i32, i32), ()>(store, START).map_err(missing)?;
        let argument = u32::try_from(start).unwrap_or_default().cast_signed();
        let called = entry.call(store, number.cast_signed(), argument);
        let called = match called {
            Err(error) if is_thread_exit(&error) => Ok(()),
            other => other,
        };
        meter.settle(store, called)
    }
}
