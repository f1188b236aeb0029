//! Model tests of the interrupt state machine. They compile `interrupt.rs` and `status.rs` with the locks, atomics and threads
//! of shuttle, which runs each test in thousands of thread interleavings, and with a virtual clock. Shuttle reports
//! deadlocks; a call that never ends exceeds the maximum number of steps.

mod cases;
mod clock;
mod guest;
mod sync;

// The included files expect these modules at the root of the crate.
use wrun::{error, limits};

#[allow(dead_code, unreachable_pub, reason = "the tests use only a part of the included files")]
mod runtime {
    #[path = "../../../src/runtime/interrupt.rs"]
    pub(crate) mod interrupt;
    #[path = "../../../src/runtime/memory_budget.rs"]
    pub(crate) mod memory_budget;
    #[path = "../../../src/runtime/plugin.rs"]
    pub(crate) mod plugin;
    #[path = "../../../src/runtime/status.rs"]
    pub(crate) mod status;
    pub(crate) mod watchdog;
}
