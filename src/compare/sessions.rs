//! The code of a comparison before it is compiled.

use super::{CompareOptions, Comparer, ErrorSummary, Variant, run};
use crate::component::info::CodeInfo;
use crate::error::{Error, ErrorKind, Result};
use crate::module::floats;
use crate::runtime::callable::Callable;
use crate::session::{Event, Session};

/// A module or component, opened on each variant and not yet compiled.
#[derive(Debug)]
pub struct CompareSessions<'a> {
    callable: Callable,
    info: CodeInfo,
    options: CompareOptions,
    may_make_nans: bool,
    sessions: Vec<(Variant, Result<Session<'a>, Error>)>,
}

impl<'a> CompareSessions<'a> {
    /// Opens a module or component, in the binary or the text format, on each variant. `function` is the function to call; `None`
    /// runs the program. A variant that refuses the module or the limits is part of each comparison.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownExport`] if there is no such function; the error of the first variant if all refuse the module;
    /// [`ErrorKind::InvalidArgument`] without variants.
    pub fn open(code: &'a [u8], function: Option<&str>, options: CompareOptions) -> Result<Self> {
        let text = options.text.clone();
        Self::open_for(code, options, &|info| Callable::find_with(info, function, &text))
    }

    pub(super) fn open_for(
        code: &'a [u8],
        options: CompareOptions,
        find: &dyn Fn(&CodeInfo) -> Result<Callable>,
    ) -> Result<Self> {
        let of = |variant: &Variant| (*variant, Session::open(&options.config(*variant), code, None));
        let sessions: Vec<_> = options.variants.iter().map(of).collect();
        let Some(session) = sessions.iter().find_map(|(_, session)| session.as_ref().ok()) else {
            let nothing = || Error::new(ErrorKind::InvalidArgument, "there is nothing to compare: no variant is given");
            return Err(sessions.into_iter().find_map(|(_, session)| session.err()).unwrap_or_else(nothing));
        };
        let info = session.info().clone();
        // Only without canonical NaNs does it matter.
        let may_make_nans = options.variants.iter().all(|variant| variant.compiler.has_canonical_nans())
            || session.binary().is_none_or(|binary| floats::has_float_operators(binary).unwrap_or(true));
        Ok(Self { callable: find(&info)?, info, options, may_make_nans, sessions })
    }

    /// Returns the function, which decodes its arguments.
    #[must_use]
    pub fn callable(&self) -> &Callable {
        &self.callable
    }

    /// Returns the imports, exports and other facts.
    #[must_use]
    pub fn info(&self) -> &CodeInfo {
        &self.info
    }

    /// Returns whether the code can read standard input.
    #[must_use]
    pub fn reads_stdin(&self) -> bool {
        run::reads_stdin(&self.info)
    }

    /// Compiles on each variant. A variant that refuses the code or the grants is part of each comparison.
    pub fn compile(self, events: &dyn Fn(Event)) -> Comparer {
        let Self { callable, info, options, may_make_nans, sessions } = self;
        let mut runners = Vec::with_capacity(sessions.len());
        for (variant, session) in sessions {
            match session.and_then(|session| session.prepare(options.instances(), events)) {
                Ok(prepared) => runners.push((variant, Ok(prepared))),
                // No comparison can say more about an engine without components.
                Err(_) if info.component().is_ok() && !variant.has_components() => {}
                Err(error) => runners.push((variant, Err(ErrorSummary::from(&error)))),
            }
        }
        Comparer::of_runners(callable, info, options, may_make_nans, runners)
    }
}

impl Comparer {
    /// Compiles a module or component, in the binary or the text format, on each variant. `function` is the function to call; `None`
    /// runs the program. A variant that refuses the module, the limits or the grants is part of each comparison.
    ///
    /// # Errors
    /// Those of [`CompareSessions::open`].
    pub fn new(code: &[u8], function: Option<&str>, options: CompareOptions) -> Result<Self> {
        Ok(CompareSessions::open(code, function, options)?.compile(&|_| {}))
    }
}
