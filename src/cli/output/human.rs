//! Results as text.

use wrun::Value;

/// Formats one value per line, or `null` if there are none.
pub(crate) fn values(values: &[Value]) -> String {
    if values.is_empty() {
        return "null\n".to_owned();
    }
    values.iter().map(|value| format!("{value}\n")).collect()
}
