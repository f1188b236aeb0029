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

use super::outcome::{in_thread, is_thread_exit};
use super::process::{functions, panicked, provide};
use super::thread_group::{ThreadGroup, ThreadGuard};
use crate::backends::wasmer::convert::References;
use crate::backends::wasmer::fuel::GuestGlobals;
use crate::backends::wasmer::host::HostEnv;
use crate::backends::wasmer::private_exports::PrivateExports;
use crate::backends::wasmer::{host, interrupt};
use crate::error::{Error, ErrorKind};
use crate::module::info::{Import, ModuleInfo};
use crate::runtime::host::HostImports;
use crate::runtime::status::InstanceStatus;
use crate::runtime::wasix::MEMORY;

/// The export that a thread begins in: it is given the thread's number, and what the guest said when it started it.
const START: &str = "wasi_thread_start";

/// What every thread of a program is made from.
pub(super) struct ThreadTemplate {
    pub(super) module: Module,
    /// With tunables that hold a thread to the program's limits.
    pub(super) engine: Engine,
    pub(super) info: Arc<ModuleInfo>,
    pub(super) imports: HostImports,
    pub(super) private: PrivateExports,
    pub(super) status: Arc<InstanceStatus>,
}

impl ThreadTemplate {
    /// An instance for a thread, with everything it imports anew but the shared memory.
    fn instantiate(
        &self,
        store: &mut Store,
        env: &WasiFunctionEnv,
        memory: &Memory,
    ) -> Result<Instance, WasiThreadError> {
        let functions = functions(store, env, &self.info);
        let references = References::default();
        let shared =
            |store: &mut Store, _: &FunctionEnv<HostEnv>, import: &Import| match (&*import.module, &*import.name) {
                MEMORY => Some(Extern::Memory(memory.clone())),
                _ => provide(store, &functions, self.imports.wasix()?, import),
            };
        let lowered = host::lower(store, &self.info, &self.imports, &references, &self.status, shared);
        let lowered = lowered.map_err(|_| WasiThreadError::Unsupported)?;
        let made = Instance::new_by_index(store, &self.module, &lowered.externs);
        let instance = made.map_err(|error| WasiThreadError::InstanceCreateFailed(Box::new(error)))?;
        lowered.connect(store, &instance, None);
        Ok(instance)
    }
}

/// Starts a thread as WASIX asks for it, and waits until it is made.
pub(super) fn start(
    thread_group: &Arc<ThreadGroup>,
    template: &Arc<ThreadTemplate>,
    task: TaskWasm,
) -> Result<(), WasiThreadError> {
    let TaskWasm { callbacks, env, spawn_type, .. } = task;
    let (SpawnType::AttachMemory(memory), ThreadStartType::ThreadSpawn { start_ptr }) =
        (spawn_type, env.thread.thread_start_type())
    else {
        return Err(WasiThreadError::Unsupported);
    };
    let Some(member) = thread_group.enlist() else { return Err(WasiThreadError::Unsupported) };
    let (thread_group, template) = (Arc::clone(thread_group), Arc::clone(template));
    let (ready, made) = mpsc::channel();
    let run = move || {
        let counted: ThreadGuard = member;
        // What WASIX would run is kept for its end, by which others learn of the thread's: it is run here, so that a trap
        // is told and not printed.
        let registered = callbacks;
        let number = env.thread.tid().raw();
        let thread = env.thread.clone();
        let made = Thread::new(&thread_group, &template, env, memory);
        let told = ready.send(made.as_ref().map(drop).map_err(WasiThreadError::clone));
        if let (Ok(thread), Ok(())) = (made, told) {
            thread.run(&thread_group, &template, start_ptr);
        }
        thread_group.leave(number);
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
    meter: GuestGlobals,
    store: Store,
}

impl Thread {
    fn new(
        thread_group: &ThreadGroup,
        template: &ThreadTemplate,
        env: WasiEnv,
        memory: SharedMemory,
    ) -> Result<Self, WasiThreadError> {
        let number = env.thread.tid().raw();
        let mut store = Store::new(template.engine.clone());
        let memory = memory.attach(&mut store);
        let mut env = WasiFunctionEnv::new(&mut store, env);
        let instance = template.instantiate(&mut store, &env, &memory)?;
        let meter = GuestGlobals::of(&template.private, &instance, &template.status, None);
        let meter = meter.map_err(|_| WasiThreadError::InvalidWasmContext)?;
        let flag = meter.stop().and_then(|stop| interrupt::flag(&mut store, stop));
        let handles = WasiModuleInstanceHandles::new(memory, &store, instance.clone(), None);
        let handles = WasiModuleTreeHandles::Static(handles);
        env.initialize_handles_and_layout(&mut store, instance.clone(), handles, None, false)
            .map_err(WasiThreadError::ExportError)?;
        if !thread_group.register(number, flag) {
            return Err(WasiThreadError::Unsupported);
        }
        Ok(Self { number, instance, meter, store })
    }

    /// Runs to its end, which may be the program's.
    fn run(mut self, thread_group: &ThreadGroup, template: &ThreadTemplate, start: u64) {
        let ran = catch_unwind(AssertUnwindSafe(|| self.call(template, start)));
        let ended = ran.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        let number = self.number;
        thread_group.leave(number);
        drop(self);
        match ended {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                thread_group.end_with(in_thread(template.status.explain(error), number));
            }
            _ => {}
        }
    }

    /// Calls what the guest runs in a thread, after the start function, which sets up what is the thread's own.
    fn call(&mut self, template: &ThreadTemplate, start: u64) -> Result<(), Error> {
        let Self { number, instance, meter, store } = self;
        if let Some(starter) = template.private.start(instance)? {
            let started = starter.call(store, &[]);
            meter.finish_call(store, started)?;
        }
        let missing = |_| Error::new(ErrorKind::Unlinkable, format!("there is no `{START}` of type (i32, i32) -> ()"));
        let entry = instance.exports.get_typed_function::<(i32, i32), ()>(store, START).map_err(missing)?;
        let argument = u32::try_from(start).unwrap_or_default().cast_signed();
        let called = entry.call(store, number.cast_signed(), argument);
        let called = match called {
            Err(error) if is_thread_exit(&error) => Ok(()),
            other => other,
        };
        meter.finish_call(store, called)
    }
}
