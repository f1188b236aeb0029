//! `wrun MODULE [FUNCTION] [ARGS]...`

use std::path::Path;
use std::time::Instant;

use wrun::runtime::preflight;
use wrun::session::{CallMetrics, Session, nanoseconds};
use wrun::{Error, ErrorKind, ModuleInfo, ValType, Value};

use crate::cli::args::{OutputFormat, RunArgs};
use crate::cli::failure::{self, Failure};
use crate::cli::report::envelope::{Call, Envelope};
use crate::cli::report::progress::Progress;
use crate::cli::report::{human, machine};
use crate::cli::settings::{Arguments, RunSettings};
use crate::cli::{input, printer};

/// The export a program starts at.
const START: &str = "_start";

/// Calls a function, or runs a program, and prints what came of it.
pub(crate) fn main(args: RunArgs) -> Result<u8, Failure> {
    let started = Instant::now();
    let settings = RunSettings::resolve(args)?;
    let mut call = Call::default();
    let result = failure::guard(|| run(&settings, started, &mut call));
    call.metrics.total_ns = Some(nanoseconds(started));
    if settings.metrics {
        let envelope = Envelope::new(&settings, &call, &result);
        printer::data(&encode(&envelope, &settings))?;
        return Ok(envelope.exit_code());
    }
    let values = result?;
    let shown = match settings.output {
        OutputFormat::Text => human::values(&values).into_bytes(),
        _ => encode(&wrun::value::serial::Results(&values), &settings),
    };
    printer::data(&shown)?;
    Ok(0)
}

fn run(settings: &RunSettings, started: Instant, call: &mut Call) -> Result<Vec<Value>, Failure> {
    let bytes = input::module(&settings.module)?;
    let opened = Session::open(&settings.config, &bytes);
    call.metrics.load_ns = Some(nanoseconds(started));
    let session = opened?;
    let function = choose(session.info(), settings)?;
    call.function = Some(function.to_owned());
    let ty = preflight::find_function(session.info(), function)?;
    preflight::check_passable(function, ty)?;
    call.result_types = ty.results().iter().map(ValType::to_string).collect();
    let args = arguments(settings, function, ty)?;

    let progress = Progress::new(settings.progress);
    let outcome = session.call(function, &args, settings.limits, settings.capabilities.clone(), &|event| {
        progress.show(event);
    });
    let CallMetrics { load_ns, .. } = call.metrics;
    call.metrics = outcome.metrics;
    call.metrics.load_ns = load_ns;
    Ok(outcome.result?)
}

/// The function to call: the one named, else `_start` of a program.
fn choose<'s>(info: &ModuleInfo, settings: &'s RunSettings) -> Result<&'s str, Failure> {
    if let Some(name) = &settings.function {
        return Ok(name);
    }
    if info.function(START).is_some_and(|ty| ty.params().is_empty() && ty.results().is_empty()) {
        return Ok(START);
    }
    let message = "no function was named, and the module is no program (it exports no `_start` of type () -> ())";
    let error = Error::new(ErrorKind::UnknownExport, message);
    Err(error.with_hint(preflight::list_of_functions(info)).into())
}

/// The arguments; a failure shows the signature they were held against.
fn arguments(settings: &RunSettings, function: &str, ty: &wrun::FuncType) -> Result<Vec<Value>, Failure> {
    if reads_stdin_twice(&settings.args, &settings.module, ty) {
        return Err(Failure::both_from_stdin());
    }
    input::arguments(&settings.args, ty).map_err(|failure| failure.hint(format!("signature: {function}{ty}")))
}

/// Whether the arguments would have to come from where the module came from.
fn reads_stdin_twice(args: &Arguments, module: &Path, ty: &wrun::FuncType) -> bool {
    matches!(args, Arguments::Unsaid(_)) && !ty.params().is_empty() && module.as_os_str() == "-"
}

fn encode<T: serde::Serialize>(value: &T, settings: &RunSettings) -> Vec<u8> {
    match settings.output {
        OutputFormat::Msgpack => machine::msgpack(value),
        OutputFormat::Json | OutputFormat::Text => machine::json(value, settings.pretty),
    }
}
