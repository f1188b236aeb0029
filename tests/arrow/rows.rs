//! Calls for many rows at a time, against the same calls one by one.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{
    ArrayRef, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch, UInt32Array, UInt64Array,
};
use wrun::batch::{BatchOptions, OnError};
use wrun::session::InstanceMode;
use wrun::{Compiler, ErrorKind, RuntimeConfig};

use crate::vocabulary::{Guest, arrow, batch, on_each, read, stream_of};

/// More rows than are called one by one before a worker calls for many at a time.
const ROWS: i32 = 60_000;

const GUEST: &str = r#"(module
  (global $calls (mut i64) (i64.const 0))
  (func $check (param i32)
    (if (i32.eqz (local.get 0)) (then unreachable)))
  (func (export "count") (param i32) (result i64)
    (global.set $calls (i64.add (global.get $calls) (i64.const 1)))
    (call $check (local.get 0))
    (global.get $calls))
  (func (export "reverse") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (local.get 3) (local.get 2) (local.get 1) (local.get 0))
  (func (export "six") (param i32 i32 i32 i32 i32 i32) (result i32)
    (i32.add (local.get 0) (i32.mul (local.get 1) (i32.sub (local.get 2) (i32.xor (local.get 3)
      (i32.and (local.get 4) (local.get 5)))))))
  (func (export "check") (param i32) (call $check (local.get 0)))
  (func (export "ten") (param f64 f64 f64 f64 f64 f64 f64 f64 f64) (result f64 f64 f64 f64 f64 f64 f64 f64)
    (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8)))"#;

/// Options for one worker, so that all calls share an instance.
fn one_worker() -> BatchOptions {
    let mut options = arrow();
    options.jobs = NonZeroUsize::MIN;
    options
}

/// The same options, with calls one by one: each is measured.
fn one_by_one(options: &BatchOptions) -> BatchOptions {
    let mut options = options.clone();
    options.worker.measure_time = true;
    options
}

fn ints(values: impl Iterator<Item = i32>) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(values))
}

/// Numbers with a few zeros, alone and in a row.
fn numbers_with_zeros() -> ArrayRef {
    ints((0..ROWS).map(|n| if [20_000, 30_000, 30_001, 41_234, ROWS - 1].contains(&n) { 0 } else { n | 1 }))
}

/// Runs a batch both ways, and returns the results, which are the same.
#[track_caller]
fn same_both_ways(
    config: &RuntimeConfig,
    function: &str,
    options: &BatchOptions,
    batches: &[RecordBatch],
) -> RecordBatch {
    let (rows, single) =
        (Guest::new(config, GUEST.as_bytes(), function), Guest::new(config, GUEST.as_bytes(), function));
    let (results, report) = rows.map(options, batches);
    let (expected, expected_report) = single.map(&one_by_one(options), batches);
    // Singlepass compiles no imported functions with several results, as the loop would need.
    let is_single = config.effective_compiler() == Compiler::Singlepass && function == "reverse";
    assert_eq!(rows.modules_compiled(), 2 - u64::from(is_single), "the function, and the loop for rows");
    assert_eq!(single.modules_compiled(), 1, "the function");
    assert_eq!((report.records, report.failed), (expected_report.records, expected_report.failed));
    assert_eq!(rows.calls(), single.calls());
    assert!(results == expected, "the results differ for `{function}`");
    results
}

#[test]
fn rows_that_trap_fail_alone_and_the_rows_after_them_have_a_new_instance() {
    on_each(|config| {
        let rows = batch(&[("n", numbers_with_zeros())]);
        for on_error in [OnError::Emit, OnError::Skip] {
            let mut options = one_worker();
            options.on_error = on_error;
            let results = same_both_ways(config, "count", &options, std::slice::from_ref(&rows));
            let skipped = if on_error == OnError::Skip { 5 } else { 0 };
            assert_eq!(results.num_rows(), ROWS as usize - skipped);
        }
    });
}

#[test]
fn numbers_of_every_type_keep_their_bits() {
    on_each(|config| {
        let numbers = || (0..ROWS).map(|n| n.wrapping_mul(0x9e37_79b1_u32.cast_signed()));
        let wide = || numbers().map(|n| (i64::from(n) << 32) ^ i64::from(n));
        let columns: [(&str, ArrayRef); 4] = [
            ("a", ints(numbers())),
            ("b", Arc::new(Int64Array::from_iter_values(wide()))),
            ("c", Arc::new(Float32Array::from_iter_values(numbers().map(|n| f32::from_bits(n.cast_unsigned()))))),
            ("d", Arc::new(Float64Array::from_iter_values(wide().map(|n| f64::from_bits(n.cast_unsigned()))))),
        ];
        let results = same_both_ways(config, "reverse", &one_worker(), &[batch(&columns)]);
        for (result, (_, column)) in results.columns().iter().zip(columns.iter().rev()) {
            assert_eq!(result.to_data().buffers()[0], column.to_data().buffers()[0]);
        }
    });
}

