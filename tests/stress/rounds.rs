//! The rounds: events during one call, and the results that they must have.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use wrun::{ErrorKind, InstanceState, LimitKind, Limits, Result, Trap, Value, WasmInstance};

use crate::vocabulary::{Chance, LONG, Stage, limits, progress, start, wait};

/// The outcome of a round, in one word.
type Verdict = &'static str;

/// A round: its name and its function.
type Round = (&'static str, fn(&Stage, &mut Chance) -> Verdict);

/// All rounds.
pub(crate) const ROUNDS: [Round; 11] = [
    ("result", runs_to_its_end),
    ("time", runs_out_of_time),
    ("time or result", runs_out_of_time_or_ends),
    ("interruption", is_interrupted),
    ("interruption or result", is_interrupted_or_ends),
    ("drop", is_dropped),
    ("pause", is_paused_and_resumed),
    ("trap", traps),
    ("exit", exits),
    ("fuel", runs_out_of_fuel),
    ("time or fuel", runs_out_of_time_or_fuel),
];

/// The functions that never return.
const ENDLESS: [&str; 5] = ["spin", "knock", "fill", "grow", "tree"];

const TRAPS: [(&str, Trap); 5] = [
    ("unreachable", Trap::Unreachable),
    ("divide", Trap::IntegerDivideByZero),
    ("load", Trap::MemoryOutOfBounds),
    ("null", Trap::UninitializedElement),
    ("deep", Trap::StackOverflow),
];

fn endless(chance: &mut Chance) -> &'static str {
    chance.one_of::<&str>(&ENDLESS)
}

/// Returns the argument of a sum that takes up to a few milliseconds, and the result.
fn some_sum(chance: &mut Chance) -> (Vec<Value>, Vec<Value>) {
    let n = i64::try_from(chance.below(300_000)).unwrap() + 1;
    (vec![Value::I64(n)], vec![Value::I64(n * (n + 1) / 2)])
}

fn kind<T: fmt::Debug>(result: &Result<T>) -> Option<ErrorKind> {
    result.as_ref().err().map(wrun::Error::kind)
}

#[track_caller]
fn is(result: &Result<Vec<Value>>, wanted: ErrorKind, stage: &Stage) {
    assert_eq!(kind(result), Some(wanted), "{result:?} on {stage}");
}

/// Asserts that a guest was stopped with this error, does not know its fuel, and can be used again after `recover`.
#[track_caller]
fn recovers(stage: &Stage, guest: &mut dyn WasmInstance) {
    assert_eq!(guest.state(), InstanceState::Crashed, "{stage}");
    assert_eq!(guest.fuel_remaining(), None, "{stage}");
    guest.recover();
    if stage.meters() {
        guest.reset_fuel(1 << 40).unwrap();
    }
    guest.reset_time(LONG).unwrap();
    assert_eq!(guest.call("sum", &[Value::I64(1000)]).unwrap(), [Value::I64(500_500)], "{stage}");
    assert_eq!(guest.state(), InstanceState::Ready, "{stage}");
}

fn runs_to_its_end(stage: &Stage, chance: &mut Chance) -> Verdict {
    let mut guest = stage.guest(if chance.below(2) == 0 { Limits::none() } else { limits(LONG) });
    for _ in 0..=chance.below(5) {
        let (args, sum) = some_sum(chance);
        assert_eq!(guest.call("sum", &args).unwrap(), sum, "{stage}");
    }
    "ended"
}

fn runs_out_of_time(stage: &Stage, chance: &mut Chance) -> Verdict {
    let time = chance.moment(3000);
    let mut guest = stage.guest(limits(time));
    let result = guest.call(endless(chance), &[]);
    is(&result, ErrorKind::Timeout, stage);
    let exceeded = result.unwrap_err().limit_exceeded().unwrap();
    assert_eq!(u128::from(exceeded.limit), time.as_nanos(), "{stage}");
    assert_eq!(exceeded.kind, LimitKind::Time, "{stage}");
    if time > Duration::ZERO {
        recovers(stage, guest.as_mut());
    }
    "timed out"
}

fn runs_out_of_time_or_ends(stage: &Stage, chance: &mut Chance) -> Verdict {
    let mut guest = stage.guest(limits(chance.moment(600) + Duration::from_micros(1)));
    let (args, sum) = some_sum(chance);
    match guest.call("sum", &args) {
        Ok(result) => {
            assert_eq!(result, sum, "{stage}");
            "ended"
        }
        result => {
            is(&result, ErrorKind::Timeout, stage);
            recovers(stage, guest.as_mut());
            "timed out"
        }
    }
}

fn is_interrupted(stage: &Stage, chance: &mut Chance) -> Verdict {
    let call = start(stage.guest(Limits::none()), endless(chance), &[]);
    chance.pass(1500);
    while !call.control().interrupt().unwrap() {
        chance.pass(100);
    }
    let (mut guest, result) = wait(call);
    is(&result, ErrorKind::Interrupted, stage);
    recovers(stage, guest.as_mut());
    "interrupted"
}

fn is_interrupted_or_ends(stage: &Stage, chance: &mut Chance) -> Verdict {
    let (args, sum) = some_sum(chance);
    let call = start(stage.guest(limits(LONG)), "sum", &args);
    chance.pass(800);
    let interrupted = call.control().interrupt().unwrap();
    let (mut guest, result) = wait(call);
    if interrupted {
        is(&result, ErrorKind::Interrupted, stage);
        recovers(stage, guest.as_mut());
        "interrupted"
    } else {
        assert_eq!(result.unwrap(), sum, "{stage}");
        "ended"
    }
}

