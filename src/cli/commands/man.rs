//! `wrun man [DIR]`

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::{Args, Command, ValueHint};
use clap_mangen::Man;

use crate::cli::args::LogArgs;
use crate::cli::argv;
use crate::cli::failure::Failure;
use crate::cli::output::printer;

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// Directory for the pages; without it, the page of `wrun` itself is printed
    #[arg(value_hint = ValueHint::DirPath, value_parser = argv::path())]
    dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

/// Writes the manual pages of `wrun` and its subcommands. The directory `docs/man/` has these pages.
pub(crate) fn main(args: &ManArgs, wrun: &mut Command) -> Result<u8, Failure> {
    wrun.build();
    let failed = |error: &io::Error| Failure::io("cannot write the manual pages", error);
    let Some(dir) = &args.dir else {
        printer::data(&page(wrun).map_err(|error| failed(&error))?.1)?;
        return Ok(0);
    };
    let subcommands = wrun.get_subcommands().filter(|command| !command.is_hide_set());
    for command in [&*wrun].into_iter().chain(subcommands) {
        let written = page(command).and_then(|(name, page)| {
            fs::create_dir_all(dir)?;
            fs::write(dir.join(name), page)
        });
        written.map_err(|error| failed(&error))?;
    }
    Ok(0)
}

/// Returns the name and the contents of the page of a command.
fn page(command: &Command) -> io::Result<(String, Vec<u8>)> {
    // Without a date, the other parts of the title would take its place.
    let man =
        Man::new(command.clone()).date(" ").source(concat!("wrun ", env!("CARGO_PKG_VERSION"))).manual("wrun manual");
    let mut page = Vec::new();
    man.render(&mut page)?;
    let mut page = with_usage(&String::from_utf8_lossy(&page), command);
    // What follows the options in `--help`.
    page = page.replace("\n.SH EXTRA\n", "\n.SH \"EXIT STATUS\"\n");
    page = page.lines().map(|line| bold_code(line) + "\n").collect();
    if man.get_filename() != "wrun.1" {
        page += ".SH \"SEE ALSO\"\n\\fBwrun\\fR(1)\n";
    }
    Ok((man.get_filename(), page.into_bytes()))
}

/// Replaces the synopsis, which lists every option, by the usage of `--help`.
fn with_usage(page: &str, command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").lines().map(|line| line.trim().replace('-', "\\-"));
    let usage = usage.collect::<Vec<_>>().join("\n.br\n");
    let (start, rest) = page.split_once(".SH SYNOPSIS\n").unwrap_or((page, ""));
    let end = rest.find(".SH ").map_or("", |end| &rest[end..]);
    format!("{start}.SH SYNOPSIS\n{usage}\n{end}")
}

/// Replaces backticks in a line by bold type.
fn bold_code(line: &str) -> String {
    let parts: Vec<_> = line.split('`').collect();
    if parts.len() % 2 == 0 {
        return line.to_owned();
    }
    let parts = parts.iter().enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { (*part).to_owned() } else { format!("\\fB{part}\\fR") }).collect()
}
