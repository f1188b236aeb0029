//! How two runs differ.

use serde::Serialize;
use strum::Display;

use super::{Ending, Observation, Variant};
use crate::error::ErrorKind;
use crate::runtime::call::CallResult;
use crate::value::types::Value;

/// One thing in which two runs differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The variant that differs from the first.
    pub variant: Variant,
    /// The aspect in which it differs.
    pub aspect: Aspect,
    /// What exactly: the name of a global or a memory, a path, an address.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// The observation of the first variant, as text.
    pub expected: String,
    /// What this variant has, as text.
    pub found: String,
}

/// What can differ between two runs.
#[derive(Clone, Copy, Debug, Display, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "lowercase")]
#[non_exhaustive]
pub enum Aspect {
    /// How it ended: result, trap, exit code or refusal.
    Ending,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The fuel used.
    Fuel,
    /// An exported global.
    Global,
    /// An exported memory.
    Memory,
    /// A growth that a limit denied.
    Denied,
    /// A file that the guest may change.
    File,
}

/// Collects the differences of `found` from `expected`, the first variant's.
pub(super) fn differences(expected: &Observation, found: &Observation) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut add = |aspect, place: Option<String>, one: String, other: String| {
        differences.push(Difference { variant: found.variant, aspect, place, expected: one, found: other });
    };
    if !is_same_ending(expected, found) {
        add(Aspect::Ending, None, expected.ending.to_string(), found.ending.to_string());
        // Everything else follows from this.
        return differences;
    }
    // Where the fuel runs out within a block of operators is up to the engine.
    if matches!(&expected.ending, Ending::Failed(error) if error.kind == ErrorKind::OutOfFuel) {
        return differences;
    }
    for (aspect, one, other) in
        [(Aspect::Stdout, &expected.stdout, &found.stdout), (Aspect::Stderr, &expected.stderr, &found.stderr)]
    {
        if one != other {
            let at = one.iter().zip(other).take_while(|(one, other)| one == other).count();
            let show = |bytes: &[u8]| excerpt(&bytes[at..]);
            add(aspect, Some(format!("byte {at}")), show(one), show(other));
        }
    }
    let text = |fuel: Option<u64>| fuel.map_or("unknown".to_owned(), |fuel| fuel.to_string());
    if expected.fuel_used != found.fuel_used {
        add(Aspect::Fuel, None, text(expected.fuel_used), text(found.fuel_used));
    }
    for (name, value) in &expected.globals {
        if let Some(other) = found.globals.get(name).filter(|other| !is_same_value(value, other, found.variant)) {
            add(Aspect::Global, Some(name.clone()), value.to_string(), other.to_string());
        }
    }
    for (name, state) in &expected.memories {
        let Some(other) = found.memories.get(name) else { continue };
        if state.bytes != other.bytes {
            add(Aspect::Memory, Some(name.clone()), format!("{} bytes", state.bytes), format!("{} bytes", other.bytes));
        } else if state.hash != other.hash {
            let place = other.first_difference.map_or_else(|| name.clone(), |at| format!("{name} at {at:#x}"));
            let short = |hash: &str| format!("hash {}", &hash[..16]);
            add(Aspect::Memory, Some(place), short(&state.hash), short(&other.hash));
        }
    }
    if expected.denied != found.denied {
        let text =
            |denied: Option<_>| denied.map_or("none".to_owned(), |denied: crate::LimitExceeded| denied.to_string());
        add(Aspect::Denied, None, text(expected.denied), text(found.denied));
    }
    for (guest, files) in &expected.files {
        let Some(path) = found.files.get(guest).and_then(|other| files.first_difference(other)) else { continue };
        let place = std::path::Path::new(guest).join(path).display().to_string();
        let entry = |observation: &Observation| observation.files[guest].describe(path);
        add(Aspect::File, Some(place), entry(expected), entry(found));
    }
    differences
}

/// Returns whether two runs ended alike.
fn is_same_ending(expected: &Observation, found: &Observation) -> bool {
    match (&expected.ending, &found.ending) {
        (Ending::Returned(CallResult::Core(one)), Ending::Returned(CallResult::Core(other))) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same_value(one, other, found.variant))
        }
        (one, other) => one == other,
    }
}

/// Returns whether two values are the same, bit for bit. If the compiler does not make NaNs canonical, any NaN equals any other.
fn is_same_value(one: &Value, other: &Value, variant: Variant) -> bool {
    let are_nans = match (one, other) {
        (Value::F32(one), Value::F32(other)) => one.is_nan() && other.is_nan(),
        (Value::F64(one), Value::F64(other)) => one.is_nan() && other.is_nan(),
        _ => false,
    };
    one == other || (are_nans && !variant.compiler.has_canonical_nans())
}

/// Returns whether the bits of a NaN can be the cause of a difference.
pub(super) fn may_be_nan(difference: &Difference, expected: &Observation) -> bool {
    let holds_vectors = |ending: &Ending| match ending {
        Ending::Returned(CallResult::Core(values)) => values.iter().any(|value| matches!(value, Value::V128(_))),
        _ => false,
    };
    match difference.aspect {
        Aspect::Stdout | Aspect::Stderr | Aspect::Memory | Aspect::Global | Aspect::File => true,
        Aspect::Ending => holds_vectors(&expected.ending),
        Aspect::Fuel | Aspect::Denied => false,
    }
}

/// Shows the beginning of some bytes.
fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    let shown = bytes[..bytes.len().min(SHOWN)].escape_ascii();
    format!("\"{shown}\"{}", if bytes.len() > SHOWN { "…" } else { "" })
}
