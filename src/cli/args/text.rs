use clap::Args;
use wrun::{Abi, Payload, TextOptions};

use super::variant;
use crate::cli::argv;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Text and bytes")]
pub(crate) struct TextArgs {
    /// Convention by which a core module takes and returns text [default: none; extism for an Extism plug-in]
    #[arg(long, value_name = "ABI", value_parser = variant::<Abi>())]
    pub(crate) abi: Option<Abi>,
    /// How JSON and MessagePack represent the text: a string, a JSON value, or bytes [default: text]
    #[arg(long, value_name = "PAYLOAD", value_parser = variant::<Payload>())]
    pub(crate) payload: Option<Payload>,
    /// Exported function that allocates memory [default: one of the usual names]
    #[arg(long, value_name = "NAME", value_parser = argv::text())]
    pub(crate) alloc: Option<String>,
    /// Exported function that frees memory; empty: free nothing [default: one of the usual names]
    #[arg(long, value_name = "NAME", value_parser = argv::text())]
    pub(crate) free: Option<String>,
}

impl TextArgs {
    /// Returns the options as the library takes them.
    pub(crate) fn options(&self) -> TextOptions {
        let mut options = TextOptions::default();
        (options.abi, options.payload) = (self.abi, self.payload.unwrap_or_default());
        (options.alloc, options.free) = (self.alloc.clone(), self.free.clone());
        options
    }
}
