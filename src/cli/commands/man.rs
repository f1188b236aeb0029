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
    let man = Man::new(command.clone()).source(concat!("wrun ", env!("CARGO_PKG_VERSION"))).manual("wrun manual");
    let mut page = Vec::new();
    man.render(&mut page)?;
    // What follows the options in `--help`.
    let page = String::from_utf8_lossy(&page).replace("\n.SH EXTRA\n", "\n.SH \"EXIT STATUS\"\n");
    Ok((man.get_filename(), page.into_bytes()))
}
