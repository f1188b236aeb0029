//! Stands in for WAVE in a build without components.

use crate::component::failure::Refusal;
use crate::component::types::WitType;
use crate::component::value::WitValue;

/// Refuses every text.
pub(crate) fn parse(_: &str, _: &WitType) -> Result<WitValue, Refusal> {
    Err(Refusal::Syntax("WAVE needs the cargo feature `components`".to_owned()))
}
