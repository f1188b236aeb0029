//! Reports fit the width of the terminal.

use crate::terminal::{Terminal, at_a_terminal_of_each_engine};
use crate::vocabulary::{CALC, WRUN, file, run};

/// Runs a command at a terminal of this width. Returns the lines that it shows.
fn lines(columns: usize, args: &str) -> Vec<String> {
    let line = format!("stty cols {columns}; exec '{WRUN}' {args}");
    let (shown, code) = Terminal::start_line("xterm", &line).end();
    assert_eq!(code, Some(0), "{shown:?}");
    shown.lines().map(str::to_owned).collect()
}

/// Returns the longest line of the tables. The first two lines are a title, and the others explain the phases.
fn longest(lines: &[String]) -> usize {
    let rows = lines.iter().skip(2).filter(|line| !line.contains(": "));
    rows.map(|line| line.chars().count()).max().unwrap()
}

#[test]
fn the_table_of_a_bench_fits() {
    let module = file(CALC);
    at_a_terminal_of_each_engine(|engine| {
        let args = format!("bench --time=20ms -r {engine} '{}' add 5 3", module.path);
        for (columns, has_plot, has_outliers) in
            [(40, false, false), (60, false, false), (80, true, false), (120, true, true)]
        {
            let lines = lines(columns, &args);
            assert!(longest(&lines) <= columns, "{columns}: {lines:#?}");
            assert_eq!(lines.iter().any(|line| line.contains('┃')), has_plot, "{columns}: {lines:#?}");
            assert_eq!(lines.iter().any(|line| line.ends_with(" out")), has_outliers, "{columns}: {lines:#?}");
            assert!(lines.iter().any(|line| line.contains("reference")), "{columns}: {lines:#?}");
        }
    });
    // Elsewhere, nothing is left out.
    let printed = run(&["bench", "--time=20ms", &module.path, "add", "5", "3"]);
    assert!(printed.stdout.contains('┃') && printed.stdout.contains(" out\n"), "{printed:?}");
}

#[test]
fn the_table_of_a_comparison_fits() {
    let module = file(CALC);
    at_a_terminal_of_each_engine(|engine| {
        let args = format!("diff -r {engine} '{}' add 5 3", module.path);
        let narrow = lines(40, &args);
        assert!(narrow.iter().all(|line| line.chars().count() <= 40), "{narrow:#?}");
        assert!(narrow[0].ends_with(": 8") && narrow[1].starts_with("  fuel "), "{narrow:#?}");
        let wide = lines(80, &args);
        assert!(wide[0].starts_with("variant ") && wide.iter().all(|line| line.chars().count() <= 80), "{wide:#?}");
    });
}

#[test]
fn progress_shows_the_run_and_the_phase() {
    let module = file(CALC);
    let shown = run(&["diff", "--progress=always", &module.path, "add", "5", "3"]).stderr;
    let kind = wrun::RuntimeKind::default();
    let first = format!("running on {kind} cranelift speed (1 of ");
    assert!(shown.contains(&first) && shown.contains(" (2 of "), "{shown}");
    let shown = run(&["bench", "--time=1ms", "--progress=always", &module.path, "add", "5", "3"]).stderr;
    assert!(shown.contains("measuring: Load (1 of 6)\n") && shown.contains("measuring: Call (6 of 6)\n"), "{shown}");
    let program = file("(module (func (export \"_start\")))");
    let shown = run(&["bench", "--time=1ms", "--progress=always", &program.path]).stderr;
    assert!(shown.contains("measuring: First call (5 of 5)\n"), "{shown}");
}
