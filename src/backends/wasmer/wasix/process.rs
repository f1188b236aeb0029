//! The program of one guest: its WASIX, its threads, and its end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use wasmer::{AsStoreMut, Engine, Extern, FunctionEnv, Global, Imports, Instance, Memory, MemoryType, Store};
use wasmer_wasix::{
    WasiFunctionEnv, WasiModuleInstanceHandles, WasiModuleTreeHandles, WasiVersion, generate_import_object_from_env,
};

use super::environment::environment;
use super::network::network;
use super::replaced::replacement;
use super::system::System;
use super::thread::ThreadTemplate;
use super::thread_group::{CALLER, ThreadGroup, ThreadGroupInterrupt};
use crate::backends::wasmer::host::{self, HostEnv};
use crate::backends::wasmer::{WasmerModule, interrupt};
use crate::error::{Error, ErrorKind, Result, Trap};
use crate::module::info::{Import, ModuleInfo};
use crate::module::requirements;
use crate::runtime::core::InstanceCore;
use crate::runtime::host::{HostImports, Wasix};
use crate::runtime::traits::WasmModule;
use crate::runtime::wasix::MEMORY;

/// How long whoever drops an instance waits for threads of it to end. Those that have not by then are in a call of the host
/// that nothing ends; they end after it.
const PATIENCE: Duration = Duration::from_secs(1);

/// The program of one guest.
#[derive(Debug)]
pub(in crate::backends::wasmer) struct Process {
    thread_group: Arc<ThreadGroup>,
    env: WasiFunctionEnv,
    wasix: Arc<Wasix>,
    functions: Imports,
    starts_threads: bool,
    /// Whether what the guest calls of WASIX looks at its orders and its fuel first, as what it calls otherwise does.
    watched: bool,
}

impl Process {
    /// A program that has not begun, in the store of the instance it begins in. Its threads are made by `engine`.
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
        let thread_group = ThreadGroup::new();
        let template = ThreadTemplate {
            module: module.compiled().clone(),
            engine,
            info: Arc::clone(info),
            imports: imports.clone(),
            private: module.private().clone(),
            status: Arc::clone(core.status()),
        };
        let system = System::new(&thread_group, template, network(&wasix.capabilities.net));
        let env = environment(&wasix.capabilities, Arc::new(system), &thread_group)?;
        thread_group.know(env.clone());
        let env = WasiFunctionEnv::new(store, env);
        let functions = functions(store, &env, info);
        let private = module.private();
        let watched = !starts_threads && (private.fuel.is_some() || private.stop.is_some());
        Ok(Self { thread_group, env, wasix: Arc::clone(wasix), functions, starts_threads, watched })
    }

    /// What an import of WASIX gets.
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

    /// Begins the program: its instance was made with these imports, and is stopped by `stop`.
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
        let begun = self.env.initialize_handles_and_layout(store, instance.clone(), handles, None, true);
        begun.map_err(|error| Error::new(ErrorKind::Unlinkable, format!("WASIX cannot begin: {error}")))?;
        self.functions = Imports::new();
        self.thread_group.register(CALLER, stop.and_then(|stop| interrupt::flag(store, stop)));
        core.set_interrupt_handle(ThreadGroupInterrupt {
            thread_group: Arc::clone(&self.thread_group),
            starts_threads: self.starts_threads,
        });
        core.status().set_ends_waits();
        Ok(())
    }

    /// Runs one call of the guest; where it is the program's main one (`ends`), or exits or traps, threads that still run end
    /// with it, and so does it with them. A panic inside of WASIX, which a guest can bring about, is a failure of the call.
    pub(in crate::backends::wasmer) fn run<T>(&self, ends: bool, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let Self { thread_group, .. } = self;
        if thread_group.is_over() {
            let message = "the program of this instance has ended with its threads, and takes no more calls";
            return Err(Error::new(ErrorKind::Crashed, message).with_hint("make a new instance"));
        }
        let ran = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        let stopped = thread_group.is_over();
        if let Some(verdict) = thread_group.take_verdict() {
            return Err(verdict);
        }
        let is_end =
            |error: &Error| !matches!(error.kind(), ErrorKind::InvalidArgument | ErrorKind::UnsupportedFeature);
        if thread_group.has_threads() && ran.as_ref().map_or_else(is_end, |_| ends) {
            thread_group.stop();
        }
        match ran {
            // What a call ends with that was stopped inside of WASIX, or in a wait on the shared memory.
            Err(error) if stopped && is_stop(&error) => {
                Err(Error::new(ErrorKind::Interrupted, "the guest was interrupted"))
            }
            ran => ran,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.thread_group.has_threads() {
            self.thread_group.stop();
            self.thread_group.wait(PATIENCE);
        }
        self.thread_group.clear();
    }
}

/// Whether a call may have failed so because it was stopped.
fn is_stop(error: &Error) -> bool {
    error.kind() == ErrorKind::Exited || error.trap_code() == Some(Trap::AtomicWaitNonSharedMemory)
}

/// The functions of WASIX for one store, of each of its modules that is imported.
pub(super) fn functions(store: &mut impl AsStoreMut, env: &WasiFunctionEnv, info: &ModuleInfo) -> Imports {
    let versions = [
        ("wasix_32v1", WasiVersion::Wasix32v1),
        ("wasi_snapshot_preview1", WasiVersion::Snapshot1),
        ("wasi_unstable", WasiVersion::Snapshot0),
        ("wasi", WasiVersion::Snapshot0),
    ];
    let mut all = Imports::new();
    for (module, version) in versions {
        if info.imports.iter().any(|import| import.module == module) {
            all.extend(&generate_import_object_from_env(store, &env.env, version));
        }
    }
    all
}

/// What an import of WASIX gets; `None` where the host offers it itself.
pub(super) fn provide(store: &mut Store, functions: &Imports, wasix: &Wasix, import: &Import) -> Option<Extern> {
    if !wasix.functions.contains_key(&(import.module.clone(), import.name.clone())) {
        return None;
    }
    let found = functions.get_export(&import.module, &import.name)?;
    Some(replacement(store, import).map_or(found, Extern::Function))
}

/// The memory that WASIX reads and writes: the one that is shared, or what the guest exports.
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
    // None of its pointers are in a guest without memory.
    let none = Memory::new(store, MemoryType::new(0, Some(0), false));
    none.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
}

/// The failure of a call in which WASIX panicked.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = format!("a call of the host panicked: {}", text.unwrap_or("no reason given"));
    Error::new(ErrorKind::Internal, message)
}
