//! What WASIX asks its surroundings for: threads, time, the network, an engine.

use std::fmt;
use std::future::Future;
use std::num::NonZero;
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

/// The surroundings of one program. It has no packages, no HTTP client, no terminal, and compiles nothing.
pub(super) struct System {
    tasks: Arc<dyn VirtualTaskManager>,
    network: DynVirtualNetworking,
    engine: Engine,
}

impl System {
    /// The surroundings of the program whose threads are made by this plan.
    pub(super) fn new(
        thread_group: &Arc<ThreadGroup>,
        template: ThreadTemplate,
        network: DynVirtualNetworking,
    ) -> Self {
        let engine = template.engine.clone();
        let tasks =
            Tasks { thread_group: Arc::clone(thread_group), template: Arc::new(template), clock: Arc::default() };
        Self { tasks: Arc::new(tasks), network, engine }
    }
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").finish_non_exhaustive()
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

/// A tokio runtime with one thread, made when it is first needed: no call runs on it, it only wakes those that wait.
#[derive(Debug, Default)]
struct Clock {
    tokio: OnceLock<Option<Tokio>>,
}

impl Clock {
    /// The runtime; `None` where the machine has no thread for it.
    fn handle(&self) -> Option<&Handle> {
        let build = || {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(1).max_blocking_threads(4).thread_name("wrun wasix").enable_all().build().ok()
        };
        self.tokio.get_or_init(build).as_ref().map(Tokio::handle)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        // Whoever drops an instance may be a task of another runtime, where this one must not be waited for.
        if let Some(Some(tokio)) = self.tokio.take() {
            tokio.shutdown_background();
        }
    }
}

/// Threads and time.
struct Tasks {
    thread_group: Arc<ThreadGroup>,
    template: Arc<ThreadTemplate>,
    clock: Arc<Clock>,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("crew", &self.thread_group).finish_non_exhaustive()
    }
}

impl VirtualTaskManager for Tasks {
    /// Also ends when the program does: WASIX waits for a socket no longer than this, and for much else.
    fn sleep_now(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        let (thread_group, clock) = (Arc::clone(&self.thread_group), Arc::clone(&self.clock));
        let wakes = thread_group::wakes_at_the_end();
        Box::pin(async move {
            let Some(handle) = clock.handle() else { return thread_group.doze(time) };
            let sleep = {
                let _inside = handle.enter();
                tokio::time::sleep(time)
            };
            if wakes {
                future::select(pin!(sleep), pin!(thread_group.over())).await;
            } else {
                sleep.await;
            }
        })
    }

    fn task_shared(
        &self,
        task: Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send + 'static>,
    ) -> Result<(), WasiThreadError> {
        let handle = self.clock.handle().ok_or(WasiThreadError::Unsupported)?;
        handle.spawn(task());
        Ok(())
    }

    fn task_wasm(&self, task: TaskWasm) -> Result<(), WasiThreadError> {
        thread::start(&self.thread_group, &self.template, task)
    }

    /// Only other programs are run so.
    fn task_dedicated(&self, _: Box<dyn FnOnce() + Send + 'static>) -> Result<(), WasiThreadError> {
        Err(WasiThreadError::Unsupported)
    }

    fn thread_parallelism(&self) -> Result<usize, WasiThreadError> {
        Ok(std::thread::available_parallelism().map_or(1, NonZero::get))
    }
}
