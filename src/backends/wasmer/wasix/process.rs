//! The WASIX process of one guest: its environment, its threads and its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use wasmer::{Engine, Extern, FunctionEnv, Global, Imports, Instance, Memory, MemoryType, Store};
use wasmer_wasix::{WasiFunctionEnv, WasiModuleInstanceHandles, WasiModuleTreeHandles};

use super::corrections::Guest;
use super::environment::environment;
use super::errors::panicked;
use super::imports::{functions, provide};
use super::network::network;
use super::system::System;
use super::thread::ThreadTemplate;
use super::thread_group::{CALLER, ThreadGroup, ThreadGroupInterrupt};
use crate::backends::wasmer::host::{self, HostEnv};
use crate::backends::wasmer::{WasmerModule, interrupt};
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::module::info::{Import, ModuleInfo};
use crate::module::requirements;
use crate::runtime::host::{HostImports, Wasix};
use crate::runtime::owner::InstanceCore;
use crate::runtime::preflight::wasix::MEMORY;
use crate::runtime::traits::WasmModule;

/// How long dropping an instance waits for its threads. A thread that is inside a host call which cannot be interrupted ends
/// after that call.
const JOIN_TIMEOUT: Duration = Duration::from_secs(1);

/// The WASIX process of one guest.
#[derive(Debug)]
pub(in crate::backends::wasmer) struct Process {
    thread_group: Arc<ThreadGroup>,
    env: WasiFunctionEnv,
    wasix: Arc<Wasix>,
    functions: Imports,
    starts_threads: bool,
    /// Whether calls of WASIX functions first check for interrupts and fuel, as calls of host functions do.
    watched: bool,
}

impl Process {
    /// Creates a process that has not started, in the store of its main instance. `engine` runs its threads.
    pub(in crate::backends::wasmer) fn new(
        store: &mut Store,
        module: &WasmerModule,
        imports: &HostImports,
        wasix: &Arc<Wasix>,
        engine: Engine,
        core: &InstanceCore,
    ) -> Result<Self> {
        let info = module.info();
        let starts_threads = requirements::starts_threads(info);
        let thread_group = Arc::<ThreadGroup>::default();
        let guest = Guest::new(&wasix.capabilities, core.status().memory().is_limited());
        let template = ThreadTemplate {
            module: module.compiled.clone(),
            engine,
            info: Arc::clone(info),
            imports: imports.clone(),
            private: module.private.clone(),
            status: Arc::clone(core.status()),
            guest: Arc::clone(&guest),
        };
        let system = System::new(&thread_group, template, network(&wasix.capabilities.net));
        let env = environment(&wasix.capabilities, Arc::new(system), &thread_group)?;
        thread_group.set_env(env.clone());
        let env = WasiFunctionEnv::new(store, env);
        let functions = functions(store, &env, info, &guest);
        let private = &module.private;
        let watched = !starts_threads && (private.fuel.is_some() || private.stop.is_some());
        Ok(Self { thread_group, env, wasix: Arc::clone(wasix), functions, starts_threads, watched })
    }

    /// Returns the WASIX function for an import; `None` if the host provides the import.
    pub(in crate::backends::wasmer) fn provide(
        &self,
        store: &mut Store,
        guest: &FunctionEnv<HostEnv>,
        import: &Import,
    ) -> Option<Extern> {
        let found = provide(store, &self.functions, &self.wasix, import)?;
        Some(match found {
            Extern::Function(function) if self.watched => Extern::Function(host::with_checks(store, guest, function)),
            other => other,
        })
    }

    /// Starts the process with its main instance, which was created with `externs` as imports and is stopped by `stop`.
    ///
    /// # Errors
    /// [`ErrorKind::Unlinkable`] if WASIX cannot use the exports of the instance.
    pub(in crate::backends::wasmer) fn begin(
        &mut self,
        store: &mut Store,
        instance: &Instance,
        externs: &[Extern],
        stop: Option<&Global>,
        core: &InstanceCore,
    ) -> Result<()> {
        let memory = memory(store, instance, externs, core.info())?;
        let handles = WasiModuleInstanceHandles::new(memory, store, instance.clone(), None);
        let handles = WasiModuleTreeHandles::Static(handles);
        let started = self.env.initialize_handles_and_layout(store, instance.clone(), handles, None, true);
        started.map_err(|error| Error::new(ErrorKind::Unlinkable, format!("cannot start WASIX: {error}")))?;
        self.functions = Imports::new();
        self.thread_group.add_flag(CALLER, stop.and_then(|stop| interrupt::flag(store, stop)));
        core.set_interrupt_handle(ThreadGroupInterrupt {
            thread_group: Arc::clone(&self.thread_group),
            starts_threads: self.starts_threads,
        });
        core.status().set_ends_waits();
        Ok(())
    }

    /// Runs one call of the guest. If threads are running, the process ends when the call fails or exits, or when `is_main`
    /// and it returns. A panic inside WASIX, which guests can cause, becomes an error of the call.
    ///
    /// # Errors
    /// The error of the call or of the thread that ended the process; [`ErrorKind::Crashed`] if the process has ended before.
    pub(in crate::backends::wasmer) fn run<T>(&self, is_main: bool, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let Self { thread_group, .. } = self;
        if thread_group.has_ended() {
            let message = "the program of this instance has ended with its threads";
            return Err(Error::new(ErrorKind::Crashed, message).with_hint("create another instance"));
        }
        let result = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        let stopped = thread_group.has_ended();
        if let Some(error) = thread_group.take_error() {
            return Err(error);
        }
        let is_fatal =
            |error: &Error| !matches!(error.kind(), ErrorKind::InvalidArgument | ErrorKind::UnsupportedFeature);
        if thread_group.has_threads() && result.as_ref().map_or_else(is_fatal, |_| is_main) {
            thread_group.stop();
        }
        match result {
            Err(error) if stopped && may_be_stop(&error) => {
                Err(Error::new(ErrorKind::Interrupted, "the guest was interrupted"))
            }
            result => result,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.thread_group.has_threads() {
            self.thread_group.stop();
            self.thread_group.join(JOIN_TIMEOUT);
        }
        self.thread_group.clear();
    }
}

/// Returns whether a stop inside WASIX, or in a wait on the shared memory, can end a call with this error.
fn may_be_stop(error: &Error) -> bool {
    error.kind() == ErrorKind::Exited || error.trap_code() == Some(Trap::AtomicWaitNonSharedMemory)
}

/// Returns the memory that WASIX reads and writes: the shared one, an exported one, or an empty one.
fn memory(store: &mut Store, instance: &Instance, externs: &[Extern], info: &ModuleInfo) -> Result<Memory> {
    let mut imports = info.imports.iter().zip(externs);
    let imported = imports.find(|(import, _)| (&*import.module, &*import.name) == MEMORY);
    if let Some((_, Extern::Memory(memory))) = imported {
        return Ok(memory.clone());
    }
    let named = instance.exports.get_memory(MEMORY.1).ok().cloned();
    if let Some(memory) = named.or_else(|| instance.exports.iter().memories().next().map(|(_, memory)| memory.clone()))
    {
        return Ok(memory);
    }
    let empty = Memory::new(store, MemoryType::new(0, Some(0), false));
    empty.map_err(|error| {
        Error::of_instantiation(ErrorKind::Internal, "cannot create a memory for WASIX", &error.to_string())
    })
}
