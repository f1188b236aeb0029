//! A thread of a program: another instance of its module, with its own store, on the shared memory.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;

use wasmer::sys::vm::MemoryError;
use wasmer::{Engine, Extern, FunctionEnv, Instance, Memory, Module, SharedMemory, Store};
use wasmer_wasix::runtime::SpawnType;
use wasmer_wasix::runtime::task_manager::TaskWasm;
use wasmer_wasix::wasmer_wasix_types::wasi::{Errno, ExitCode};
use wasmer_wasix::wasmer_wasix_types::wasix::ThreadStartType;
use wasmer_wasix::{WasiEnv, WasiFunctionEnv, WasiModuleInstanceHandles, WasiModuleTreeHandles, WasiThreadError};

use super::corrections::Guest;
use super::errors::{in_thread, is_thread_exit, panicked};
use super::imports::{functions, provide};
use super::thread_group::{ThreadGroup, ThreadGuard};
use crate::backends::wasmer::convert::References;
use crate::backends::wasmer::fuel::GuestGlobals;
use crate::backends::wasmer::host::HostEnv;
use crate::backends::wasmer::private_exports::PrivateExports;
use crate::backends::wasmer::{host, interrupt};
use crate::error::{Error, ErrorKind};
use crate::module::info::{Import, ModuleInfo};
use crate::runtime::host::HostImports;
use crate::runtime::preflight::wasix::MEMORY;
use crate::runtime::status::InstanceStatus;

/// The export that a thread runs, with its number and the argument from the guest.
const START: &str = "wasi_thread_start";

/// The parts that every thread of a program is made from.
pub(super) struct ThreadTemplate {
    pub(super) module: Module,
    /// Its tunables enforce the program's limits.
    pub(super) engine: Engine,
    pub(super) info: Arc<ModuleInfo>,
    pub(super) imports: HostImports,
    pub(super) private: PrivateExports,
    pub(super) status: Arc<InstanceStatus>,
    /// Threads share the descriptors, and so the listings of open directories.
    pub(super) guest: Arc<Guest>,
}

impl ThreadTemplate {
    /// Creates the instance of a thread. It shares only the memory; all other imports are created again.
    fn instantiate(
        &self,
        store: &mut Store,
        env: &WasiFunctionEnv,
        memory: &Memory,
    ) -> Result<Instance, WasiThreadError> {
        let wasix = self.imports.wasix.as_ref().ok_or(WasiThreadError::Unsupported)?;
        let functions = functions(store, env, &self.info, &self.guest);
        let references = References::default();
        let shared =
            |store: &mut Store, _: &FunctionEnv<HostEnv>, import: &Import| match (&*import.module, &*import.name) {
                MEMORY => Some(Extern::Memory(memory.clone())),
                _ => provide(store, &functions, wasix, import),
            };
        let lowered = host::lower(store, &self.info, &self.imports, &references, &self.status, shared);
        let lowered = lowered.map_err(|_| WasiThreadError::Unsupported)?;
        let instance = Instance::new_by_index(store, &self.module, &lowered.externs)
            .map_err(|error| WasiThreadError::InstanceCreateFailed(Box::new(error)))?;
        lowered.connect(store, &instance, None);
        Ok(instance)
    }
}

/// Starts a thread for WASIX and waits until its instance exists.
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
    let Some(guard) = thread_group.register() else { return Err(WasiThreadError::Unsupported) };
    let (thread_group, template) = (Arc::clone(thread_group), Arc::clone(template));
    let (ready, created) = mpsc::channel();
    let run = move || {
        let guard: ThreadGuard = guard;
        // The callbacks would run the thread, but they print traps. So it runs here, and they only live as long: dropping
        // them tells WASIX that the thread has ended.
        let callbacks = callbacks;
        let number = env.thread.tid().raw();
        let handle = env.thread.clone();
        let thread = Thread::new(&thread_group, &template, env, memory);
        let sent = ready.send(thread.as_ref().map(drop).map_err(WasiThreadError::clone));
        if let (Ok(thread), Ok(())) = (thread, sent) {
            thread.run(&thread_group, &template, start_ptr);
        }
        thread_group.remove_flag(number);
        // Wakes the threads that join this one.
        handle.set_status_finished(Ok(ExitCode::from(Errno::Success)));
        drop(callbacks);
        drop(guard);
    };
    let spawned = std::thread::Builder::new().name("wrun guest thread".to_owned()).spawn(run);
    // The guest gets the errno `nomem`.
    let no_thread = |error: io::Error| WasiThreadError::MemoryCreateFailed(MemoryError::Generic(error.to_string()));
    spawned.map_err(no_thread)?;
    created.recv().unwrap_or(Err(WasiThreadError::InvalidWasmContext))
}

/// A thread before it runs.
struct Thread {
    number: u32,
    instance: Instance,
    globals: GuestGlobals,
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
        let globals = GuestGlobals::of(&template.private, &instance, &template.status, None);
        let globals = globals.map_err(|_| WasiThreadError::InvalidWasmContext)?;
        let flag = globals.stop().and_then(|stop| interrupt::flag(&mut store, stop));
        let handles = WasiModuleInstanceHandles::new(memory, &store, instance.clone(), None);
        let handles = WasiModuleTreeHandles::Static(handles);
        env.initialize_handles_and_layout(&mut store, instance.clone(), handles, None, false)
            .map_err(WasiThreadError::ExportError)?;
        if !thread_group.add_flag(number, flag) {
            return Err(WasiThreadError::Unsupported);
        }
        Ok(Self { number, instance, globals, store })
    }

    /// Runs to the end of the thread. A trap or an exit ends the program.
    fn run(mut self, thread_group: &ThreadGroup, template: &ThreadTemplate, start: u64) {
        let result = catch_unwind(AssertUnwindSafe(|| self.call(template, start)));
        let result = result.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        let number = self.number;
        thread_group.remove_flag(number);
        drop(self);
        match result {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                thread_group.end_with(in_thread(template.status.explain(error), number));
            }
            _ => {}
        }
    }

    /// Calls the start function, which initializes thread-local state, and then [`START`].
    fn call(&mut self, template: &ThreadTemplate, start: u64) -> Result<(), Error> {
        let Self { number, instance, globals, store } = self;
        if let Some(start_function) = template.private.start(instance)? {
            let result = start_function.call(store, &[]);
            globals.finish_call(store, result)?;
        }
        let missing = |_| Error::new(ErrorKind::Unlinkable, format!("no export `{START}` of type (i32, i32) -> ()"));
        let entry = instance.exports.get_typed_function::<(i32, i32), ()>(store, START).map_err(missing)?;
        let argument = u32::try_from(start).unwrap_or_default().cast_signed();
        let result = match entry.call(store, number.cast_signed(), argument) {
            Err(error) if is_thread_exit(&error) => Ok(()),
            other => other,
        };
        globals.finish_call(store, result)
    }
}
