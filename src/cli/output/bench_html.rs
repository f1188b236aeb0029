//! The report of `wrun bench` as a page for browsers: one file, without scripts or anything that is loaded.

use std::fmt::{self, Write as _};

use bytesize::ByteSize;
use wrun::bench::{BaselineReport, BenchReport, Difference, Measurement, PhaseReport, Speed};
use wrun::escape::is_formatting;

use super::bench::{disagreement, environment, factor, phase_name, title};
use super::bench_plots::{Axis, percent, time};

const STYLE: &str = include_str!("bench.css");

/// Text in HTML.
struct Text<T>(T);

impl<T: fmt::Display> fmt::Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                // Characters that would reorder or hide the text around them.
                character if character.is_control() || is_formatting(character) => f.write_char('\u{fffd}')?,
                character => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Formats the page.
pub(crate) fn page(report: &BenchReport) -> String {
    let title = Text(title(report));
    let links: String = report.phases.iter().map(|phase| link(&id(phase), &phase_name(phase.phase))).collect();
    let links = links + &link("sizes", "Fuel and memory") + &link("setting", "Machine and versions");
    let change_link = report.baseline.as_ref().map(|_| link("baseline", "Baseline")).unwrap_or_default();
    let warning = disagreement(report).map(|text| format!("<p class=\"warning\">{}</p>\n", Text(text)));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title} – wrun bench</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the results</a>\n\
         <header>\n<h1>{title}</h1>\n<p class=\"soft\">{}</p>\n{}\
         <nav aria-label=\"Results\"><ul>{change_link}{links}</ul></nav>\n</header>\n<main id=\"main\">\n",
        Text(environment(report)),
        warning.unwrap_or_default()
    );
    report.baseline.iter().for_each(|changes| page += &baseline(changes));
    report.phases.iter().for_each(|phase| page += &section(phase, report));
    page += &sizes(report);
    page += &setting(report);
    page + "</main>\n<footer class=\"soft\"><p>Written by <code>wrun bench --html</code>.</p></footer>\n</body>\n</html>\n"
}

fn link(id: &str, name: &str) -> String {
    format!("<li><a href=\"#{id}\">{}</a></li>", Text(name))
}

fn id(phase: &PhaseReport) -> String {
    phase_name(phase.phase).replace(' ', "-").to_lowercase()
}

/// A phase: its distributions, its ratios, and the numbers as tables.
fn section(phase: &PhaseReport, report: &BenchReport) -> String {
    let (id, name) = (id(phase), phase_name(phase.phase));
    let mut html = format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{name}</h2>\n\
         <p class=\"soft\">{}</p>\n",
        Text(phase.phase.description())
    );
    if let Some(axis) = Axis::of(phase) {
        let scale = if axis.is_logarithmic { "; the axis is logarithmic" } else { "" };
        html += &format!("<h3>Time</h3>\n<figure>\n{}", rows(phase, |measured| distribution(measured, axis)));
        let labels: String = [0.0, 0.5, 1.0].map(|place| format!("<span>{}</span>", time(axis.at(place)))).concat();
        html += &format!("<div class=\"row\" aria-hidden=\"true\"><div class=\"axis\">{labels}</div></div>\n");
        html += &format!(
            "<figcaption>Box: the middle half. Line: the middle 90&nbsp;%. Bar: the median. Each dot is the median of a block of \
             samples, the earliest at the top{scale}.</figcaption>\n</figure>\n"
        );
    }
    if let Some(reference) = phase.reference().filter(|_| !phase.differences.is_empty()) {
        let ratios = |name: &str| phase.difference(name).map(|one| one.interval.map_or(one.ratio, |[_, high]| high));
        let longest = phase.measurements.iter().filter_map(|measured| ratios(&measured.variant)).fold(1.0, f64::max);
        let longest = longest * 1.05;
        html += &format!(
            "<h3>Compared with {}</h3>\n<figure>\n{}",
            Text(&reference.variant),
            rows(phase, |measured| bar(phase, measured, longest))
        );
        html += &format!(
            "<figcaption>Shorter is faster. The dashed line is the time of {}; the thin line is the {} interval of the \
             ratio.</figcaption>\n</figure>\n",
            Text(&reference.variant),
            percent(report.settings.ratio_confidence)
        );
    }
    html += &numbers(phase, report);
    html += &pairs(phase, report);
    html + "</section>\n"
}

