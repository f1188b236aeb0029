//! Results for people.

use wrun::Value;

/// One value a line; nothing is `null`.
pub(crate) fn values(values: &[Value]) -> String {
    if values.is_empty() {
        return "null\n".to_owned();
    }
    values.iter().map(|value| format!("{value}\n")).collect()
}
