//! The report of `wrun diff` as text.

use std::time::Duration;

use wrun::compare::{Comparison, Ending, Observation};
use wrun::escape::Escaped;

/// The longest ending that a row shows, in characters.
const MAX_ENDING: usize = 48;

/// Formats a table of the runs, the differences, and the verdict. A run takes two lines if the table is wider than `columns`.
pub(crate) fn text(comparison: &Comparison, columns: Option<usize>) -> String {
    let names: Vec<_> = comparison.runs.iter().map(|run| run.variant.to_string()).collect();
    let is_program = comparison.function == "_start" || comparison.function.starts_with("wasi:cli/run@");
    let ending = |run: &Observation| match &run.ending {
        // A program that returns has exited with 0.
        Ending::Returned(_) if is_program => "exit 0".to_owned(),
        ending => clipped(&ending.to_string()),
    };
    let endings: Vec<_> = comparison.runs.iter().map(ending).collect();
    let width = |column: &[String], title: &str| {
        column.iter().map(|cell| cell.chars().count()).chain([title.len()]).max().unwrap_or_default()
    };
    let (first, second) = (width(&names, "variant"), width(&endings, "ending"));
    let is_wide = columns.is_none_or(|columns| first + 2 + second + 2 + 12 + 2 + 10 <= columns);
    let mut text = String::new();
    if is_wide {
        text += &format!("{:first$}  {:second$}  {:>12}  {:>10}\n", "variant", "ending", "fuel", "time");
    }
    for (run, (name, ending)) in comparison.runs.iter().zip(names.iter().zip(&endings)) {
        text += &if is_wide {
            format!("{name:first$}  {ending:second$}  {:>12}  {:>10}\n", fuel(run), time(run))
        } else {
            format!("{name}: {ending}\n  fuel {}, time {}\n", fuel(run), time(run))
        };
    }
    for difference in &comparison.differences {
        let place = difference.place.as_ref().map(|place| format!(" {}", Escaped(place))).unwrap_or_default();
        text += &format!(
            "{}: {}{place}: {} instead of {}\n",
            difference.variant,
            difference.aspect,
            Escaped(&difference.found),
            Escaped(&difference.expected)
        );
    }
    text + &inconclusive(comparison) + &format!("{}\n", comparison.verdict)
}

/// Says why runs are inconclusive, in one line if all runs are for the same reason.
fn inconclusive(comparison: &Comparison) -> String {
    let Comparison { inconclusive, runs, .. } = comparison;
    if let [first, rest @ ..] = inconclusive.as_slice()
        && !rest.is_empty()
        && inconclusive.len() == runs.len()
        && rest.iter().all(|run| run.reason == first.reason)
    {
        return format!("all: {}\n", Escaped(&first.reason));
    }
    inconclusive.iter().map(|run| format!("{}: {}\n", run.variant, Escaped(&run.reason))).collect()
}

fn fuel(run: &Observation) -> String {
    run.fuel_used.map_or("-".to_owned(), |fuel| fuel.to_string())
}

fn time(run: &Observation) -> String {
    match run.run_ns {
        0 => "-".to_owned(),
        ns => format!("{:.1?}", Duration::from_nanos(ns)),
    }
}

fn clipped(ending: &str) -> String {
    let ending = Escaped(ending).to_string();
    if ending.chars().count() <= MAX_ENDING {
        return ending;
    }
    ending.chars().take(MAX_ENDING - 1).chain(['…']).collect()
}
