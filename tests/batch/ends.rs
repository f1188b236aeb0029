//! How a batch ends: at the end of its input, by a stop, because its output broke, because of a record, or by an error.

use std::io::{self, Read};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use wrun::ErrorKind;
use wrun::batch::{BatchOutcome, OnError, Stop};

use crate::vocabulary::{Blocks, Breaking, Feed, Guest, Lines, Work, jobs, lines, on_each, on_one, twice};

/// Creates an input that waits for records, and a stop that ends the wait.
fn silent_input() -> (Sender<Vec<u8>>, Feed, Stop) {
    let (blocks, feed) = channel();
    let wake = Mutex::new(blocks.clone());
    // An empty block is a read of no bytes.
    let stop = Stop::with_waker(move || _ = wake.lock().unwrap().send(Vec::new()));
    (blocks, Feed::new(feed), stop)
}

#[test]
fn a_stop_writes_the_results_of_calls_that_run() {
    on_each(|config| {
        for ordered in [true, false] {
            let (started, begin) = channel();
            let (go, gate) = channel::<()>();
            let gate = Mutex::new(gate);
            let work = move |number| {
                started.send(number).unwrap();
                gate.lock().unwrap().recv().unwrap();
                Ok(number)
            };
            let guest = Guest::new(config, "work", Box::new(work));
            let mut options = jobs(2);
            options.ordered = ordered;
            let (stop, mut output) = (Stop::default(), Vec::new());
            let report = thread::scope(|scope| {
                let mut input = Blocks::new((0..100).map(|number| format!("{number}\n")));
                let batch =
                    scope.spawn(|| guest.run_until(&options, &mut input, &mut output, &stop).map(|r| (r, input)));
                let (one, two) = (begin.recv().unwrap(), begin.recv().unwrap());
                assert_eq!(one + two, 1, "both workers have a record");
                stop.request();
                go.send(()).unwrap();
                go.send(()).unwrap();
                batch.join().unwrap().unwrap().0
            });
            let mut written = lines(&output);
            written.sort_unstable();
            assert_eq!(
                (report.outcome, report.records, written),
                (BatchOutcome::Stopped, 2, vec!["0".into(), "1".into()])
            );
        }
    });
}

#[test]
fn a_stop_ends_a_read_that_waits() {
    on_one(|config| {
        let guest = Guest::new(config, "work", twice());
        let (blocks, mut feed, stop) = silent_input();
        let (sender, results) = channel();
        thread::scope(|scope| {
            let (guest, stop) = (&guest, &stop);
            let batch =
                scope.spawn(move || guest.run_until(&jobs(2), &mut feed, &mut Lines::new(sender), stop).unwrap());
            blocks.send(b"7\n8".to_vec()).unwrap();
            assert_eq!(results.recv().unwrap(), "14");
            stop.request();
            let report = batch.join().unwrap();
            assert_eq!(
                (report.outcome, report.records),
                (BatchOutcome::Stopped, 1),
                "the incomplete record is dropped"
            );
        });
    });
}

#[test]
fn a_stop_before_the_start_processes_nothing() {
    on_one(|config| {
        let guest = Guest::new(config, "work", twice());
        let (stop, mut output) = (Stop::default(), Vec::new());
        stop.request();
        let report = guest.run_until(&jobs(2), &mut "1\n2\n".as_bytes(), &mut output, &stop).unwrap();
        assert_eq!((report.outcome, report.records, output.len()), (BatchOutcome::Stopped, 0, 0));
    });
}

#[test]
fn a_closed_output_ends_the_batch_while_the_input_is_silent() {
    on_each(|config| {
        let guest = Guest::new(config, "work", twice());
        let (blocks, mut feed, stop) = silent_input();
        let mut output = Breaking::after(4, io::ErrorKind::BrokenPipe);
        blocks.send(b"7\n8\n9\n".to_vec()).unwrap();
        let report = guest.run_until(&jobs(2), &mut feed, &mut output, &stop).unwrap();
        assert_eq!((report.outcome, &*output.written), (BatchOutcome::OutputClosed, &b"14\n1"[..]));
        assert!(!stop.is_requested());
    });
}

#[test]
fn another_error_of_the_output_is_an_error() {
    on_one(|config| {
        let guest = Guest::new(config, "work", twice());
        let (blocks, mut feed, stop) = silent_input();
        blocks.send(b"7\n8\n9\n".to_vec()).unwrap();
        let mut output = Breaking::after(4, io::ErrorKind::StorageFull);
        let error = guest.run_until(&jobs(2), &mut feed, &mut output, &stop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().starts_with("cannot write results: "), "{error}");
    });
}

fn fails_at(bad: i32) -> Work {
    Box::new(move |number| if number == bad { Err("bad number".into()) } else { Ok(number) })
}

#[test]
fn a_failure_ends_the_batch_while_the_input_is_silent() {
    on_each(|config| {
        let guest = Guest::new(config, "work", fails_at(5));
        let (blocks, mut feed, stop) = silent_input();
        let mut options = jobs(3);
        options.on_error = OnError::Fail;
        blocks.send((0..200).map(|number| format!("{number}\n")).collect::<String>().into()).unwrap();
        let mut output = Vec::new();
        let report = guest.run_until(&options, &mut feed, &mut output, &stop).unwrap();
        assert_eq!(lines(&output), ["0", "1", "2", "3", "4"]);
        assert_eq!((report.outcome, report.records, report.failed), (BatchOutcome::Failed, 6, 1));
        let failure = report.failure.unwrap();
        assert_eq!((failure.record, failure.error.kind()), (6, ErrorKind::Trap));
    });
}

/// Gives some records, then fails.
struct Unreadable(&'static [u8], Option<io::ErrorKind>);

impl Read for Unreadable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.0.read(buffer)?, self.1) {
            (0, Some(kind)) => Err(kind.into()),
            (0, None) => panic!("the input gave up"),
            (read, _) => Ok(read),
        }
    }
}

#[test]
fn results_before_an_error_of_the_input_are_written() {
    on_one(|config| {
        let guest = Guest::new(config, "work", twice());
        let (mut input, mut output) = (Unreadable(b"1\n2\n3\n", Some(io::ErrorKind::ConnectionReset)), Vec::new());
        let error = guest.run(&jobs(2), &mut input, &mut output).unwrap_err();
        assert_eq!((error.kind(), lines(&output)), (ErrorKind::Io, vec!["2".into(), "4".into(), "6".into()]));
    });
}

#[test]
fn results_before_a_panic_of_the_input_are_written() {
    on_one(|config| {
        let guest = Guest::new(config, "work", twice());
        let (mut input, mut output) = (Unreadable(b"1\n2\n3\n", None), Vec::new());
        let error = guest.run(&jobs(2), &mut input, &mut output).unwrap_err();
        assert_eq!((error.kind(), lines(&output)), (ErrorKind::Internal, vec!["2".into(), "4".into(), "6".into()]));
        assert!(error.message().contains("the input gave up"), "{error}");
    });
}

#[test]
fn a_panic_of_the_output_ends_the_threads() {
    struct Panics;
    impl io::Write for Panics {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            panic!("the output gave up")
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    on_one(|config| {
        let guest = Arc::new(Guest::new(config, "work", twice()));
        let (blocks, mut feed, stop) = silent_input();
        blocks.send(b"1\n2\n".to_vec()).unwrap();
        let batch = thread::spawn(move || guest.run_until(&jobs(2), &mut feed, &mut Panics, &stop).map(|_| ()));
        assert!(batch.join().is_err());
    });
}
