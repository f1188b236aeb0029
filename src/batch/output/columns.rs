//! The columns of results and errors.

use crate::component::types::{Name, TypeKind, WitType};
use crate::component::value::WitValue;
use crate::runtime::call::CallResult;
use crate::runtime::callable::Callable;
#[cfg(feature = "arrow")]
use crate::runtime::callable::CallableType;
#[cfg(feature = "arrow")]
use crate::value::types::ValType;
use crate::value::types::Value;

/// The column of ids, which comes first.
pub(in crate::batch) const ID_COLUMN: &str = "id";

/// The columns of errors, which come last.
pub(in crate::batch) const ERROR_COLUMNS: [&str; 2] = ["error_kind", "error_message"];

/// The columns of the results of a function: the fields of a record, unless one would have the name of the column of ids;
/// `result1`, `result2` and so on for several results; `result` for any other.
#[derive(Clone, Debug)]
pub(in crate::batch) struct ResultColumns {
    names: Vec<Name>,
    fields: Option<Box<[(Name, WitType)]>>,
}

/// The type of a column.
#[cfg(feature = "arrow")]
#[derive(Clone, Copy, Debug)]
pub(in crate::batch) enum ColumnType<'a> {
    Core(&'a ValType),
    Component(&'a WitType),
    /// There is no result.
    None,
}

/// The value in a column.
#[derive(Clone, Copy, Debug)]
pub(in crate::batch) enum ColumnValue<'a> {
    Core(&'a Value),
    Component(&'a WitValue, &'a WitType),
    /// There is no result.
    None,
}

impl ResultColumns {
    pub(in crate::batch) fn new(callable: &Callable, has_ids: bool) -> Self {
        let fields = callable.wit_type().and_then(|ty| ty.result()).and_then(|ty| match ty.kind() {
            Some(TypeKind::Record(fields)) if !(has_ids && has_id(fields)) => Some(fields.clone()),
            _ => None,
        });
        let names = match (&fields, callable.result_types().len()) {
            (Some(fields), _) => fields.iter().map(|(name, _)| name.clone()).collect(),
            (None, count @ 2..) => (1..=count).map(|number| format!("result{number}").into()).collect(),
            (None, _) => vec!["result".into()],
        };
        Self { names, fields }
    }

    pub(in crate::batch) fn names(&self) -> &[Name] {
        &self.names
    }

    /// Returns the type of a column for the results of the function.
    #[cfg(feature = "arrow")]
    pub(in crate::batch) fn ty<'a>(&'a self, callable: &'a Callable, column: usize) -> ColumnType<'a> {
        match (callable.ty(), &self.fields) {
            (CallableType::Core(ty), _) => ty.results().get(column).map_or(ColumnType::None, ColumnType::Core),
            (_, Some(fields)) => fields.get(column).map_or(ColumnType::None, |(_, ty)| ColumnType::Component(ty)),
            _ => callable.wit_type().and_then(|ty| ty.result()).map_or(ColumnType::None, ColumnType::Component),
        }
    }

    /// Returns the value in a column of a result.
    pub(in crate::batch) fn value<'a>(&'a self, result: &'a CallResult, column: usize) -> ColumnValue<'a> {
        match (result, &self.fields) {
            (CallResult::Core(values), _) => values.get(column).map_or(ColumnValue::None, ColumnValue::Core),
            (CallResult::Component(Some(WitValue::Record(values)), _), Some(fields)) => {
                match values.get(column).zip(fields.get(column)) {
                    Some(((_, value), (_, ty))) => ColumnValue::Component(value, ty),
                    None => ColumnValue::None,
                }
            }
            (CallResult::Component(value, ty), _) => match value.as_ref().zip(ty.result()) {
                Some((value, ty)) => ColumnValue::Component(value, ty),
                None => ColumnValue::None,
            },
        }
    }
}

/// Returns whether a field of a record has the name of the column of ids.
fn has_id(fields: &[(Name, WitType)]) -> bool {
    fields.iter().any(|(name, _)| &**name == ID_COLUMN)
}
