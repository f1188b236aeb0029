//! A directory from which a comparison can be repeated.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use wrun::compare::{Comparer, Comparison};
use wrun::escape::EscapedPath;

use super::args::{InputFormat, OutputFormat, ReportArgs};
use super::failure::Failure;
use super::output::machine;
use super::settings::{Arguments, GuestSettings};

/// The file for what no option sets.
const MANIFEST: &str = "manifest.json";

/// Writes the module, the standard input, the report and the command to a new directory that only its owner can read: the command
/// can contain values of variables.
pub(crate) fn write(
    dir: &Path,
    code: &[u8],
    stdin: &[u8],
    arguments: &Arguments,
    guest: &GuestSettings,
    comparer: &Comparer,
    comparison: &Comparison,
) -> Result<(), Failure> {
    let format = ReportArgs { output: OutputFormat::Json, pretty: true };
    let written = DirBuilder::new().mode(0o700).create(dir).and_then(|()| {
        fs::write(dir.join("module.wasm"), code)?;
        fs::write(dir.join("stdin"), stdin)?;
        fs::write(dir.join("report.json"), machine::encode(comparison, format))?;
        if let Some(manifest) = manifest(guest) {
            fs::write(dir.join(MANIFEST), manifest)?;
        }
        let script = dir.join("command.sh");
        fs::write(&script, command(arguments, guest, comparer)?)?;
        fs::set_permissions(&script, Permissions::from_mode(0o700))
    });
    written.map_err(|error| Failure::io(&format!("cannot write the directory {}", EscapedPath(dir)), &error))
}

/// Returns an Extism manifest with the limit that no option sets.
fn manifest(guest: &GuestSettings) -> Option<String> {
    let bytes = guest.policy.max_variable_bytes?;
    Some(format!("{{\"memory\":{{\"max_var_bytes\":{bytes}}}}}\n"))
}

/// Returns a shell script that repeats the comparison in the directory of its files.
fn command(arguments: &Arguments, guest: &GuestSettings, comparer: &Comparer) -> io::Result<String> {
    let mut words = vec!["wrun".to_owned(), "diff".to_owned()];
    let mut option = |name: &str, value: String| words.push(format!("{name}={value}"));
    let (engine, limits, options) = (&guest.engine, &guest.limits, comparer.options());
    engine.chosen_runtime().into_iter().for_each(|runtime| option("--runtime", runtime.to_string()));
    engine.compiler.value.into_iter().for_each(|compiler| option("--compiler", compiler.to_string()));
    engine.opt.value.into_iter().for_each(|level| option("--opt", level.to_string()));
    guest.policy.max_variable_bytes.into_iter().for_each(|_| option("--policy", MANIFEST.to_owned()));
    limits.memory.value.into_iter().for_each(|bytes| option("--memory", format!("{bytes}B")));
    limits.stack.value.into_iter().for_each(|bytes| option("--stack", format!("{bytes}B")));
    limits.table_elements.value.into_iter().for_each(|count| option("--table-elements", count.to_string()));
    limits.fuel.value.into_iter().for_each(|units| option("--fuel", units.to_string()));
    let microseconds = |time: Duration| format!("{}.{:03}us", time.as_micros(), time.subsec_nanos() % 1000);
    limits.timeout.value.into_iter().for_each(|time| option("--timeout", microseconds(time)));
    option("--deterministic", options.capabilities.seed.unwrap_or_default().to_string());
    for dir in &guest.capabilities.dirs {
        let access = if dir.access == wrun::Access::ReadOnly { "::ro" } else { "" };
        option("--dir", format!("{}::{}{access}", fs::canonicalize(&dir.host)?.display(), dir.guest));
    }
    for (name, value) in &guest.capabilities.env {
        let is_inherited = std::env::var_os(name).is_some_and(|own| own == **value);
        option("--env", if is_inherited { name.clone() } else { format!("{name}={value}") });
    }
    guest.capabilities.net.iter().for_each(|rule| option("--net", rule.to_string()));
    options.plugin.config.iter().for_each(|(name, value)| option("--config", format!("{name}={value}")));
    let text = &options.text;
    text.abi.into_iter().for_each(|abi| option("--abi", abi.to_string()));
    option("--payload", text.payload.to_string());
    text.alloc.iter().for_each(|name| option("--alloc", name.clone()));
    text.free.iter().for_each(|name| option("--free", name.clone()));
    if let Arguments::Stdin(InputFormat::Msgpack) | Arguments::Omitted(InputFormat::Msgpack) = arguments {
        option("--input", "msgpack".to_owned());
    }
    guest.function.iter().for_each(|name| option("--function", name.clone()));
    words.push("module.wasm".to_owned());
    match arguments {
        Arguments::Typed(args) => words.extend(args.iter().cloned()),
        Arguments::Stdin(_) => words.push("-".to_owned()),
        Arguments::Omitted(_) => {}
    }
    let guest_args = guest.capabilities.args.iter().skip(1);
    if guest_args.len() > 0 {
        words.push("--".to_owned());
        words.extend(guest_args.cloned());
    }
    let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    Ok(format!("#!/bin/sh\ncd \"$(dirname \"$0\")\" && exec {} < stdin\n", words.join(" ")))
}

/// Quotes a word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=./:,+".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
