//! Pooled instances: memories and tables that are reused by later instances, in an engine that differs in nothing else.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::module::info::{ExternType, MemoryType, ModuleInfo, TableType};

/// The most instances in a pool, of which each takes address space.
const MAX_INSTANCES: u32 = 512;

/// The most memories and the most tables of an instance in the pool.
const MAX_ITEMS: u32 = 2;

/// The most elements of a table in the pool.
const MAX_ELEMENTS: u32 = 20_000;

/// How many bytes of a memory, and of a table, are cleared for the next instance. The rest is returned to the system.
const KEPT_BYTES: usize = 128 << 10;

/// The pages of the memories in the pool: all that have 32-bit addresses.
const PAGE_SIZE: u64 = 1 << 16;

/// An engine for modules whose instances are pooled. It is created when the first such module is compiled or loaded.
#[derive(Debug)]
pub(super) struct Pool {
    instances: NonZeroU32,
    engine: OnceLock<Option<PooledEngine>>,
}

/// The engine, and the number of its instances.
#[derive(derive_more::Debug)]
struct PooledEngine {
    #[debug(skip)]
    engine: Engine,
    used: Arc<AtomicU32>,
}

impl Pool {
    pub(super) fn new(instances: NonZeroU32) -> Self {
        let instances = instances.min(NonZeroU32::new(MAX_INSTANCES).unwrap_or(NonZeroU32::MIN));
        Self { instances, engine: OnceLock::new() }
    }

    /// Returns the engine for a module, if its instances can be pooled and behave the same. `settings` are those of the runtime.
    pub(super) fn engine_for(&self, info: &ModuleInfo, settings: impl FnOnce() -> Config) -> Option<&Engine> {
        if !fits(info) {
            return None;
        }
        let create = || {
            let created = Engine::new(settings().allocation_strategy(strategy(self.instances.get())));
            // The system may limit the address space.
            let failed = |error: &wasmtime::Error| tracing::debug!(%error, "instances are not pooled");
            created.inspect_err(failed).ok().map(|engine| PooledEngine { engine, used: Arc::default() })
        };
        self.engine.get_or_init(create).as_ref().map(|pooled| &pooled.engine)
    }

    /// Returns whether `engine` is that of the pool.
    pub(super) fn has(&self, engine: &Engine) -> bool {
        self.pooled().is_some_and(|pooled| Engine::same(&pooled.engine, engine))
    }

    /// Takes a place in the pool, if there is one.
    pub(super) fn take(&self) -> Option<PoolPlace> {
        let used = &self.pooled()?.used;
        let one_more = |used: u32| (used < self.instances.get()).then_some(used + 1);
        used.fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more).ok()?;
        Some(PoolPlace(Arc::clone(used)))
    }

    fn pooled(&self) -> Option<&PooledEngine> {
        self.engine.get()?.as_ref()
    }
}

/// The place of an instance in the pool. It must be dropped after the store.
#[derive(Debug)]
pub(super) struct PoolPlace(Arc<AtomicU32>);

impl Drop for PoolPlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn strategy(instances: u32) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    // The garbage-collected heap of each store uses one of the memories.
    let memories = instances * (MAX_ITEMS + 1);
    pool.total_core_instances(instances).total_memories(memories).total_tables(instances * MAX_ITEMS);
    pool.max_memories_per_module(MAX_ITEMS).max_tables_per_module(MAX_ITEMS).table_elements(MAX_ELEMENTS as usize);
    pool.total_gc_heaps(instances).total_component_instances(0).total_stacks(0);
    // The records of instances are not in the pool, so this is only a limit.
    pool.max_core_instance_size(1 << 30);
    pool.linear_memory_keep_resident(KEPT_BYTES).table_keep_resident(KEPT_BYTES).pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}

/// Returns whether the instances of a module fit into the pool, and may grow there as far as without it.
fn fits(info: &ModuleInfo) -> bool {
    let is_plain = |ty: &MemoryType| !ty.shared && !ty.memory64 && ty.page_size == PAGE_SIZE;
    let is_small = |ty: &TableType| !ty.table64 && ty.maximum.is_some_and(|maximum| maximum <= u64::from(MAX_ELEMENTS));
    let has_few = |items: usize| items <= MAX_ITEMS as usize;
    let imports_none =
        !info.imports.iter().any(|import| matches!(import.ty, ExternType::Memory(_) | ExternType::Table(_)));
    has_few(info.memories.len())
        && has_few(info.tables.len())
        && info.tags == 0
        && imports_none
        && info.memories.iter().all(is_plain)
        && info.tables.iter().all(is_small)
}
