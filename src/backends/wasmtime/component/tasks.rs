//! Tasks that a call leaves behind.

use wasmtime::Store;

use super::data::ComponentData;

/// Runs the tasks of the store until they have ended: a task can go on after it has returned its result.
#[cfg(feature = "wasi-p3")]
pub(super) async fn finish(store: &mut Store<ComponentData>) -> wasmtime::Result<()> {
    store.run_concurrent(async |accessor| std::future::poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await).await
}

/// Without asynchronous functions, no task goes on after a call.
#[cfg(not(feature = "wasi-p3"))]
#[expect(clippy::unused_async, reason = "the signature is that of the other build")]
pub(super) async fn finish(_: &mut Store<ComponentData>) -> wasmtime::Result<()> {
    Ok(())
}
