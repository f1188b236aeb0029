use clap::{Args, ValueEnum};

pub(crate) const FORMAT_HEADING: &str = "Input and output";

#[derive(Args, Debug, Default)]
#[command(next_help_heading = FORMAT_HEADING)]
pub(crate) struct FormatArgs {
    /// Format of arguments on standard input
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub(crate) input: InputFormat,
    /// Format of results; raw: the bytes of a string or a list of bytes [default: json; with --explain: text]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub(crate) output: Option<ResultFormat>,
    /// Indent JSON; other formats ignore it
    #[arg(long)]
    pub(crate) pretty: bool,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ReportArgs {
    /// Format of the report
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) output: OutputFormat,
    /// Indent JSON; other formats ignore it
    #[arg(long)]
    pub(crate) pretty: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    #[default]
    Json,
    Msgpack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultFormat {
    Json,
    Msgpack,
    Text,
    Raw,
}

impl ResultFormat {
    /// Returns the format of a report in place of a result.
    pub(crate) fn of_report(self) -> OutputFormat {
        match self {
            Self::Json => OutputFormat::Json,
            Self::Msgpack => OutputFormat::Msgpack,
            Self::Text | Self::Raw => OutputFormat::Text,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    #[default]
    Json,
    Msgpack,
    Text,
}