#[test]
fn unsigned_columns_and_functions_with_several_parameters_are_rows_too() {
    on_each(|config| {
        let unsigned = || (0..ROWS.cast_unsigned()).map(|n| n.wrapping_mul(0x0100_0193));
        let column = |name: &'static str| -> (&str, ArrayRef) {
            (name, Arc::new(UInt32Array::from_iter_values(unsigned().map(|n| n ^ u32::from(name.as_bytes()[0])))))
        };
        let columns = ["a", "b", "c", "d", "e", "f"].map(column);
        same_both_ways(config, "six", &one_worker(), &[batch(&columns)]);
    });
}

#[test]
fn ids_and_functions_without_results_are_rows_too() {
    on_each(|config| {
        let ids: ArrayRef =
            Arc::new(UInt64Array::from_iter_values((0..ROWS.cast_unsigned()).map(|n| u64::from(n) << 33)));
        let results = same_both_ways(
            config,
            "check",
            &one_worker(),
            &[batch(&[("id", ids.clone()), ("n", numbers_with_zeros())])],
        );
        assert_eq!(results.column_by_name("id").unwrap(), &ids);
    });
}

#[test]
fn rows_with_nulls_fail_between_others() {
    on_each(|config| {
        let some: ArrayRef = Arc::new((1..ROWS).map(|n| (n % 9 != 0).then_some(n)).collect::<Int32Array>());
        let all = ints(1..ROWS);
        let batches = [&all, &some, &all].map(|column| batch(&[("n", column.clone())]));
        let results = same_both_ways(config, "count", &one_worker(), &batches);
        assert_eq!(results.num_rows(), 3 * (ROWS as usize - 1));
    });
}

#[test]
fn several_workers_keep_the_order() {
    on_each(|config| {
        let mut options = arrow();
        options.jobs = NonZeroUsize::new(3).unwrap();
        let check = Guest::new(config, GUEST.as_bytes(), "six");
        let rows = batch(&["a", "b", "c", "d", "e", "f"].map(|name| (name, ints(0..3 * ROWS))));
        let (results, _) = check.map(&options, std::slice::from_ref(&rows));
        let (expected, _) = check.map(&one_by_one(&options), &[rows]);
        assert!(results == expected);
    });
}

#[test]
fn the_backtrace_of_a_row_has_the_frames_of_the_guest_alone() {
    on_each(|config| {
        let mut options = one_worker();
        options.on_error = OnError::Fail;
        let input = stream_of(&[batch(&[("n", ints((0..ROWS).map(|n| i32::from(n != 50_000))))])]);
        let failure = |options: &BatchOptions| {
            let (output, report) = Guest::new(config, GUEST.as_bytes(), "count").run(options, &input);
            assert_eq!(read(&output).iter().map(RecordBatch::num_rows).sum::<usize>(), 50_000);
            report.unwrap().failure.expect("a row traps")
        };
        let (rows, single) = (failure(&options), failure(&one_by_one(&options)));
        assert_eq!(rows.record, 50_001);
        assert_eq!(rows.error.kind(), ErrorKind::Trap);
        assert_eq!(rows.error.backtrace(), single.error.backtrace());
        assert_eq!(rows.error.to_string(), single.error.to_string());
    });
}

#[test]
fn calls_with_limits_or_an_instance_each_or_many_columns_are_made_one_by_one() {
    on_each(|config| {
        let rows = batch(&[("n", ints(1..ROWS))]);
        let is_one_by_one = |config: &RuntimeConfig, change: &dyn Fn(&mut BatchOptions)| {
            let mut options = one_worker();
            change(&mut options);
            let count = Guest::new(config, GUEST.as_bytes(), "count");
            let (results, report) = count.map(&options, std::slice::from_ref(&rows));
            assert_eq!((results.num_rows(), report.failed), (ROWS as usize - 1, 0));
            assert_eq!(count.modules_compiled(), 1);
        };
        is_one_by_one(&config.clone().with_metering(), &|options| options.worker.limits.fuel = Some(1000));
        is_one_by_one(&config.clone().with_metering(), &|_| {});
        let time = Duration::from_secs(100);
        is_one_by_one(&config.clone().with_interruption(), &|options| options.worker.limits.time = Some(time));
        is_one_by_one(config, &|options| options.worker.instance = InstanceMode::PerCall);

        let ten = Guest::new(config, GUEST.as_bytes(), "ten");
        let column: ArrayRef = Arc::new(Float64Array::from_iter_values((0..ROWS).map(f64::from)));
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        let (results, _) = ten.map(&one_worker(), &[batch(&names.map(|name| (name, column.clone())))]);
        assert_eq!((results.num_rows(), ten.modules_compiled()), (ROWS as usize, 1));
    });
}
