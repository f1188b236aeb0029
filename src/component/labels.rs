//! The names in a type: fields, cases and flags, found by name.

use crate::component::failure::Failure;
use crate::component::similar::most_similar;
use crate::component::types::Name;
use crate::escape::Escaped;

/// The maximum number of names in a hint.
const MAX_NAMES: usize = 20;

/// A part of a type that has a name.
pub(crate) trait Labelled {
    fn label(&self) -> &str;
}

impl Labelled for Name {
    fn label(&self) -> &str {
        self
    }
}

impl<T> Labelled for (Name, T) {
    fn label(&self) -> &str {
        &self.0
    }
}

impl Labelled for &str {
    fn label(&self) -> &str {
        self
    }
}

/// Returns the position of the part with this name. Looks at `first` first: values usually have the order of their type.
pub(crate) fn find<L: Labelled>(labels: &[L], first: usize, name: &str) -> Option<usize> {
    if labels.get(first).is_some_and(|label| label.label() == name) {
        return Some(first);
    }
    labels.iter().position(|label| label.label() == name)
}

/// The failure for a name that the type does not have: `what` is "field", "case" or "flag".
pub(crate) fn unknown<L: Labelled>(labels: &[L], what: &str, name: &str) -> Failure {
    let names = || labels.iter().map(Labelled::label);
    let hint = match most_similar(name, names()) {
        Some(similar) => format!("did you mean `{}`?", Escaped(similar)),
        None => format!("the {what}s are {}", listed(labels)),
    };
    Failure::new(format!("unknown {what} `{}`", Escaped(name))).with_hint(Some(hint))
}

/// Lists the first names.
pub(crate) fn listed<L: Labelled>(labels: &[L]) -> String {
    let names: Vec<_> = labels.iter().take(MAX_NAMES).map(|label| Escaped(label.label()).to_string()).collect();
    match labels.len().saturating_sub(MAX_NAMES) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
