//! The report of `wrun bench` as text.

use bytesize::ByteSize;
use wrun::bench::{BaselineReport, BenchReport, Measurement, Phase, PhaseReport, Speed};
use wrun::escape::Escaped;

use super::bench_plots::{Axis, percent, time};

/// The width of the widest plot in characters.
const PLOT: usize = 28;

/// Columns of a row of a phase between the name of the variant and the plot.
const NUMBERS: usize = 2 + 8 + 2 + 6 + 2 + 14 + 1;
/// Columns for the number of outliers, for up to a thousand samples.
const OUTLIERS: usize = 2 + 15;
/// The narrowest plot that is drawn.
const MIN_PLOT: usize = 8;
/// Columns of a row of the last table after the name of the variant.
const SIZES: usize = 2 + 14 + 3 * 12;

/// What fits in the lines of the terminal.
#[derive(Clone, Copy, Debug)]
struct Layout {
    /// The width of the column of names; `None` if each name takes a separate line.
    names: Option<usize>,
    /// The width of plots; 0 leaves them out.
    plot: usize,
    has_outliers: bool,
    /// Whether fuel and sizes fit beside the names.
    has_size_columns: bool,
}

impl Layout {
    fn new(names: usize, columns: Option<usize>) -> Self {
        let wide = Self { names: Some(names), plot: PLOT, has_outliers: true, has_size_columns: true };
        let Some(columns) = columns else { return wide };
        let plot = columns.saturating_sub(names + NUMBERS).min(PLOT);
        Self {
            names: (names + NUMBERS <= columns).then_some(names),
            plot: if plot < MIN_PLOT { 0 } else { plot },
            has_outliers: names + NUMBERS + PLOT + OUTLIERS <= columns,
            has_size_columns: names + SIZES <= columns,
        }
    }

    /// Formats the name of a variant at the beginning of its row.
    fn name(self, name: &str) -> String {
        self.names.map_or_else(|| format!("{name}\n "), |width| format!("{name:width$}"))
    }
}

/// Formats the phases with a plot each, what does not depend on time, and the changes since the baseline. Lines have at most
/// `columns` characters if the terminal is not very narrow.
pub(crate) fn text(report: &BenchReport, columns: Option<usize>) -> String {
    let mut text = format!("{}\n{}\n", title(report), environment(report));
    let width = report.variants.iter().map(|variant| variant.name.chars().count()).max().unwrap_or_default();
    let layout = Layout::new(width, columns);
    for phase in &report.phases {
        text += &phase_table(phase, layout);
    }
    text += "\n";
    if layout.has_size_columns {
        text += &format!("{:width$}  {:>14}  {:>10}  {:>10}  {:>10}\n", "variant", "fuel", "code", "on disk", "memory");
    }
    let size = |bytes: Option<u64>| bytes.map_or("-".to_owned(), |bytes| ByteSize::b(bytes).to_string());
    for variant in &report.variants {
        let fuel = variant.fuel_used.map_or("-".to_owned(), |fuel| fuel.to_string());
        let sizes = [variant.compiled_bytes, variant.serialized_bytes, variant.memory_peak_bytes];
        let [code, on_disk, memory] = sizes.map(size);
        text += &match &variant.failed {
            Some(failed) => format!("{:width$}  {}\n", variant.name, Escaped(&failed.message)),
            None if !layout.has_size_columns => {
                format!("{}\n  fuel {fuel}, code {code},\n  on disk {on_disk}, memory {memory}\n", variant.name)
            }
            None => format!("{:width$}  {fuel:>14}  {code:>10}  {on_disk:>10}  {memory:>10}\n", variant.name),
        };
    }
    if let Some(warning) = disagreement(report) {
        text += &format!("\n{warning}\n");
    }
    report.baseline.iter().for_each(|changes| text += &baseline(changes, width));
    text
}

/// Returns the module, the function and the arguments.
pub(crate) fn title(report: &BenchReport) -> String {
    let module = report.module.as_deref().unwrap_or("module");
    let arguments = report.inputs.iter().flat_map(|inputs| &inputs.arguments).map(String::as_str);
    let words = [module, &report.function].into_iter().chain(arguments);
    words.map(|word| Escaped(word).to_string()).collect::<Vec<_>>().join(" ")
}

/// Returns machine and versions on one line.
pub(crate) fn environment(report: &BenchReport) -> String {
    let machine = &report.machine;
    let engines = report.engines.iter().map(|engine| format!("{} {}", engine.runtime, engine.version));
    let threads = machine.threads.map(|threads| format!("{threads} threads"));
    let facts = [format!("wrun {}", report.wrun)].into_iter().chain(engines);
    let facts = facts.chain([format!("{} {}", machine.os, machine.arch)]).chain(machine.cpu.clone()).chain(threads);
    facts.collect::<Vec<_>>().join(", ")
}

