//! The properties of the state machine.

use std::time::Duration;

use shuttle::rand::Rng as _;
use shuttle::thread;
use wrun::ErrorKind;

use crate::clock;
use crate::guest::{CallResult, Epoch, Flag, Guest, check, with_watchdog};
use crate::runtime::interrupt::StopReason;
use crate::runtime::status::InstanceState;
use crate::runtime::watchdog;
use crate::sync::Ordering;

const LIMIT: Duration = Duration::from_millis(10);

/// Returns the kind of error of a call, if it failed.
fn kind(result: &CallResult) -> Option<ErrorKind> {
    result.as_ref().err().map(wrun::Error::kind)
}

#[test]
fn a_stop_ends_the_call_that_is_running_and_no_later_one() {
    check(|| {
        let guest = Guest::new(None);
        let request = guest.spawn(|guest| guest.interrupt().request_stop(StopReason::Interrupted));
        let mut stopped = 0;
        for _ in 0..3 {
            let result = guest.poll(2);
            if result.is_err() {
                assert_eq!(kind(&result), Some(ErrorKind::Interrupted));
                assert!(guest.status.recover());
                stopped += 1;
            }
        }
        let was_running = request.join().unwrap();
        assert_eq!((stopped, guest.status.stopped()), (u64::from(was_running), u64::from(was_running)));
        assert_eq!(kind(&guest.poll(1)), None);
    });
}

#[test]
fn every_stop_reaches_code_without_host_calls() {
    check(|| {
        let (guest, flag) = (Guest::new(None), Flag::default());
        guest.interrupt().set_interrupt_handle(Box::new(flag.clone()));
        let call = guest.spawn(move |guest| flag.spin(&guest));
        guest.stop();
        assert_eq!(kind(&call.join().unwrap()), Some(ErrorKind::Interrupted));
        assert_eq!(guest.status.state(), InstanceState::Crashed);
    });
}

#[test]
fn a_lost_request_is_repeated() {
    check(|| {
        let (guest, epoch) = (Guest::new(None), Epoch::default());
        guest.interrupt().set_interrupt_handle(Box::new(epoch.clone()));
        with_watchdog(|| {
            let call = guest.spawn(move |guest| epoch.spin_until_done(&guest));
            // The guest may miss one of these requests while it answers the other.
            guest.interrupt().request_pause(true);
            guest.interrupt().request_pause(false);
            guest.stop();
            assert_eq!(kind(&call.join().unwrap()), Some(ErrorKind::Interrupted));
        });
    });
}

#[test]
fn a_paused_guest_does_not_run() {
    check(|| {
        let (guest, epoch) = (Guest::new(None), Epoch::default());
        guest.interrupt().set_interrupt_handle(Box::new(epoch.clone()));
        with_watchdog(|| {
            let call = guest.spawn(move |guest| epoch.spin_until_done(&guest));
            guest.becomes(InstanceState::Running);
            guest.interrupt().request_pause(true);
            guest.becomes(InstanceState::Paused);
            let rounds = guest.rounds.load(Ordering::SeqCst);
            thread::yield_now();
            assert_eq!(guest.rounds.load(Ordering::SeqCst), rounds);
            assert_eq!(guest.status.state(), InstanceState::Paused);
            guest.done.store(true, Ordering::SeqCst);
            guest.interrupt().request_pause(false);
            assert_eq!(kind(&call.join().unwrap()), None);
        });
        assert_eq!(guest.status.state(), InstanceState::Ready);
    });
}

#[test]
fn a_resume_wakes_every_waiting_thread() {
    check(|| {
        let guest = Guest::new(None);
        let pauser = guest.spawn(|guest| {
            for _ in 0..2 {
                guest.interrupt().request_pause(true);
                guest.interrupt().request_pause(false);
            }
        });
        // A thread to which a host function lent its token.
        let lent = guest.spawn(|guest| (0..2).all(|_| guest.status.check_interrupt().is_ok()));
        assert_eq!(kind(&guest.poll(3)), None);
        assert_eq!(kind(&guest.poll(1)), None);
        pauser.join().unwrap();
        assert!(lent.join().unwrap());
        assert_eq!(guest.status.state(), InstanceState::Ready);
    });
}

#[test]
fn a_call_that_ends_during_a_pause_wakes_waiting_threads() {
    check(|| {
        let guest = Guest::new(None);
        let lent = guest.spawn(|guest| guest.status.check_interrupt().is_ok());
        let result = guest.status.run(|| {
            guest.interrupt().request_pause(true);
            Ok(())
        });
        assert_eq!(kind(&result), None);
        assert!(lent.join().unwrap());
        assert_eq!(guest.status.state(), InstanceState::Ready);
    });
}

#[test]
fn a_paused_call_can_be_stopped_and_the_next_one_pauses_too() {
    check(|| {
        let guest = Guest::new(None);
        guest.interrupt().request_pause(true);
        let call = guest.spawn(|guest| guest.poll(1));
        guest.becomes(InstanceState::Paused);
        assert!(guest.interrupt().request_stop(StopReason::Interrupted));
        assert_eq!(kind(&call.join().unwrap()), Some(ErrorKind::Interrupted));
        assert_eq!(guest.rounds.load(Ordering::SeqCst), 0, "the call has not begun");
        assert!(guest.status.recover());
        let call = guest.spawn(|guest| guest.poll(1));
        guest.becomes(InstanceState::Paused);
        guest.interrupt().request_pause(false);
        assert_eq!(kind(&call.join().unwrap()), None);
    });
}

