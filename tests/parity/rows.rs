//! The rows of `fixtures/expected.json`.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use wrun::value::json;
use wrun::{Feature, FuncType, Trap, Value};

use crate::fixtures;

/// Every trap.
pub(crate) const TRAPS: &[Trap] = &[
    Trap::Unreachable,
    Trap::IntegerDivideByZero,
    Trap::IntegerOverflow,
    Trap::InvalidConversionToInteger,
    Trap::MemoryOutOfBounds,
    Trap::TableOutOfBounds,
    Trap::UninitializedElement,
    Trap::IndirectCallTypeMismatch,
    Trap::StackOverflow,
    Trap::UnalignedAtomic,
    Trap::AtomicWaitNonSharedMemory,
    Trap::NullReference,
    Trap::ArrayOutOfBounds,
    Trap::CastFailure,
    Trap::AllocationTooLarge,
    Trap::UncaughtException,
];

/// One call on a fresh instance, and how it ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// The path of the module in the package.
    pub(crate) file: String,
    /// The exported function.
    pub(crate) function: String,
    /// Its arguments as text.
    pub(crate) args: Vec<String>,
    /// The result as JSON. `null` is a result too, unlike a missing field.
    #[serde(default, deserialize_with = "present")]
    pub(crate) result: Option<Box<RawValue>>,
    /// The name of the trap, if the call traps.
    pub(crate) trap: Option<String>,
    #[serde(default)]
    needs: Vec<String>,
}

fn present<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::deserialize(source).map(Some)
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.file, self.function, self.args.join(" "))
    }
}

impl Row {
    /// Returns the features that the row requires.
    pub(crate) fn needed_features(&self) -> BTreeSet<Feature> {
        let feature = |name: &String| Feature::ALL.iter().copied().find(|feature| feature.as_str() == name);
        self.needs.iter().map(|name| feature(name).unwrap_or_else(|| panic!("{self}: no feature {name}"))).collect()
    }

    /// Returns whether the module allocates objects or exceptions.
    pub(crate) fn allocates_objects(&self) -> bool {
        let needed = self.needed_features();
        needed.contains(&Feature::Gc) || needed.contains(&Feature::Exceptions)
    }

    /// Returns the expected results, decoded with the types of `returned`; `None` if the call should trap.
    pub(crate) fn expected_values(&self, returned: &[Value]) -> Option<Vec<Value>> {
        let document = match (self.result.as_ref()?.get(), returned) {
            ("null", []) => "[]",
            (document, _) => document,
        };
        let types: Vec<_> = returned.iter().map(Value::ty).collect();
        json::decode_args(document.as_bytes(), &FuncType::new(types, [])).ok()
    }
}

/// Returns every row, in order.
pub(crate) fn all() -> Vec<Row> {
    let rows: Vec<Row> = serde_json::from_slice(&fixtures::read("fixtures/expected.json")).unwrap();
    assert!(!rows.is_empty(), "expected.json has no rows");
    rows
}