fn is_dropped(stage: &Stage, chance: &mut Chance) -> Verdict {
    let guest = stage.guest(if chance.below(2) == 0 { Limits::none() } else { limits(chance.moment(1000)) });
    let held = chance.below(4) == 0;
    let control = guest.control();
    if held {
        control.pause().unwrap();
    }
    let call = start(guest, endless(chance), &[]);
    chance.pass(1500);
    drop(call);
    "dropped"
}

fn is_paused_and_resumed(stage: &Stage, chance: &mut Chance) -> Verdict {
    let knocks = chance.below(2) == 0;
    let (args, sum) = some_sum(chance);
    let guest = stage.guest(limits(LONG));
    let control = guest.control();
    if chance.below(2) == 0 {
        control.pause().unwrap();
    }
    let call = if knocks { start(guest, "knock", &[]) } else { start(guest, "sum", &args) };
    for _ in 0..chance.below(6) {
        chance.pass(300);
        control.pause().unwrap();
        chance.pass(300);
        control.resume().unwrap();
    }
    let held = knocks && chance.below(2) == 0;
    if held {
        control.pause().unwrap();
    } else {
        control.resume().unwrap();
    }
    if knocks {
        while !control.interrupt().unwrap() {
            chance.pass(100);
        }
    }
    let (mut guest, result) = wait(call);
    control.resume().unwrap();
    if knocks {
        is(&result, ErrorKind::Interrupted, stage);
        recovers(stage, guest.as_mut());
        "interrupted"
    } else {
        assert_eq!(result.unwrap(), sum, "{stage}");
        "ended"
    }
}

fn traps(stage: &Stage, chance: &mut Chance) -> Verdict {
    let mut guest = stage.guest(limits(LONG));
    for _ in 0..=chance.below(3) {
        let (name, trap) = *chance.one_of(&TRAPS);
        let result = guest.call(name, &[]);
        is(&result, ErrorKind::Trap, stage);
        assert_eq!(result.unwrap_err().trap_code(), Some(trap), "{stage}");
        guest.recover();
    }
    assert_eq!(guest.call("sum", &[Value::I64(3)]).unwrap(), [Value::I64(6)], "{stage}");
    "trapped"
}

fn exits(stage: &Stage, chance: &mut Chance) -> Verdict {
    let code = i32::try_from(chance.below(256)).unwrap();
    let call = start(stage.guest(limits(LONG)), "exit", &[Value::I32(code)]);
    chance.pass(100);
    let interrupted = call.control().interrupt().unwrap();
    let (mut guest, result) = wait(call);
    if kind(&result) == Some(ErrorKind::Interrupted) {
        assert!(interrupted, "{stage}");
        recovers(stage, guest.as_mut());
        return "interrupted";
    }
    is(&result, ErrorKind::Exited, stage);
    assert_eq!((result.unwrap_err().exit_code(), guest.state()), (Some(code), InstanceState::Exited(code)));
    match guest.fuel_used() {
        // The few units before its exit. An interruption may have come after it.
        Some(fuel) => assert!((1..100).contains(&fuel), "{fuel} on {stage}"),
        None => assert!(interrupted || !stage.meters(), "{stage}"),
    }
    "exited"
}

fn runs_out_of_fuel(stage: &Stage, chance: &mut Chance) -> Verdict {
    if !stage.meters() {
        return runs_to_its_end(stage, chance);
    }
    let fuel = chance.below(100_000);
    let mut guest = stage.guest(limits(LONG).with_fuel(fuel));
    let result = guest.call(endless(chance), &[]);
    is_out_of_fuel(stage, guest.as_mut(), &result, fuel);
    "out of fuel"
}

fn is_out_of_fuel(stage: &Stage, guest: &mut dyn WasmInstance, result: &Result<Vec<Value>>, fuel: u64) {
    is(result, ErrorKind::OutOfFuel, stage);
    assert_eq!((guest.fuel_used(), guest.fuel_remaining()), (Some(fuel), Some(0)), "{stage}");
    guest.recover();
    guest.reset_fuel(1_000_000).unwrap();
    assert_eq!(guest.call("sum", &[Value::I64(3)]).unwrap(), [Value::I64(6)], "{stage}");
    assert!(guest.fuel_used().is_some_and(|used| (10..1000).contains(&used)), "{stage}");
}

fn runs_out_of_time_or_fuel(stage: &Stage, chance: &mut Chance) -> Verdict {
    if !stage.meters() {
        return runs_out_of_time(stage, chance);
    }
    let fuel = chance.below(3_000_000);
    let mut guest = stage.guest(limits(chance.moment(1500) + Duration::from_micros(1)).with_fuel(fuel));
    let result = guest.call(endless(chance), &[]);
    if kind(&result) == Some(ErrorKind::Timeout) {
        assert_eq!((guest.fuel_used(), guest.fuel_remaining()), (None, None), "{stage}");
        recovers(stage, guest.as_mut());
        "timed out"
    } else {
        guest.reset_time(LONG).unwrap();
        is_out_of_fuel(stage, guest.as_mut(), &result, fuel);
        "out of fuel"
    }
}

/// The number of rounds by outcome.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<(&'static str, Verdict), u64>);

impl Tally {
    pub(crate) fn count(&mut self, round: &'static str, verdict: Verdict) {
        *self.0.entry((round, verdict)).or_default() += 1;
        progress();
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        for (what, number) in other.0 {
            *self.0.entry(what).or_default() += number;
        }
        self
    }

    /// Returns the number of all rounds.
    pub(crate) fn rounds(&self) -> u64 {
        self.0.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rounds", self.rounds())?;
        self.0.iter().try_for_each(|((round, verdict), number)| write!(f, ", {round} {verdict}: {number}"))
    }
}
