//! Which formats, actions and functions go together.

use super::options::{BatchInput, BatchOptions, BatchOutput, OnError};
use super::{arrow, input};
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::Callable;
use crate::session::InstanceMode;

impl BatchOptions {
    /// Checks that the formats go together, and fit the function.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if they do not, with the reason; [`ErrorKind::UnsupportedFeature`] for Arrow in a build
    /// without it.
    pub fn check(&self, callable: &Callable) -> Result<()> {
        self.check_arrow(callable)?;
        self.check_input(callable)?;
        self.check_output(callable)?;
        self.check_pass()
    }

    /// Checks that the options fit records that are operations on one instance.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] if they do not, with the reason.
    pub fn check_driven(&self) -> Result<()> {
        let refused = |what: &str| {
            let message = format!("without a function, records are operations on one instance, and {what}");
            Err(invalid(message).with_hint("give the name of an exported function to call it with each record"))
        };
        match self {
            Self { input, .. } if !matches!(input, BatchInput::Json | BatchInput::Msgpack) => {
                refused(&format!("the format `{input}` cannot express these"))
            }
            Self { output, .. } if !matches!(output, BatchOutput::Json | BatchOutput::Msgpack | BatchOutput::Text) => {
                refused(&format!("the format `{output}` cannot express the answers"))
            }
            Self { jobs, .. } if jobs.get() > 1 => refused(&format!("{jobs} jobs cannot share it")),
            Self { worker, .. } if worker.instance != InstanceMode::Shared => {
                refused(&format!("it cannot have the instances `{}`", worker.instance))
            }
            Self { ordered: false, .. } => refused("the answers cannot be unordered"),
            Self { columns: Some(_), .. } | Self { header: false, .. } => refused("they have no columns"),
            _ => self.check_pass(),
        }
    }

    fn check_arrow(&self, callable: &Callable) -> Result<()> {
        if self.input != BatchInput::Arrow && self.output != BatchOutput::Arrow {
            return Ok(());
        }
        arrow::check(callable)
    }

    fn check_input(&self, callable: &Callable) -> Result<()> {
        let params = callable.param_count();
        let input = self.input;
        if matches!(input, BatchInput::Lines | BatchInput::Nul) && params > 1 {
            let message = format!("a record of the format `{input}` is one argument, and {callable} takes {params}");
            return Err(invalid(message).with_hint("records in CSV or JSON can have several arguments"));
        }
        if !self.header && input != BatchInput::Csv {
            return Err(invalid(format!("records of the format `{input}` have no header to leave out")));
        }
        let Some(columns) = &self.columns else { return Ok(()) };
        if !matches!(input, BatchInput::Csv | BatchInput::Arrow) {
            return Err(invalid(format!("records of the format `{input}` have no columns")));
        }
        if columns.len() != params {
            let given = input::counted_columns(columns.len());
            return Err(invalid(format!("{given} for the {params} parameters of {callable}")));
        }
        let is_position = |column: &String| column.parse().is_ok_and(|position: usize| position > 0);
        match columns.iter().find(|column| !self.header && !is_position(column)) {
            Some(name) => {
                Err(invalid(format!("without a header, a column is given by its position from 1, not as `{name}`")))
            }
            None => Ok(()),
        }
    }

    fn check_output(&self, callable: &Callable) -> Result<()> {
        if self.output == BatchOutput::Raw {
            if !callable.returns_bytes() {
                let message = format!("the format `raw` needs a result that is a string or bytes: {callable}");
                return Err(invalid(message));
            }
            if self.on_error == OnError::Emit {
                let message = "the format `raw` has no place for error objects";
                return Err(invalid(message).with_hint("add `--on-error skip` or `--on-error fail`"));
            }
        }
        Ok(())
    }

    fn check_pass(&self) -> Result<()> {
        let (input, output) = (self.input, self.output);
        let fits = match output {
            BatchOutput::Json => input == BatchInput::Json,
            BatchOutput::Text => matches!(input, BatchInput::Lines | BatchInput::Nul),
            BatchOutput::Csv => input == BatchInput::Csv,
            BatchOutput::Msgpack => input == BatchInput::Msgpack,
            BatchOutput::Arrow | BatchOutput::Raw => false,
        };
        if fits || self.on_error != OnError::Pass {
            return Ok(());
        }
        Err(invalid(format!("failed records of the format `{input}` cannot pass into output of the format `{output}`")))
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
