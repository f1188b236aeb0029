//! What makes two differences the same kind.

use serde::Serialize;

use crate::compare::{Aspect, Comparison, Difference, Ending, Variant};

/// The kind of a difference: two with the same signature probably have the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Signature {
    /// The variant that differs from the first.
    pub variant: Variant,
    /// The aspect in which it differs.
    pub aspect: Aspect,
    /// How the first variant ended, without the values.
    pub expected: String,
    /// How this variant ended, without the values.
    pub found: String,
}

impl Signature {
    /// Returns the signature of the first difference.
    pub(super) fn of(comparison: &Comparison) -> Option<Self> {
        let Difference { variant, aspect, expected, .. } = comparison.differences.first()?;
        let mut runs = comparison.runs.iter();
        let found = runs.clone().find(|run| run.variant == *variant)?;
        let expected = match aspect {
            Aspect::Ending => runs.find(|run| run.ending.to_string() == *expected)?,
            // The endings are alike.
            _ => found,
        };
        let [expected, found] = [expected, found].map(|run| kind(&run.ending));
        Some(Self { variant: *variant, aspect: *aspect, expected, found })
    }
}

fn kind(ending: &Ending) -> String {
    match ending {
        Ending::Returned(_) => "a result".to_owned(),
        Ending::Failed(error) | Ending::Refused(error) if error.limit.is_some() => error.kind.as_str().to_owned(),
        ending => ending.to_string(),
    }
}
