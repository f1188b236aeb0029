//! A directory from which a comparison can be repeated.

use std::fs;
use std::io;
use std::path::Path;

use wrun::compare::{Comparer, Comparison};

use super::args::{InputFormat, OutputFormat, ReportArgs};
use super::failure::Failure;
use super::output::machine;
use super::settings::{Arguments, GuestSettings};

/// Writes the module, the standard input, the report and the command to a new directory.
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
    let written = fs::create_dir(dir).and_then(|()| {
        fs::write(dir.join("module.wasm"), code)?;
        fs::write(dir.join("stdin"), stdin)?;
        fs::write(dir.join("report.json"), machine::encode(comparison, format))?;
        fs::write(dir.join("command.sh"), command(arguments, guest, comparer)?)
    });
    written.map_err(|error| Failure::io(&format!("cannot write the directory {}", dir.display()), &error))
}

/// Returns a shell script that repeats the comparison in the directory of its files.
fn command(arguments: &Arguments, guest: &GuestSettings, comparer: &Comparer) -> io::Result<String> {
    let mut words = vec!["wrun".to_owned(), "diff".to_owned()];
    let mut option = |name: &str, value: String| words.push(format!("{name}={value}"));
    let (limits, options) = (&guest.limits, comparer.options());
    limits.memory.value.into_iter().for_each(|bytes| option("--memory", format!("{bytes}B")));
    limits.stack.value.into_iter().for_each(|bytes| option("--stack", format!("{bytes}B")));
    limits.table_elements.value.into_iter().for_each(|count| option("--table-elements", count.to_string()));
    limits.fuel.value.into_iter().for_each(|units| option("--fuel", units.to_string()));
    limits.timeout.value.into_iter().for_each(|time| option("--timeout", format!("{}ns", time.as_nanos())));
    option("--deterministic", options.capabilities.seed.unwrap_or_default().to_string());
    for dir in &guest.capabilities.dirs {
        let access = if dir.access == wrun::Access::ReadOnly { "::ro" } else { "" };
        option("--dir", format!("{}::{}{access}", fs::canonicalize(&dir.host)?.display(), dir.guest));
    }
    guest.capabilities.env.iter().for_each(|(name, value)| option("--env", format!("{name}={value}")));
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
    words.push("module.wasm".to_owned());
    words.extend(guest.function.clone());
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
