//! Suggests a name for a misspelled one.

/// The maximum length in bytes of a name that is compared with others.
const MAX_COMPARED: usize = 256;

/// The least similarity of a name that is suggested, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.75;

/// Returns the name most similar to `name`, if one is similar enough to suggest. Ignores long names, since a comparison takes
/// time proportional to the product of the lengths.
pub(crate) fn most_similar<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > MAX_COMPARED {
        return None;
    }
    let scored =
        names.filter(|other| other.len() <= MAX_COMPARED).map(|other| (strsim::jaro_winkler(name, other), other));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score > MIN_SIMILARITY).map(|(_, other)| other)
}