/// One row for each variant: its name, a number, and a plot.
fn rows(phase: &PhaseReport, plot: impl Fn(&Measurement) -> (String, String)) -> String {
    let mut html = String::new();
    for measured in &phase.measurements {
        let (number, svg) = plot(measured);
        html += &format!(
            "<div class=\"row {}\"><div class=\"name\"><b>{}</b> <span class=\"number\">{number}</span></div>{svg}</div>\n",
            engine(&measured.variant),
            Text(&measured.variant)
        );
    }
    html
}

/// The class of a variant's engine.
fn engine(variant: &str) -> &'static str {
    if variant.starts_with("wasmer") { "wasmer" } else { "wasmtime" }
}

fn distribution(measured: &Measurement, axis: Axis) -> (String, String) {
    let Some(median) = measured.median_ns else {
        return ("not measured".to_owned(), failure(measured));
    };
    let place = |ns: f64| axis.place(ns) * 100.0;
    let quantile = |step: usize| measured.quantiles_ns.get(step).copied().unwrap_or(median);
    let [low, quarter, middle, three_quarters, high] = [1, 5, 10, 15, 19].map(|step| place(quantile(step)));
    let half_width = measured.half_width().map(|part| format!(" ±{}", percent(part))).unwrap_or_default();
    let label = format!(
        "{}: median {}{half_width}; half of the samples from {} to {}; {} samples",
        measured.variant,
        time(median),
        time(quantile(5)),
        time(quantile(15)),
        measured.samples
    );
    let mut svg = format!("<svg role=\"img\" aria-label=\"{}\">", Text(label));
    for at in [0, 25, 50, 75, 100] {
        svg += &format!("<line class=\"grid\" x1=\"{at}%\" x2=\"{at}%\" y1=\"0\" y2=\"36\"/>");
    }
    svg += &format!(
        "<line class=\"whisker\" x1=\"{low:.2}%\" x2=\"{high:.2}%\" y1=\"18\" y2=\"18\"/>\
         <rect class=\"box\" x=\"{quarter:.2}%\" width=\"{:.2}%\" y=\"8\" height=\"20\" rx=\"2\"/>",
        (three_quarters - quarter).max(0.1)
    );
    for (index, block) in measured.blocks_ns.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "there are at most 30 blocks")]
        let y = 5.0 + 26.0 * (index as f64 + 0.5) / measured.blocks_ns.len() as f64;
        svg += &format!("<circle class=\"dot\" cx=\"{:.2}%\" cy=\"{y:.1}\" r=\"1.8\"/>", place(*block));
    }
    svg += &format!("<line class=\"median\" x1=\"{middle:.2}%\" x2=\"{middle:.2}%\" y1=\"5\" y2=\"31\"/></svg>");
    (format!("{}{half_width}", time(median)), svg)
}

fn bar(phase: &PhaseReport, measured: &Measurement, longest: f64) -> (String, String) {
    let difference = phase.difference(&measured.variant);
    if measured.median_ns.is_none() {
        return ("not measured".to_owned(), failure(measured));
    }
    let (ratio, interval) = difference.map_or((1.0, None), |one| (one.ratio, one.interval));
    let label = difference.map_or("reference".to_owned(), |one| format!("{:.2} times the time; {}", ratio, words(one)));
    let place = |ratio: f64| (ratio / longest * 100.0).min(100.0);
    let mut svg = format!("<svg role=\"img\" aria-label=\"{}: {}\">", Text(&measured.variant), Text(&label));
    svg += &format!("<rect class=\"bar\" x=\"0\" width=\"{:.2}%\" y=\"9\" height=\"18\" rx=\"2\"/>", place(ratio));
    svg += &format!("<line class=\"one\" x1=\"{0:.2}%\" x2=\"{0:.2}%\" y1=\"0\" y2=\"36\"/>", place(1.0));
    if let Some([low, high]) = interval {
        let (low, high) = (place(low), place(high));
        svg += &format!("<line class=\"interval\" x1=\"{low:.2}%\" x2=\"{high:.2}%\" y1=\"18\" y2=\"18\"/>");
    }
    let number = difference.map_or("reference".to_owned(), verdict);
    (number, svg + "</svg>")
}

