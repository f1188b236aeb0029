//! Batches of random shape, with records that are slow, fail or panic, and with stops and broken outputs at any time: nothing is
//! lost, doubled or reordered.

use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use arbtest::arbitrary::{Result, Unstructured};
use wrun::batch::{BatchOptions, BatchOutcome, OnError, Stop};

use crate::vocabulary::{Blocks, Breaking, Guest, jobs, lines, on_each};

/// The behaviour of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Return,
    /// Returns after some time.
    Wait(Duration),
    Trap,
    Panic,
    /// Is not a number.
    Malformed,
    /// Stops the batch.
    Stop,
}

#[derive(Debug)]
struct Case {
    actions: Vec<Action>,
    blocks: Vec<Vec<u8>>,
    options: BatchOptions,
    /// The number of bytes that the output takes.
    room: usize,
}

/// The state that the guest and the test share.
#[derive(Default)]
struct GuestState {
    actions: Vec<Action>,
    stop: Arc<Stop>,
    /// The records that were called.
    called: Vec<usize>,
}

fn size(u: &mut Unstructured, range: RangeInclusive<usize>) -> Result<usize> {
    u.int_in_range(range)
}

fn case(u: &mut Unstructured) -> Result<Case> {
    let records = if u.ratio(1, 3)? { size(u, 0..=20)? } else { size(u, 0..=1500)? };
    let mut actions = vec![Action::Return; records];
    // Few records that do not return at once, so that long and short distances between them occur.
    for _ in 0..size(u, 0..=8)?.min(records) {
        let index = size(u, 0..=records - 1)?;
        actions[index] = match size(u, 0..=9)? {
            0..=4 => Action::Wait(Duration::from_micros(size(u, 0..=3000)? as u64)),
            5..=6 => Action::Trap,
            7 => Action::Panic,
            8 => Action::Malformed,
            _ => Action::Stop,
        };
    }
    let text: String = actions.iter().enumerate().map(|(number, action)| record(number, *action)).collect();
    let mut blocks = Vec::new();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let (block, after) = rest.split_at(size(u, 1..=9000)?.min(rest.len()));
        blocks.push(block.to_vec());
        rest = after;
    }
    let mut options = jobs(size(u, 1..=4)?);
    options.ordered = u.ratio(2, 3)?;
    options.on_error = *u.choose(&[OnError::Emit, OnError::Emit, OnError::Skip, OnError::Pass, OnError::Fail])?;
    let room = if u.ratio(1, 5)? { size(u, 0..=10_000)? } else { usize::MAX };
    Ok(Case { actions, blocks, options, room })
}

fn record(number: usize, action: Action) -> String {
    if action == Action::Malformed { format!("\"{number}\" x\n") } else { format!("{number}\n") }
}

/// Returns the start of the line that a record makes, if it makes one.
fn expected(case: &Case, number: usize) -> Option<String> {
    let action = case.actions[number];
    let kind = match action {
        Action::Trap => "trap",
        Action::Panic => "internal",
        Action::Malformed => "invalid_argument",
        _ => return Some((2 * number).to_string()),
    };
    match case.options.on_error {
        OnError::Emit => Some(format!("{kind} {}", number + 1)),
        OnError::Pass => Some(record(number, action).trim_end().to_owned()),
        _ => None,
    }
}

/// Shortens error objects to the kind and the record.
fn shortened(line: &str) -> String {
    let Ok(object) = serde_json::from_str::<serde_json::Map<_, _>>(line) else { return line.to_owned() };
    let error = &object["error"];
    format!("{} {}", error["kind"].as_str().unwrap(), error["record"])
}

fn check(guest: &Guest, state: &Mutex<GuestState>, case: &Case) {
    let stop = Arc::new(Stop::default());
    *state.lock().unwrap() = GuestState { actions: case.actions.clone(), stop: Arc::clone(&stop), called: Vec::new() };
    let mut output = Breaking::after(case.room, io::ErrorKind::BrokenPipe);
    let mut input = Blocks::new(case.blocks.clone());
    let report = guest.run_until(&case.options, &mut input, &mut output, &stop).unwrap();
    let mut called = std::mem::take(&mut state.lock().unwrap().called);
    called.sort_unstable();
    assert!(called.windows(2).all(|pair| pair[0] < pair[1]), "a record was called twice");

    let is_failed = |action: &Action| matches!(action, Action::Trap | Action::Panic | Action::Malformed);
    let first_failure = case.actions.iter().position(is_failed).filter(|_| case.options.on_error == OnError::Fail);
    let mut written: Vec<String> = lines(&output.written).iter().map(|line| shortened(line)).collect();
    let mut all: Vec<String> = (0..case.actions.len()).filter_map(|number| expected(case, number)).collect();
    let outcome = report.outcome;
    if outcome == BatchOutcome::OutputClosed {
        assert_eq!(output.room, 0);
        // The last line may be incomplete.
        written.pop();
    }
    if case.options.ordered {
        assert!(all.starts_with(&written), "{outcome:?}: the output is not a prefix");
    } else {
        written.sort_unstable();
        all.sort_unstable();
        let mut rest = all.iter();
        assert!(written.iter().all(|line| rest.any(|other| other == line)), "{outcome:?}: a line is doubled or wrong");
    }
    match outcome {
        BatchOutcome::Completed => {
            assert_eq!((written.len(), report.records), (all.len(), case.actions.len() as u64));
            assert_eq!(report.failed, case.actions.iter().filter(|action| is_failed(action)).count() as u64);
            assert_eq!(first_failure, None);
        }
        BatchOutcome::Stopped => {
            assert!(case.actions.contains(&Action::Stop));
            // Everything before the last call is written as well.
            let calls = called.last().map_or(0, |last| last + 1);
            assert!(report.records >= calls as u64, "{} records, {calls} calls", report.records);
        }
        BatchOutcome::Failed => {
            let failure = usize::try_from(report.failure.unwrap().record).unwrap() - 1;
            assert_eq!(Some(failure), first_failure);
            // Without an order, results of later records may be written too.
            assert!(if case.options.ordered { written.len() == failure } else { written.len() >= failure });
        }
        BatchOutcome::OutputClosed => assert_ne!(case.room, usize::MAX),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_lost_doubled_or_reordered() {
    on_each(|config| {
        let state = Arc::new(Mutex::new(GuestState::default()));
        let shared = Arc::clone(&state);
        let work = move |number: i32| {
            let index = usize::try_from(number).unwrap();
            let (action, stop) = {
                let mut state = shared.lock().unwrap();
                state.called.push(index);
                (state.actions[index], Arc::clone(&state.stop))
            };
            match action {
                Action::Wait(time) => thread::sleep(time),
                Action::Trap => return Err("a trap".into()),
                Action::Panic => panic!("a panic"),
                Action::Stop => stop.request(),
                Action::Return | Action::Malformed => {}
            }
            Ok(2 * number)
        };
        let guest = Guest::new(config, "work", Box::new(work));
        arbtest::arbtest(|u| {
            let case = case(u)?;
            check(&guest, &state, &case);
            Ok(())
        })
        .budget_ms(3000)
        .run();
    });
}
