//! The parameters of a function, and the columns that are their arguments.

use std::ops::Range;

use arrow_schema::{DataType, Schema};

use super::column::Column;
use super::{check, core_values, wit_values};
use crate::component::failure::Step;
use crate::component::types::WitFunction;
use crate::error::{Error, ErrorKind, Result};
use crate::escape::Escaped;
use crate::runtime::callable::{CallArgs, Callable, CallableType};
use crate::value::args::numbered;
use crate::value::types::FuncType;

/// The types of the parameters of a function.
#[derive(Clone, Debug)]
pub(super) enum Params {
    Core(FuncType),
    Wit(WitFunction),
}

impl Params {
    pub(super) fn new(callable: &Callable) -> Self {
        match callable.ty() {
            CallableType::Core(ty) => Self::Core(ty.clone()),
            CallableType::Component(ty) => Self::Wit(ty.clone()),
            CallableType::Text(function) | CallableType::Stdio(function, _) => Self::Wit(function.ty().clone()),
            CallableType::Program => Self::Core(FuncType::default()),
        }
    }

    /// Checks that the values of columns can be the arguments, in this order.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if a column has a type that cannot be passed.
    pub(super) fn check(&self, schema: &Schema, columns: &[usize]) -> Result<()> {
        columns.iter().enumerate().try_for_each(|(at, column)| {
            let field = schema.field(*column);
            self.check_type(at, field.data_type()).map_err(|reason| {
                let message = format!("column `{}`: {reason}", Escaped(field.name()));
                Error::new(ErrorKind::InvalidArgument, message)
            })
        })
    }

    fn check_type(&self, at: usize, data: &DataType) -> Result<(), String> {
        match self {
            Self::Core(ty) => core_values::check(data, &ty.params()[at]),
            Self::Wit(ty) => check::check(data, &ty.params()[at].1),
        }
    }

    /// Returns the arguments in rows by parameter, if all are numbers in the form of [`Column::numbers`].
    pub(super) fn numbers<'c>(&self, columns: &'c [Column], rows: &Range<usize>) -> Option<Vec<&'c [u8]>> {
        let Self::Core(ty) = self else { return None };
        columns.iter().zip(ty.params()).map(|(column, ty)| column.numbers(ty, rows.clone())).collect()
    }

    /// Overwrites the arguments with those in a row.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if a value is null or out of range.
    #[inline]
    pub(super) fn fill(&self, columns: &[Column], row: usize, args: &mut CallArgs) -> Result<()> {
        match self {
            Self::Core(ty) => {
                let values = args.core_mut();
                values.clear();
                for (at, (column, ty)) in columns.iter().zip(ty.params()).enumerate() {
                    if let Err(error) = core_values::push(column, row, ty, values) {
                        return Err(numbered(error, at, ty));
                    }
                }
            }
            Self::Wit(ty) => {
                let values = args.component_mut();
                values.clear();
                for (column, (name, ty)) in columns.iter().zip(ty.params()) {
                    let value = wit_values::value(column, row, ty);
                    values.push(value.map_err(|failure| failure.at(Step::Name(name.clone())).into_error())?);
                }
            }
        }
        Ok(())
    }
}