fn failure(measured: &Measurement) -> String {
    let message = measured.failed.as_ref().map(|failed| failed.message.as_str()).unwrap_or_default();
    format!("<p class=\"soft\">{}</p>", Text(message))
}

/// The verdict as plain words.
fn words(difference: &Difference) -> String {
    match difference.speed {
        speed @ (Speed::Faster | Speed::Slower) => format!("{:.2}x {speed}", factor(difference.ratio, speed)),
        speed => speed.to_string(),
    }
}

fn verdict(difference: &Difference) -> String {
    let class = match difference.speed {
        Speed::Faster => "faster",
        Speed::Slower => "slower",
        _ => "soft",
    };
    format!("<span class=\"{class}\">{}</span>", words(difference))
}

fn numbers(phase: &PhaseReport, report: &BenchReport) -> String {
    let titles = ["Median".to_owned(), format!("{} interval", percent(report.settings.confidence))];
    let titles = titles
        .into_iter()
        .chain(["5 %", "25 %", "75 %", "95 %", "Samples", "Runs in each", "Outliers"].map(str::to_owned));
    let body = phase.measurements.iter().map(|measured| {
        let interval = measured.interval_ns.map(|[low, high]| format!("{} to {}", time(low), time(high)));
        let quantile = |step: usize| measured.quantiles_ns.get(step).map_or("–".to_owned(), |ns| time(*ns));
        let outliers = measured.outliers;
        let cells = [
            measured.median_ns.map_or("–".to_owned(), time),
            interval.unwrap_or("–".to_owned()),
            quantile(1),
            quantile(5),
            quantile(15),
            quantile(19),
            measured.samples.to_string(),
            measured.iterations.to_string(),
            format!("{} mild, {} severe", outliers.mild, outliers.severe),
        ];
        (measured.variant.clone(), cells.to_vec())
    });
    details("Numbers", &table("Variant", titles, body))
}

fn pairs(phase: &PhaseReport, report: &BenchReport) -> String {
    if phase.differences.is_empty() {
        return String::new();
    }
    let titles = [
        "Compared with".to_owned(),
        "Ratio".to_owned(),
        format!("{} interval", percent(report.settings.ratio_confidence)),
        "Verdict".to_owned(),
    ];
    let body = phase.differences.iter().map(|one| {
        let interval = one.interval.map_or("–".to_owned(), |[low, high]| format!("{low:.3} to {high:.3}"));
        (
            one.variant.clone(),
            vec![Text(&one.reference).to_string(), format!("{:.3}", one.ratio), interval, verdict(one)],
        )
    });
    details("All pairs", &table("Variant", titles.into_iter(), body))
}

fn details(title: &str, content: &str) -> String {
    format!("<details><summary>{title}</summary>\n{content}</details>\n")
}

/// A table whose first column has the headings of the rows. The cells are HTML.
fn table(
    first: &str,
    titles: impl Iterator<Item = String>,
    rows: impl Iterator<Item = (String, Vec<String>)>,
) -> String {
    let head: String = titles.map(|title| format!("<th scope=\"col\">{}</th>", Text(title))).collect();
    let row = |(name, cells): (String, Vec<String>)| {
        let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", Text(name))
    };
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\"><table>\n<thead><tr><th \
         scope=\"col\">{first}</th>{head}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        rows.map(row).collect::<String>()
    )
}

