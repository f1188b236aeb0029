//! The counters and measurements of a batch.

use std::io;
use std::sync::mpsc::channel;
use std::thread;

use wrun::batch::{self, BatchCounters, BatchOutcome, Stop, Streams};

use crate::vocabulary::{Breaking, Feed, Guest, Lines, jobs, limits_of, on_each, on_one, twice};

#[test]
fn calls_are_measured_if_that_is_asked_for() {
    on_each(|config| {
        let guest = Guest::new(&config.clone().with_metering(), "add", twice());
        let mut options = jobs(2);
        options.worker.limits = limits_of(100);
        options.worker.measure_time = true;
        let (report, lines) = guest.lines(&options, &"[1,2]\n".repeat(1000));
        assert!(lines.len() == 1000 && lines.iter().all(|line| line == "3"));
        let times = report.call_ns.unwrap();
        assert!(0 < times.p50 && times.p50 <= times.p95 && times.p95 <= times.p99 && times.p99 <= times.max);
        assert!(times.max < report.elapsed_ns);
        assert_eq!((report.fuel_used, report.fuel_max), (Some(4000), Some(4)));
        assert_eq!(report.memory_peak_bytes, Some(0));
    });
}

#[test]
fn a_field_that_was_not_measured_is_null() {
    on_each(|config| {
        let guest = Guest::new(config, "add", twice());
        let (report, _) = guest.lines(&jobs(1), "[1,2]\n[1]\n");
        assert!(report.records_per_second.is_some_and(|rate| rate > 0.0));
        let mut json = serde_json::to_value(&report).unwrap();
        json["elapsed_ns"].take();
        json["records_per_second"].take();
        assert_eq!(
            json,
            serde_json::json!({
                "outcome": "completed", "records": 2, "failed": 1, "errors": {"invalid_argument": 1}, "elapsed_ns": null,
                "records_per_second": null, "call_ns": null, "fuel_used": null, "fuel_max": null,
                "memory_peak_bytes": null
            })
        );
    });
}

#[test]
fn counters_can_be_read_while_the_batch_runs() {
    on_one(|config| {
        let guest = Guest::new(config, "work", twice());
        let (counters, stop) = (BatchCounters::default(), Stop::default());
        let ((blocks, feed), (sender, results)) = (channel(), channel());
        thread::scope(|scope| {
            let (guest, counters, stop) = (&guest, &counters, &stop);
            let running = scope.spawn(move || {
                let (mut input, mut output) = (Feed::new(feed), Lines::new(sender));
                let streams = Streams::new(&mut input, &mut output, counters, stop);
                batch::run(&guest.code, &guest.callable, &jobs(1), streams).unwrap()
            });
            for number in 0..3 {
                blocks.send(format!("{number}\n").into_bytes()).unwrap();
                assert_eq!(results.recv().unwrap(), (2 * number).to_string());
                // A record is counted before the next result is written.
                assert!((number..=number + 1).contains(&counters.records()));
            }
            assert_eq!(counters.report().outcome, BatchOutcome::Running);
            drop(blocks);
            assert_eq!(running.join().unwrap().records, 3);
        });
    });
}

#[test]
fn counters_can_be_read_after_the_batch_failed() {
    on_each(|config| {
        let guest = Guest::new(config, "add", twice());
        let (counters, stop) = (BatchCounters::default(), Stop::default());
        let mut output = Breaking::after(4, io::ErrorKind::StorageFull);
        let records = "[1,2]\n".repeat(10);
        let mut input = records.as_bytes();
        let streams = Streams::new(&mut input, &mut output, &counters, &stop);
        batch::run(&guest.code, &guest.callable, &jobs(1), streams).unwrap_err();
        let report = counters.report();
        assert_eq!((report.outcome, report.failed), (BatchOutcome::Failed, 0));
        assert!(report.records < 10);
    });
}
