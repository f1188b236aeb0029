//! Batches over arguments in memory.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use wrun::batch::Batch;
use wrun::session::{InstanceMode, WorkerOptions};
use wrun::{CallArgs, CallResult, Error, ErrorKind, Limits, Result, Value};

use crate::vocabulary::{Guest, jobs, on_each, on_one, twice};

const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

fn batch(guest: &Guest) -> Batch<'_> {
    Batch::new(&guest.code, &guest.callable, WorkerOptions::default())
}

fn number(result: Result<CallResult>) -> i32 {
    match result.unwrap() {
        CallResult::Core(values) => match values[..] {
            [Value::I32(number)] => number,
            ref other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn args(number: i32) -> CallArgs {
    vec![Value::I32(number)].into()
}

#[test]
fn an_iterator_calls_when_the_next_result_is_asked_for() {
    on_each(|config| {
        let (sender, called) = channel();
        let work = move |number| {
            sender.send(number).unwrap();
            Ok(2 * number)
        };
        let guest = Guest::new(config, "work", Box::new(work));
        let mut results = batch(&guest).iter((0..3).map(args));
        assert!(called.try_recv().is_err());
        assert_eq!((results.next().map(number), called.try_recv()), (Some(0), Ok(0)));
        assert_eq!((results.next().map(number), called.try_recv()), (Some(2), Ok(1)));
        assert_eq!((results.next().map(number), results.next().map(number)), (Some(4), None));
    });
}

#[test]
fn a_parallel_map_returns_results_in_order() {
    on_each(|config| {
        let guest = Guest::new(config, "work", twice());
        thread::scope(|scope| {
            let results = batch(&guest).map(scope, TWO, (0..20_000).map(args)).unwrap();
            results
                .map(number)
                .enumerate()
                .for_each(|(index, number)| assert_eq!(usize::try_from(number).unwrap(), 2 * index));
        });
    });
}

#[test]
fn a_parallel_map_makes_calls_at_the_same_time() {
    on_one(|config| {
        // Each call waits for another one.
        let barrier = Barrier::new(2);
        let work = move |number: i32| {
            barrier.wait();
            Ok(number)
        };
        let guest = Guest::new(config, "work", Box::new(work));
        thread::scope(|scope| {
            let results = batch(&guest).map(scope, TWO, (0..4).map(args)).unwrap();
            assert_eq!(results.map(number).collect::<Vec<_>>(), [0, 1, 2, 3]);
        });
    });
}

#[test]
fn the_options_of_the_workers_apply() {
    on_each(|config| {
        let guest = Guest::new(config, "count", twice());
        let mut options = WorkerOptions::default();
        options.instance = InstanceMode::PerCall;
        let mut stream = jobs(2);
        stream.worker = options;
        assert_eq!(guest.lines(&stream, "0\n0\n0\n").1, ["1", "1", "1"]);
        let batch = Batch::new(&guest.code, &guest.callable, options);
        assert_eq!(batch.iter((0..3).map(args)).map(number).collect::<Vec<_>>(), [1, 1, 1]);
        thread::scope(|scope| {
            let results = batch.map(scope, TWO, (0..3).map(args)).unwrap();
            assert_eq!(results.map(number).collect::<Vec<_>>(), [1, 1, 1]);
        });
    });
}

#[test]
fn an_item_can_be_an_error() {
    on_each(|config| {
        let guest = Guest::new(config, "work", twice());
        let items = || {
            let bad = || Err(Error::new(ErrorKind::InvalidArgument, "no number"));
            [Ok(args(1)), bad(), Ok(args(2))]
        };
        let kinds = |results: &mut dyn Iterator<Item = Result<CallResult>>| {
            results
                .map(|result| result.map(|result| number(Ok(result))).map_err(|error| error.kind()))
                .collect::<Vec<_>>()
        };
        let expected = [Ok(2), Err(ErrorKind::InvalidArgument), Ok(4)];
        assert_eq!(kinds(&mut batch(&guest).iter(items())), expected);
        thread::scope(|scope| {
            assert_eq!(kinds(&mut batch(&guest).map(scope, TWO, items()).unwrap()), expected);
        });
    });
}

#[test]
fn the_arguments_can_depend_on_earlier_results() {
    on_each(|config| {
        let guest = Guest::new(config, "work", twice());
        thread::scope(|scope| {
            let (sender, numbers) = channel();
            sender.send(1).unwrap();
            let mut results = batch(&guest).map(scope, TWO, numbers.into_iter().map(args)).unwrap();
            for power in 1..=20 {
                let number = number(results.next().unwrap());
                assert_eq!(number, 1 << power);
                sender.send(number).unwrap();
            }
            drop((sender, results));
        });
    });
}

#[test]
fn results_that_are_dropped_end_an_endless_batch() {
    on_each(|config| {
        let guest = Guest::new(config, "work", twice());
        let first = thread::scope(|scope| {
            let results = batch(&guest).map(scope, TWO, (0..).map(args)).unwrap();
            results.take(3).map(number).collect::<Vec<_>>()
        });
        assert_eq!(first, [0, 2, 4]);
    });
}

#[test]
fn a_panic_of_the_arguments_reaches_the_reader_of_the_results() {
    on_one(|config| {
        let guest = Guest::new(config, "work", twice());
        let mut seen = Vec::new();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            thread::scope(|scope| {
                let items = (0..5).map(|number| if number == 3 { panic!("a bad item") } else { args(number) });
                seen.extend(batch(&guest).map(scope, TWO, items).unwrap().map(number));
            });
        }));
        assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"a bad item"));
        assert_eq!(seen, [0, 2, 4]);
    });
}

/// Options for calls of a guest that can be interrupted.
fn timed(instance: InstanceMode) -> WorkerOptions {
    let mut options = WorkerOptions::default();
    (options.instance, options.limits) = (instance, Limits::none().with_time(Duration::from_millis(20)));
    options
}

#[test]
fn a_host_function_that_blocks_ends_a_parallel_map() {
    on_each(|config| {
        for instance in [InstanceMode::Shared, InstanceMode::PerCall] {
            let (release, released) = sync_channel(0);
            let released = Mutex::new(released);
            let work = move |number| {
                if number == 5 {
                    released.lock().unwrap().recv().unwrap();
                }
                Ok(2 * number)
            };
            let guest = Guest::new(&config.clone().with_interruption(), "work", Box::new(work));
            thread::scope(|scope| {
                let batch = Batch::new(&guest.code, &guest.callable, timed(instance));
                let mut results = batch.map(scope, TWO, (0..).map(args)).unwrap();
                let earlier: Vec<_> = results.by_ref().take(5).map(number).collect();
                assert_eq!(earlier, [0, 2, 4, 6, 8]);
                let error = results.next().unwrap().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Timeout);
                assert!(error.to_string().contains("a host function blocks"), "{error}");
                assert!(results.next().is_none() && results.next().is_none());
                release.send(()).unwrap();
            });
        }
    });
}

#[test]
fn an_iterator_waits_for_a_host_function_past_the_time_limit() {
    on_each(|config| {
        let work = |number| {
            if number == 1 {
                thread::sleep(Duration::from_millis(80));
            }
            Ok(number)
        };
        let guest = Guest::new(&config.clone().with_interruption(), "work", Box::new(work));
        let batch = Batch::new(&guest.code, &guest.callable, timed(InstanceMode::Shared));
        let error = batch.iter([args(1)]).next().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    });
}
