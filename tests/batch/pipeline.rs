//! The pipeline, compiled with `crate::sync` of this test.
#![allow(dead_code, unreachable_pub, reason = "the model uses only a part of the included files")]

#[path = "../../src/batch/pipeline/schedule.rs"]
pub(crate) mod schedule;
#[path = "../../src/batch/pipeline/shared.rs"]
pub(crate) mod shared;
