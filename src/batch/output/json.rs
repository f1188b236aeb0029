//! One JSON value in each line.

use serde::Serialize;

use super::RecordError;
use crate::batch::input::Id;
use crate::runtime::call::CallResult;

#[derive(Serialize)]
struct WithId<'a, T> {
    id: Id<'a>,
    #[serde(flatten)]
    outcome: T,
}

#[derive(Serialize)]
struct Success<'a> {
    result: &'a CallResult,
}

#[derive(Serialize)]
struct Failed<'a> {
    error: RecordError<'a>,
}

/// Appends a result: bare, or with the id of its record.
pub(in crate::batch) fn result(id: Option<Id<'_>>, result: &CallResult, output: &mut Vec<u8>) {
    match id {
        Some(id) => line(&WithId { id, outcome: Success { result } }, output),
        None => line(result, output),
    }
}

/// Appends an error object.
pub(in crate::batch) fn error(id: Option<Id<'_>>, error: RecordError<'_>, output: &mut Vec<u8>) {
    let outcome = Failed { error };
    match id {
        Some(id) => line(&WithId { id, outcome }, output),
        None => line(&outcome, output),
    }
}

fn line(value: &impl Serialize, output: &mut Vec<u8>) {
    serde_json::to_writer(&mut *output, value).unwrap_or_else(|error| unreachable!("JSON in memory: {error}"));
    output.push(b'\n');
}
