//! From what was typed to what is to be done.

use std::path::PathBuf;

use wrun::{Capabilities, Captured, Input, Limits, Output, RuntimeConfig};

use super::args::{InputFormat, OutputFormat, RunArgs, When};
use super::argv;
use super::caching::Caching;
use super::failure::Failure;
use super::provenance::Effective;

/// A call, decided.
#[derive(Debug)]
pub(crate) struct RunSettings {
    pub(crate) module: PathBuf,
    pub(crate) function: Option<String>,
    pub(crate) args: Arguments,
    pub(crate) config: RuntimeConfig,
    pub(crate) limits: Limits,
    pub(crate) capabilities: Capabilities,
    /// Where the three above come from.
    pub(crate) effective: Effective,
    /// Which cache is in force.
    pub(crate) caching: Caching,
    /// How many arguments were given for the guest itself.
    pub(crate) guest_args: usize,
    /// The guest's standard output and error, where they are captured.
    pub(crate) captured: Option<[Captured; 2]>,
    pub(crate) output: OutputFormat,
    pub(crate) pretty: bool,
    pub(crate) metrics: bool,
    pub(crate) progress: When,
    pub(crate) quiet: bool,
}

/// Where arguments come from.
#[derive(Debug)]
pub(crate) enum Arguments {
    /// The command line.
    Typed(Vec<String>),
    /// Standard input, since `-` says so.
    Stdin(InputFormat),
    /// Nothing was typed: none, or standard input where the function takes any and it is no terminal.
    Unsaid(InputFormat),
}

impl RunSettings {
    /// Resolves what was typed.
    ///
    /// # Errors
    /// A usage failure where two parts of it do not go together.
    pub(crate) fn resolve(run: RunArgs) -> Result<Self, Failure> {
        if run.metrics && run.output == Some(OutputFormat::Text) {
            return Err(Failure::usage("the envelope (`--metrics`) is JSON or MessagePack, not text"));
        }
        let effective = Effective::resolve(&run)?;
        let typed: Vec<String> = run.args.iter().map(|arg| argv::value(arg).to_owned()).collect();
        let args = match typed.as_slice() {
            [] => Arguments::Unsaid(run.input),
            [dash] if dash == "-" => Arguments::Stdin(run.input),
            _ => Arguments::Typed(typed),
        };
        let module = argv::path(run.module.unwrap_or_default());
        if module.as_os_str() == "-" && matches!(args, Arguments::Stdin(_)) {
            return Err(Failure::both_from_stdin());
        }
        let name = module.file_name().unwrap_or(module.as_os_str()).to_string_lossy().into_owned();
        let captured = run.capture.then(<[Captured; 2]>::default);
        let [stdout, stderr] = match &captured {
            Some(captured) => captured.clone().map(Output::Capture),
            None => [Output::Inherit, Output::Inherit],
        };
        let guest_args = std::iter::once(name).chain(run.guest_args.iter().cloned());
        let mut capabilities = Capabilities::none().with_args(guest_args).with_stdin(Input::Inherit);
        (capabilities.stdout, capabilities.stderr) = (stdout, stderr);
        effective.grant(&mut capabilities);
        Ok(Self {
            module,
            function: run.function.map(|name| argv::value(&name).to_owned()),
            args,
            config: effective.config(),
            limits: effective.limits(),
            capabilities,
            effective,
            caching: Caching::resolve(run.cache.no_cache, &run.cache.folder)?,
            guest_args: run.guest_args.len(),
            captured,
            output: run.output.unwrap_or(if run.grants.explain { OutputFormat::Text } else { OutputFormat::Json }),
            pretty: run.pretty,
            metrics: run.metrics,
            progress: run.progress,
            quiet: run.log.quiet,
        })
    }
}
