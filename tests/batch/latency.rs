//! A result leaves as soon as it is there. The cases need no clock: they wait for it before they go on.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use wrun::batch::{BatchOptions, BatchOutcome};

use crate::vocabulary::{Feed, Guest, Lines, jobs, on_each, on_one, twice};

/// Runs a batch on another thread, while the case feeds it and sees its output.
fn talk(guest: &Guest, options: &BatchOptions, case: impl FnOnce(Sender<Vec<u8>>, Receiver<String>)) {
    let ((blocks, feed), (sender, lines)) = (channel(), channel());
    thread::scope(|scope| {
        let batch = scope.spawn(move || guest.run(options, &mut Feed::new(feed), &mut Lines::new(sender)));
        case(blocks, lines);
        assert_eq!(batch.join().unwrap().unwrap().outcome, BatchOutcome::Completed);
    });
}

#[test]
fn a_result_does_not_wait_for_the_next_record() {
    on_each(|config| {
        let guest = Guest::new(config, "work", twice());
        for ordered in [true, false] {
            let mut options = jobs(3);
            options.ordered = ordered;
            talk(&guest, &options, |blocks, lines| {
                for number in 0..300 {
                    blocks.send(format!("{number}\n").into()).unwrap();
                    assert_eq!(lines.recv().unwrap(), (2 * number).to_string());
                }
            });
        }
    });
}

#[test]
fn a_complete_record_does_not_wait_for_the_rest_of_the_next() {
    on_one(|config| {
        let guest = Guest::new(config, "work", twice());
        talk(&guest, &jobs(1), |blocks, lines| {
            blocks.send(b"1\n2\n3".to_vec()).unwrap();
            assert_eq!((lines.recv().unwrap(), lines.recv().unwrap()), ("2".to_owned(), "4".to_owned()));
            blocks.send(b"0\n4".to_vec()).unwrap();
            assert_eq!(lines.recv().unwrap(), "60");
            drop(blocks);
            assert_eq!(lines.recv().unwrap(), "8", "the last record needs no line end");
        });
    });
}

#[test]
fn slow_records_of_one_block_run_on_all_workers() {
    on_each(|config| {
        // Each call waits for another one.
        let barrier = Barrier::new(2);
        let work = move |number| {
            if number < 0 {
                barrier.wait();
            }
            Ok(number)
        };
        let guest = Guest::new(config, "work", Box::new(work));
        talk(&guest, &jobs(2), |blocks, lines| {
            // Many fast records teach the batch to make large pieces.
            for round in 1..4 {
                let fast: Vec<i32> = (0..4000 * round).collect();
                blocks.send(fast.iter().map(|number| format!("{number}\n")).collect::<String>().into()).unwrap();
                for number in fast {
                    assert_eq!(lines.recv().unwrap(), number.to_string());
                }
                blocks.send((1..=10).map(|number| format!("-{number}\n")).collect::<String>().into()).unwrap();
                (1..=10).for_each(|number| assert_eq!(lines.recv().unwrap(), format!("-{number}")));
            }
        });
    });
}

#[test]
fn results_do_not_wait_for_slow_records_that_came_with_them() {
    on_each(|config| {
        let (go, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let work = move |number| {
            if number == 1000 {
                gate.lock().unwrap().recv().unwrap();
            }
            Ok(number)
        };
        let guest = Guest::new(config, "work", Box::new(work));
        talk(&guest, &jobs(1), |blocks, lines| {
            // After these, a call is known to be fast.
            blocks.send((0..900).map(|number| format!("{number}\n")).collect::<String>().into()).unwrap();
            (0..900).for_each(|number| assert_eq!(lines.recv().unwrap(), number.to_string()));
            blocks.send(b"1\n2\n3\n1000\n4\n".to_vec()).unwrap();
            (1..4).for_each(|number| assert_eq!(lines.recv().unwrap(), number.to_string()));
            go.send(()).unwrap();
            assert_eq!((lines.recv().unwrap(), lines.recv().unwrap()), ("1000".to_owned(), "4".to_owned()));
        });
    });
}

#[test]
fn workers_share_the_rest_of_a_large_piece_whose_records_become_slow() {
    on_one(|config| {
        // One of the slow records waits until another worker has some of them.
        let (barrier, slow) = (Arc::new(Barrier::new(2)), Arc::new(Mutex::new(0)));
        let work = move |number| {
            if number == -1 {
                thread::sleep(std::time::Duration::from_millis(20));
                let mut slow = slow.lock().unwrap();
                *slow += 1;
                let met = *slow;
                drop(slow);
                if met == 2 || met == 3 {
                    barrier.wait();
                }
            }
            Ok(number)
        };
        let guest = Guest::new(config, "work", Box::new(work));
        // So few that each call enters guest code: a loop over several slow records would not leave any to the other worker.
        let input = "1\n".repeat(8_000) + &"-1\n".repeat(40);
        let (report, lines) = guest.lines(&jobs(2), &input);
        assert_eq!((report.records, report.failed, lines.len()), (8_040, 0, 8_040));
    });
}

#[test]
fn a_guest_that_needs_the_results_of_others_gets_them_in_any_order() {
    on_one(|config| {
        // The first record waits until the result of the second has been seen.
        let (go, gate) = channel::<()>();
        let gate = Mutex::new(gate);
        let work = move |number| {
            if number == 1 {
                gate.lock().unwrap().recv().unwrap();
            }
            Ok(number)
        };
        let guest = Guest::new(config, "work", Box::new(work));
        let mut options = jobs(2);
        options.ordered = false;
        talk(&guest, &options, |blocks, lines| {
            blocks.send(b"1\n2\n".to_vec()).unwrap();
            assert_eq!(lines.recv().unwrap(), "2");
            go.send(()).unwrap();
            assert_eq!(lines.recv().unwrap(), "1");
        });
    });
}
