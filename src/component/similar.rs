//! Suggests a name for a misspelled one.

/// The maximum length in bytes of a name that is compared with others.
const MAX_COMPARED: usize = 256;

/// The least similarity of a name that is suggested, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.75;

/// Returns how similar two names are, from 0 to 1. Long names are similar to none, since a comparison takes time proportional to
/// the product of the lengths.
pub(crate) fn similarity(a: &str, b: &str) -> f64 {
    if a.len().max(b.len()) > MAX_COMPARED { 0.0 } else { strsim::jaro_winkler(a, b) }
}

/// Returns whether a name of this similarity is worth suggesting.
pub(crate) fn is_similar(similarity: f64) -> bool {
    similarity > MIN_SIMILARITY
}

/// Returns the name most similar to `name`, if one is similar enough to suggest: the first of several.
#[must_use]
pub fn most_similar<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let scored = names.map(|other| (similarity(name, other), other));
    let best = scored.reduce(|best, other| if other.0 > best.0 { other } else { best });
    best.filter(|(score, _)| is_similar(*score)).map(|(_, other)| other)
}
