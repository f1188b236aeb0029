//! Reports with one mistake each, which a schema must refuse.

use serde_json::{Value, json};

/// Members that some reports do not have.
const OPTIONAL: [&str; 14] = [
    "result",
    "result_types",
    "error",
    "stdout",
    "stdout_truncated",
    "stdout_bytes",
    "stderr",
    "stderr_truncated",
    "stderr_bytes",
    "guest_exit_code",
    "backtrace_truncated",
    "record",
    "batch",
    "id",
];

/// Objects whose members have any name.
const MAPS: [&str; 5] = ["globals", "memories", "errors", "reasons", "inconclusive"];

/// How many items of an array get mistakes.
const MAX_ITEMS: usize = 4;

/// Returns copies of a report that lack a member, have another one, or a value of another type, each with its place.
pub(crate) fn wrong_reports(report: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    collect(report, report, "", &mut found);
    found
}

fn collect(report: &Value, value: &Value, place: &str, found: &mut Vec<(String, Value)>) {
    let name = place.rsplit('/').next().unwrap_or_default();
    // Values of any type.
    if ["/result", "/id"].contains(&place) || name == "returned" || place.contains("/globals/") {
        return;
    }
    let mut replace = |replacement: Value| {
        let mut wrong = report.clone();
        *wrong.pointer_mut(place).unwrap() = replacement;
        found.push((place.to_owned(), wrong));
    };
    replace(if value.is_array() { json!(1) } else { json!([[]]) });
    if value.is_number() && !["guest_exit_code", "exited"].contains(&name) {
        replace(json!(-1));
    }
    match value {
        Value::Object(members) => {
            if !["globals", "reasons", "inconclusive"].contains(&name) {
                let mut more = members.clone();
                more.insert("new".to_owned(), json!(1));
                replace(more.into());
            }
            // Which members a failed record has depends on the error.
            let is_optional = |member: &str| {
                OPTIONAL.contains(&member) || MAPS.contains(&name) || (member == "trap" && value["record"].is_u64())
            };
            for member in members.keys().filter(|member| !is_optional(member)) {
                let mut fewer = members.clone();
                fewer.remove(member);
                replace(fewer.into());
            }
            for (name, member) in members {
                collect(report, member, &format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(MAX_ITEMS) {
                collect(report, item, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn each_mistake_is_made_once() {
    let places: Vec<_> = wrong_reports(&json!({"ok": true, "runs": [{"ns": 1}], "id": {"a": 1}}))
        .into_iter()
        .map(|(place, wrong)| format!("{place} {wrong}"))
        .collect();
    assert_eq!(
        places,
        [
            " [[]]",
            r#" {"id":{"a":1},"new":1,"ok":true,"runs":[{"ns":1}]}"#,
            r#" {"id":{"a":1},"runs":[{"ns":1}]}"#,
            r#" {"id":{"a":1},"ok":true}"#,
            r#"/ok {"id":{"a":1},"ok":[[]],"runs":[{"ns":1}]}"#,
            r#"/runs {"id":{"a":1},"ok":true,"runs":1}"#,
            r#"/runs/0 {"id":{"a":1},"ok":true,"runs":[[[]]]}"#,
            r#"/runs/0 {"id":{"a":1},"ok":true,"runs":[{"new":1,"ns":1}]}"#,
            r#"/runs/0 {"id":{"a":1},"ok":true,"runs":[{}]}"#,
            r#"/runs/0/ns {"id":{"a":1},"ok":true,"runs":[{"ns":[[]]}]}"#,
            r#"/runs/0/ns {"id":{"a":1},"ok":true,"runs":[{"ns":-1}]}"#,
        ]
    );
}