/// Returns the name of a phase.
pub(crate) fn phase_name(phase: Phase) -> String {
    let name = phase.to_string();
    let (first, rest) = name.split_at(1);
    format!("{first}{}", rest.to_lowercase())
}

/// Returns a warning if the variants do different things.
pub(crate) fn disagreement(report: &BenchReport) -> Option<&'static str> {
    (report.agreement == "differ").then_some("warning: the variants do not agree: `wrun diff` shows what differs")
}

fn phase_table(phase: &PhaseReport, layout: Layout) -> String {
    let mut text = format!("\n{}: {}\n", phase_name(phase.phase), phase.phase.description());
    let axis = Axis::of(phase).filter(|_| layout.plot > 0);
    let reference = phase.reference().map(|reference| reference.variant.as_str());
    for measured in &phase.measurements {
        let name = &measured.variant;
        let Some(median) = measured.median_ns else {
            let why = measured.failed.as_ref().map(|failed| failed.message.as_str()).unwrap_or_default();
            text += &format!("{}  {}\n", layout.name(name), Escaped(why));
            continue;
        };
        let half_width = measured.half_width().map_or("?".to_owned(), percent);
        let verdict = if reference == Some(name.as_str()) {
            "reference".to_owned()
        } else {
            phase.difference(name).map_or("-".to_owned(), |difference| match difference.speed {
                speed @ (Speed::NoDifference | Speed::Unknown) => speed.to_string(),
                speed => format!("{:.2}x {speed}", factor(difference.ratio, speed)),
            })
        };
        let plot = axis.map(|axis| plot(measured, axis, layout.plot)).unwrap_or_default();
        let name = layout.name(name);
        let mut row = format!("{name}  {:>8} ±{half_width:<6}  {verdict:<14} {plot}", time(median));
        if layout.has_outliers {
            let outliers = measured.outliers.mild + measured.outliers.severe;
            row += &format!("  {outliers} of {} out", measured.samples);
        }
        text += &format!("{}\n", row.trim_end());
    }
    if let Some(axis) = axis {
        let (low, high) = (time(axis.low), time(axis.high));
        let scale = if axis.is_logarithmic { "log" } else { "" };
        let indent = layout.names.unwrap_or_default() + NUMBERS;
        let middle = layout.plot.saturating_sub(low.chars().count() + high.chars().count());
        text += &format!("{:indent$}{low}{scale:^middle$}{high}\n", "");
    }
    text
}

/// Returns how many times faster or slower.
pub(crate) fn factor(ratio: f64, speed: Speed) -> f64 {
    if speed == Speed::Faster { 1.0 / ratio } else { ratio }
}

/// Draws the middle 90 % as a line, the middle half as a thick line, and the median.
fn plot(measured: &Measurement, axis: Axis, width: usize) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a column"
    )]
    let column = |step: usize| {
        let place = measured.quantiles_ns.get(step).map_or(0.0, |ns| axis.place(*ns));
        (place * (width - 1) as f64).round() as usize
    };
    let [from, quarter, median, three_quarters, to] = [1, 5, 10, 15, 19].map(column);
    let mark = |at: usize| match at {
        _ if at == median => '┃',
        _ if (quarter..=three_quarters).contains(&at) => '━',
        _ if (from..=to).contains(&at) => '─',
        _ => ' ',
    };
    (0..width).map(mark).collect()
}

fn baseline(changes: &BaselineReport, width: usize) -> String {
    let mut text = format!("\nbaseline (changes of up to {} do not count)\n", percent(changes.max_regression));
    for note in &changes.notes {
        text += &format!("note: {note}\n");
    }
    let significant = changes.changes.iter().filter(|change| change.speed != Speed::NoDifference);
    for change in significant {
        let [low, high] = change.range;
        let name = phase_name(change.phase);
        let (variant, ratio, speed) = (&change.variant, change.ratio, change.speed);
        let [quicker, slower] = change.machine;
        text += &format!(
            "{variant:width$}  {name:<12}  {ratio:.2}x the time ({low:.2} to {high:.2}; the machine {quicker:.2} to {slower:.2}): {speed}\n"
        );
    }
    for missing in &changes.missing {
        text += &format!("only in the baseline: {}\n", Escaped(missing));
    }
    if changes.changes.iter().all(|change| change.speed == Speed::NoDifference) {
        text += "no difference\n";
    }
    text
}