#[test]
fn a_call_is_stopped_at_its_deadline() {
    check(|| {
        let guest = Guest::new(Some(LIMIT));
        let result = with_watchdog(|| {
            let pauser = guest.spawn(|guest| {
                guest.interrupt().request_pause(true);
                while guest.status.state() == InstanceState::Running {
                    thread::yield_now();
                }
                guest.interrupt().request_pause(false);
            });
            let result = guest.poll_until_done();
            pauser.join().unwrap();
            result
        });
        assert_eq!(kind(&result), Some(ErrorKind::Timeout));
        assert!(result.unwrap_err().limit_exceeded().unwrap().attempted >= 10_000_000);
        assert!(guest.status.recover());
        assert_eq!(kind(&guest.poll(1)), Some(ErrorKind::Timeout), "no time is left");
        guest.interrupt().set_time(LIMIT);
        assert_eq!(kind(&guest.poll(1)), None);
    });
}

#[test]
fn time_does_not_pass_during_a_pause_and_between_calls() {
    check(|| {
        let guest = Guest::new(Some(LIMIT));
        let pauser = guest.spawn(|guest| {
            guest.interrupt().request_pause(true);
            guest.becomes(InstanceState::Paused);
            clock::advance(10 * LIMIT);
            watchdog::wake_due();
            guest.interrupt().request_pause(false);
            watchdog::wake_due();
            guest.done.store(true, Ordering::SeqCst);
        });
        assert_eq!(kind(&guest.poll_until_done()), None);
        pauser.join().unwrap();
        clock::advance(10 * LIMIT);
        watchdog::wake_due();
        let take = |time: Duration| {
            guest.status.run(|| {
                clock::advance(time);
                watchdog::wake_due();
                guest.status.check_interrupt().map_err(StopReason::into_error)
            })
        };
        assert_eq!(kind(&take(LIMIT * 9 / 10)), None);
        assert_eq!(kind(&take(LIMIT / 10)), Some(ErrorKind::Timeout));
    });
}

#[test]
fn no_call_begins_after_a_shutdown() {
    check(|| {
        let guest = Guest::new(None);
        let closer = guest.spawn(|guest| {
            guest.status.close();
            guest.done.store(true, Ordering::SeqCst);
        });
        let mut ended = false;
        for _ in 0..3 {
            let is_closed = guest.done.load(Ordering::SeqCst);
            let rounds = guest.rounds.load(Ordering::SeqCst);
            let result = guest.poll(2);
            if is_closed || ended {
                assert_eq!(kind(&result), Some(ErrorKind::ShutDown));
                assert_eq!(guest.rounds.load(Ordering::SeqCst), rounds, "the call has not begun");
            }
            assert!(matches!(kind(&result), None | Some(ErrorKind::ShutDown)));
            ended |= result.is_err();
        }
        closer.join().unwrap();
        assert_eq!(kind(&guest.poll(1)), Some(ErrorKind::ShutDown));
    });
}

#[test]
fn a_handle_is_not_used_after_it_is_detached() {
    check(|| {
        let (guest, flag) = (Guest::new(Some(LIMIT)), Flag::default());
        guest.interrupt().set_interrupt_handle(Box::new(flag.clone()));
        let others = [
            guest.spawn(|guest| _ = guest.interrupt().request_stop(StopReason::Interrupted)),
            guest.spawn(|guest| guest.interrupt().request_pause(true)),
        ];
        with_watchdog(|| {
            let resumer = guest.spawn(|guest| {
                while !guest.done.load(Ordering::SeqCst) {
                    guest.interrupt().request_pause(false);
                    thread::yield_now();
                }
            });
            let result = guest.poll(1);
            assert!(matches!(kind(&result), None | Some(ErrorKind::Interrupted | ErrorKind::Timeout)));
            guest.done.store(true, Ordering::SeqCst);
            guest.interrupt().detach();
            assert!(flag.is_unshared(), "the handle is dropped");
            flag.free();
            resumer.join().unwrap();
        });
        for other in others {
            other.join().unwrap();
        }
    });
}

#[test]
fn any_requests_leave_a_guest_usable() {
    check(|| {
        let guest = Guest::new(Some(LIMIT));
        with_watchdog(|| {
            let requesters = [(); 2].map(|()| {
                guest.spawn(|guest| {
                    let interrupt = guest.interrupt();
                    for _ in 0..4 {
                        match shuttle::rand::thread_rng().gen_range(0..3) {
                            0 => _ = interrupt.request_stop(StopReason::Interrupted),
                            1 => interrupt.request_pause(true),
                            _ => interrupt.request_pause(false),
                        }
                    }
                    interrupt.request_pause(false);
                })
            });
            for _ in 0..3 {
                let result = guest.poll(3);
                assert!(matches!(kind(&result), None | Some(ErrorKind::Interrupted | ErrorKind::Timeout)));
                guest.status.recover();
            }
            for requester in requesters {
                requester.join().unwrap();
            }
            guest.interrupt().set_time(LIMIT);
        });
        assert_eq!(guest.status.state(), InstanceState::Ready);
        assert_eq!(kind(&guest.poll(1)), None);
    });
}
