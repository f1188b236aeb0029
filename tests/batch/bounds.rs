//! Memory is bounded, however long the input, the output or a record is.

use std::io::{self, Read, Write};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use std::{env, fs, thread};

use wrun::batch::BatchOutcome;

use crate::vocabulary::{Guest, Work, jobs, on_each, on_one, twice};

/// The same line, any number of times.
struct Repeated {
    line: &'static [u8],
    left: u64,
    /// The rest of a line.
    rest: &'static [u8],
    read: Arc<AtomicU64>,
}

impl Repeated {
    fn new(line: &'static [u8], records: u64) -> Self {
        Self { line, left: records, rest: b"", read: Arc::default() }
    }
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if self.rest.is_empty() {
                if self.left == 0 {
                    break;
                }
                self.left -= 1;
                self.rest = self.line;
            }
            filled += self.rest.read(&mut buffer[filled..])?;
        }
        self.read.fetch_add(filled as u64, Ordering::SeqCst);
        Ok(filled)
    }
}

/// Counts lines, and looks at the memory of the process at a tenth of them.
#[derive(Default)]
struct Counting {
    lines: u64,
    tenth: u64,
    resident: Option<u64>,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        if self.lines >= self.tenth && self.resident.is_none() {
            self.resident = Some(resident());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the resident memory of this process in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

/// Waits until a number has not changed for a while, and returns it.
fn settled(number: &AtomicU64) -> u64 {
    let mut last = number.load(Ordering::SeqCst);
    loop {
        thread::sleep(Duration::from_millis(300));
        let now = number.load(Ordering::SeqCst);
        if now == last && now > 0 {
            return now;
        }
        last = now;
    }
}

/// A long batch must not need more memory than this in addition, in bytes.
const SLACK: u64 = 16 << 20;

#[test]
fn a_long_batch_needs_no_more_memory_than_a_short_one() {
    // In another process, because the other tests need memory at the same time.
    let ran = Command::new(env::current_exe().unwrap())
        .args(["--exact", "bounds::long_batch", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&ran.stdout);
    assert!(stdout.contains("1 passed"), "{stdout}{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
#[ignore = "`a_long_batch_needs_no_more_memory_than_a_short_one` starts it in another process"]
fn long_batch() {
    const RECORDS: u64 = 10_000_000;
    on_one(|config| {
        let guest = Guest::new(config, "add", twice());
        let mut output = Counting { tenth: RECORDS / 10, ..Counting::default() };
        let report = guest.run(&jobs(2), &mut Repeated::new(b"[5,3]\n", RECORDS), &mut output).unwrap();
        assert_eq!((report.records, output.lines), (RECORDS, RECORDS));
        let (before, after) = (output.resident.unwrap(), resident());
        assert!(after < before + SLACK, "{before} bytes at a tenth, {after} at the end");
    });
}

#[test]
fn reading_waits_for_a_slow_output() {
    struct Blocked(Arc<AtomicBool>);
    impl Write for Blocked {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            while !self.0.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    const RECORDS: u64 = 2_000_000;
    on_one(|config| {
        let guest = Guest::new(config, "add", twice());
        let mut input = Repeated::new(b"[5000000, 3000000]\n", RECORDS);
        let (read, open) = (Arc::clone(&input.read), Arc::new(AtomicBool::new(false)));
        let mut output = Blocked(Arc::clone(&open));
        thread::scope(|scope| {
            let batch = scope.spawn(|| guest.run(&jobs(2), &mut input, &mut output).map(|report| report.outcome));
            let bytes = settled(&read);
            open.store(true, Ordering::SeqCst);
            // 4 MiB of results, at 8 bytes for each record of 19, in buffers that are at most half empty.
            assert!(bytes < 16 << 20, "{bytes} bytes were read");
            assert_eq!(batch.join().unwrap().unwrap(), BatchOutcome::Completed);
        });
    });
}

#[test]
fn few_large_results_wait_for_a_slow_record() {
    on_one(|config| {
        let (open, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (gate, count) = (Arc::clone(&open), Arc::clone(&done));
        let work: Work = Box::new(move |number| {
            while number == 0 && !gate.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(1));
            }
            count.fetch_add(1, Ordering::SeqCst);
            Err("x".repeat(50_000).into())
        });
        let guest = Guest::new(config, "work", work);
        let input: String = (0..2000).map(|number| format!("{number}\n")).collect();
        let mut output = Counting::default();
        thread::scope(|scope| {
            let batch = scope.spawn(|| guest.run(&jobs(2), &mut input.as_bytes(), &mut output).unwrap());
            let calls = settled(&done);
            open.store(true, Ordering::SeqCst);
            // 4 MiB of errors of 50 KB, and one piece.
            assert!(calls < 200, "{calls} calls before the first has returned");
            assert_eq!(batch.join().unwrap().failed, 2000);
        });
        assert_eq!(output.lines, 2000);
    });
}

#[test]
fn a_record_of_ten_megabytes_passes_and_a_longer_one_fails() {
    on_each(|config| {
        let guest = Guest::new(config, "work", twice());
        let mut options = jobs(2);
        options.max_record = 10 << 20;
        let fits = format!("{}21\n", " ".repeat((10 << 20) - 2));
        let (report, lines) = guest.lines(&options, &format!("1\n{fits}2\n {fits}3\n"));
        assert_eq!((&lines[..3], &lines[4..]), (&["2".to_owned(), "42".into(), "4".into()][..], &["6".to_owned()][..]));
        assert!(
            lines[3].contains(r#""kind":"invalid_argument""#) && lines[3].contains(r#""record":4"#),
            "{}",
            lines[3]
        );
        assert_eq!((report.records, report.failed), (5, 1));
    });
}
