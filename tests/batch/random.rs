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

/// What a record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
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
struct Plan {
    acts: Vec<Act>,
    blocks: Vec<Vec<u8>>,
    options: BatchOptions,
    /// The number of bytes that the output takes.
    room: usize,
}

/// What the guest does now.
#[derive(Default)]
struct Scene {
    acts: Vec<Act>,
    stop: Arc<Stop>,
    /// The records that were called.
    called: Vec<usize>,
}

fn size(u: &mut Unstructured, range: RangeInclusive<usize>) -> Result<usize> {
    u.int_in_range(range)
}

fn plan(u: &mut Unstructured) -> Result<Plan> {
    let records = if u.ratio(1, 3)? { size(u, 0..=20)? } else { size(u, 0..=1500)? };
    let mut acts = vec![Act::Return; records];
    // Few acts, so that long and short distances between them occur.
    for _ in 0..size(u, 0..=8)?.min(records) {
        let index = size(u, 0..=records - 1)?;
        acts[index] = match size(u, 0..=9)? {
            0..=4 => Act::Wait(Duration::from_micros(size(u, 0..=3000)? as u64)),
            5..=6 => Act::Trap,
            7 => Act::Panic,
            8 => Act::Malformed,
            _ => Act::Stop,
        };
    }
    let text: String = acts.iter().enumerate().map(|(number, act)| record(number, *act)).collect();
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
    Ok(Plan { acts, blocks, options, room })
}

fn record(number: usize, act: Act) -> String {
    if act == Act::Malformed { format!("\"{number}\" x\n") } else { format!("{number}\n") }
}

/// Returns the start of the line that a record makes, if it makes one.
fn expected(plan: &Plan, number: usize) -> Option<String> {
    let act = plan.acts[number];
    let kind = match act {
        Act::Trap => "trap",
        Act::Panic => "internal",
        Act::Malformed => "invalid_argument",
        _ => return Some((2 * number).to_string()),
    };
    match plan.options.on_error {
        OnError::Emit => Some(format!("{kind} {}", number + 1)),
        OnError::Pass => Some(record(number, act).trim_end().to_owned()),
        _ => None,
    }
}

/// Shortens error objects to the kind and the record.
fn shortened(line: &str) -> String {
    let Ok(object) = serde_json::from_str::<serde_json::Map<_, _>>(line) else { return line.to_owned() };
    let error = &object["error"];
    format!("{} {}", error["kind"].as_str().unwrap(), error["record"])
}

fn check(guest: &Guest, scene: &Mutex<Scene>, plan: &Plan) {
    let stop = Arc::new(Stop::default());
    *scene.lock().unwrap() = Scene { acts: plan.acts.clone(), stop: Arc::clone(&stop), called: Vec::new() };
    let mut output = Breaking::after(plan.room, io::ErrorKind::BrokenPipe);
    let mut input = Blocks::new(plan.blocks.clone());
    let report = guest.run_until(&plan.options, &mut input, &mut output, &stop).unwrap();
    let mut called = std::mem::take(&mut scene.lock().unwrap().called);
    called.sort_unstable();
    assert!(called.windows(2).all(|pair| pair[0] < pair[1]), "a record was called twice");

    let is_failed = |act: &Act| matches!(act, Act::Trap | Act::Panic | Act::Malformed);
    let first_failure = plan.acts.iter().position(is_failed).filter(|_| plan.options.on_error == OnError::Fail);
    let mut written: Vec<String> = lines(&output.written).iter().map(|line| shortened(line)).collect();
    let mut all: Vec<String> = (0..plan.acts.len()).filter_map(|number| expected(plan, number)).collect();
    let outcome = report.outcome;
    if outcome == BatchOutcome::OutputClosed {
        assert_eq!(output.room, 0);
        // The last line may be incomplete.
        written.pop();
    }
    if plan.options.ordered {
        assert!(all.starts_with(&written), "{outcome:?}: the output is not a prefix");
    } else {
        written.sort_unstable();
        all.sort_unstable();
        let mut rest = all.iter();
        assert!(written.iter().all(|line| rest.any(|other| other == line)), "{outcome:?}: a line is doubled or wrong");
    }
    match outcome {
        BatchOutcome::Completed => {
            assert_eq!((written.len(), report.records), (all.len(), plan.acts.len() as u64));
            assert_eq!(report.failed, plan.acts.iter().filter(|act| is_failed(act)).count() as u64);
            assert_eq!(first_failure, None);
        }
        BatchOutcome::Stopped => {
            assert!(plan.acts.contains(&Act::Stop));
            // In order, everything before the last call is written as well.
            let last = called.last().map_or(0, |last| last + 1);
            let calls = if plan.options.ordered { last } else { called.len() };
            assert!(report.records >= calls as u64, "{} records, {calls} calls", report.records);
        }
        BatchOutcome::Failed if plan.options.ordered => {
            let failure = usize::try_from(report.failure.unwrap().record).unwrap() - 1;
            assert_eq!((Some(failure), written.len()), (first_failure, failure));
        }
        BatchOutcome::Failed => {
            assert!(is_failed(&plan.acts[usize::try_from(report.failure.unwrap().record).unwrap() - 1]));
        }
        BatchOutcome::OutputClosed => assert_ne!(plan.room, usize::MAX),
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_is_lost_doubled_or_reordered() {
    on_each(|config| {
        let scene = Arc::new(Mutex::new(Scene::default()));
        let acting = Arc::clone(&scene);
        let work = move |number: i32| {
            let index = usize::try_from(number).unwrap();
            let (act, stop) = {
                let mut scene = acting.lock().unwrap();
                scene.called.push(index);
                (scene.acts[index], Arc::clone(&scene.stop))
            };
            match act {
                Act::Wait(time) => thread::sleep(time),
                Act::Trap => return Err("a trap".into()),
                Act::Panic => panic!("a panic"),
                Act::Stop => stop.request(),
                Act::Return | Act::Malformed => {}
            }
            Ok(2 * number)
        };
        let guest = Guest::new(config, "work", Box::new(work));
        arbtest::arbtest(|u| {
            let plan = plan(u)?;
            check(&guest, &scene, &plan);
            Ok(())
        })
        .budget_ms(3000)
        .run();
    });
}
