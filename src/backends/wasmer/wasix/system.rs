//! The services that WASIX uses: threads, timers, the network, an engine.

use std::future::Future;
use std::num::NonZero;
use std::panic::catch_unwind;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::{self, BoxFuture};
use tokio::runtime::{Builder, Handle, Runtime as Tokio};
use virtual_net::DynVirtualNetworking;
use wasmer::{Engine, Store};
use wasmer_wasix::runtime::resolver::{MultiSource, Source};
use wasmer_wasix::runtime::task_manager::TaskWasm;
use wasmer_wasix::{Runtime, VirtualTaskManager, WasiThreadError};

use super::thread::{self, ThreadTemplate};
use super::thread_group::{self, ThreadGroup};

/// The services of one program. They include no packages, HTTP client, terminal or compiler.
#[derive(derive_more::Debug)]
#[debug("System")]
pub(super) struct System {
    tasks: Arc<dyn VirtualTaskManager>,
    network: DynVirtualNetworking,
    engine: Engine,
}

impl System {
    /// Creates the services of a program whose threads are made from `template`.
    pub(super) fn new(
        thread_group: &Arc<ThreadGroup>,
        template: ThreadTemplate,
        network: DynVirtualNetworking,
    ) -> Self {
        let engine = template.engine.clone();
        let tasks =
            Tasks { thread_group: Arc::clone(thread_group), template: Arc::new(template), timers: Arc::default() };
        Self { tasks: Arc::new(tasks), network, engine }
    }
}

impl Runtime for System {
    fn networking(&self) -> &DynVirtualNetworking {
        &self.network
    }

    fn task_manager(&self) -> &Arc<dyn VirtualTaskManager> {
        &self.tasks
    }

    fn source(&self) -> Arc<dyn Source + Send + Sync> {
        Arc::new(MultiSource::new())
    }

    fn engine(&self) -> Engine {
        self.engine.clone()
    }

    fn new_store(&self) -> Store {
        Store::new(self.engine.clone())
    }
}

/// A tokio runtime with one thread, created on first use. It drives timers and WASIX's background tasks.
#[derive(Debug, Default)]
struct Timers {
    tokio: OnceLock<Option<Tokio>>,
}

impl Timers {
    /// Returns the runtime; `None` if its thread cannot be spawned.
    fn handle(&self) -> Option<&Handle> {
        let build = || {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(1).max_blocking_threads(4).thread_name("wrun wasix").enable_all().build().ok()
        };
        // `build` panics if it cannot spawn the thread.
        self.tokio.get_or_init(|| catch_unwind(build).ok().flatten()).as_ref().map(Tokio::handle)
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        // The instance may be dropped by a task of another runtime, which must not block.
        if let Some(Some(tokio)) = self.tokio.take() {
            tokio.shutdown_background();
        }
    }
}

/// Threads and timers.
#[derive(derive_more::Debug)]
struct Tasks {
    thread_group: Arc<ThreadGroup>,
    #[debug(skip)]
    template: Arc<ThreadTemplate>,
    timers: Arc<Timers>,
}

impl VirtualTaskManager for Tasks {
    /// Also ends when the program does. WASIX uses this sleep as the timeout of its waits, for example for sockets.
    fn sleep_now(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        let (thread_group, timers) = (Arc::clone(&self.thread_group), Arc::clone(&self.timers));
        let wakes_at_end = thread_group::wakes_at_end();
        Box::pin(async move {
            if time.is_zero() {
                return;
            }
            let Some(handle) = timers.handle() else { return thread_group.sleep(time).await };
            let sleep = {
                let _entered = handle.enter();
                tokio::time::sleep(time)
            };
            if wakes_at_end {
                future::select(pin!(sleep), pin!(thread_group.ended())).await;
            } else {
                sleep.await;
            }
        })
    }

    fn task_shared(
        &self,
        task: Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send + 'static>,
    ) -> Result<(), WasiThreadError> {
        let handle = self.timers.handle().ok_or(WasiThreadError::Unsupported)?;
        handle.spawn(task());
        Ok(())
    }

    fn task_wasm(&self, task: TaskWasm) -> Result<(), WasiThreadError> {
        thread::start(&self.thread_group, &self.template, task)
    }

    /// Refuses: WASIX uses it only to run other programs.
    fn task_dedicated(&self, _: Box<dyn FnOnce() + Send + 'static>) -> Result<(), WasiThreadError> {
        Err(WasiThreadError::Unsupported)
    }

    fn thread_parallelism(&self) -> Result<usize, WasiThreadError> {
        Ok(std::thread::available_parallelism().map_or(1, NonZero::get))
    }
}