fn sizes(report: &BenchReport) -> String {
    let size = |bytes: Option<u64>| bytes.map_or("–".to_owned(), |bytes| ByteSize::b(bytes).to_string());
    let body = report.variants.iter().map(|variant| {
        let fuel = variant.fuel_used.map_or("–".to_owned(), |fuel| fuel.to_string());
        let sizes = [variant.compiled_bytes, variant.serialized_bytes, variant.memory_peak_bytes].map(size);
        let failed = variant.failed.as_ref().map(|failed| Text(&failed.message).to_string()).unwrap_or_default();
        (variant.name.clone(), [fuel].into_iter().chain(sizes).chain([failed]).collect())
    });
    let titles = ["Fuel", "Code", "Code on disk", "Peak memory", ""].map(str::to_owned);
    format!(
        "<section id=\"sizes\" aria-labelledby=\"sizes-title\">\n<h2 id=\"sizes-title\">Fuel and memory</h2>\n\
         <p class=\"soft\">Of one call in a new instance. Memory is the guest's linear memory.</p>\n{}</section>\n",
        table("Variant", titles.into_iter(), body)
    )
}

fn setting(report: &BenchReport) -> String {
    let (machine, settings) = (&report.machine, &report.settings);
    let mut facts = vec![("wrun", report.wrun.clone())];
    facts.extend(report.engines.iter().map(|engine| (engine.runtime.as_str(), engine.version.clone())));
    facts.push(("System", format!("{} {}", machine.os, machine.arch)));
    facts.extend(machine.cpu.clone().map(|cpu| ("Processor", cpu)));
    facts.extend(machine.threads.map(|threads| ("Threads", threads.to_string())));
    facts.push(("Module", format!("{}, BLAKE3 {}", ByteSize::b(report.module_bytes as u64), report.module_hash)));
    #[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
    let longest = time(settings.time_ns as f64);
    facts.push(("Time", format!("at most {longest} for each phase, all variants together")));
    facts.push(("Precision", format!("a phase ends early at ±{}", percent(settings.precision))));
    facts.push(("No difference", format!("below {}, or if the interval reaches it", percent(settings.min_effect))));
    let list: String =
        facts.iter().map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>\n", Text(name), Text(value))).collect();
    format!(
        "<section id=\"setting\" aria-labelledby=\"setting-title\">\n<h2 id=\"setting-title\">Machine and \
         versions</h2>\n<dl>\n{list}</dl>\n</section>\n"
    )
}

fn baseline(changes: &BaselineReport) -> String {
    let notes: String = changes.notes.iter().map(|note| format!("<p class=\"warning\">{}</p>\n", Text(note))).collect();
    let body = changes.changes.iter().map(|change| {
        let ([low, high], [quicker, slower]) = (change.range, change.machine);
        let class = match change.speed {
            Speed::Faster => "faster",
            Speed::Slower => "slower",
            _ => "soft",
        };
        let speed = format!("<span class=\"{class}\">{}</span>", change.speed);
        let cells =
            [format!("{:.3}", change.ratio), format!("{low:.3} to {high:.3}"), format!("{quicker:.3} to {slower:.3}")];
        let cells = [phase_name(change.phase)].into_iter().chain(cells).chain([speed]).collect();
        (change.variant.clone(), cells)
    });
    let titles = ["Phase", "Ratio", "Range", "Machine", "Verdict"].map(str::to_owned);
    let missing: String =
        changes.missing.iter().map(|missing| format!("<p>Only in the baseline: {}</p>\n", Text(missing))).collect();
    let summary = if changes.has_regression() { "Slower than the baseline." } else { "Not slower than the baseline." };
    format!(
        "<section id=\"baseline\" aria-labelledby=\"baseline-title\">\n<h2 id=\"baseline-title\">Baseline</h2>\n\
         <p>{summary} Changes of up to {} do not count.</p>\n{notes}{}{missing}</section>\n",
        percent(changes.max_regression),
        details("All changes", &table("Variant", titles.into_iter(), body))
    )
}
