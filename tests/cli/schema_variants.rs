//! `wrun schema`: reports about many calls fit.

use serde_json::{Value, json};

use crate::schema::fits;
#[cfg(feature = "fuzz")]
use crate::vocabulary::run;
use crate::vocabulary::{CALC, file, run_with};

#[test]
fn comparisons_of_records_fit() {
    let calc = file(CALC);
    let printed = run_with(&["diff", "--batch", "-o", "json", &calc.path, "div"], "[4,2]\n[1,0]\n[\"x\"]\n");
    let lines: Vec<Value> = printed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        fits("diff-record", line);
    }
    assert_eq!((&lines[0]["records"], &lines[0]["invalid"]), (&json!(3), &json!(1)));
}

#[cfg(feature = "fuzz")]
#[test]
fn comparisons_of_generated_modules_fit() {
    let folder = tempfile::tempdir().unwrap();
    let repro = folder.path().join("new").to_str().unwrap().to_owned();
    // Module 4058 of seed 20 differs on x86-64: see docs/engine-differences.md.
    let report = run(&["diff", "-o", "json", "--fuzz=1", "--skip=4058", "--seed=20", "--repro", &repro]).stdout;
    fits("diff-fuzz", &serde_json::from_str(&report).unwrap());
}
