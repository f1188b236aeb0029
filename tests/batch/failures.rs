//! Records that fail do not affect others.

use wrun::batch::{self, BatchCounters, OnError, Stop, Streams};

use crate::vocabulary::{Guest, Work, jobs, lines, on_each};

fn panics_at(bad: i32) -> Work {
    Box::new(move |number| {
        assert_ne!(number, bad, "a bad number");
        Ok(number)
    })
}

#[test]
fn a_panic_fails_one_record() {
    on_each(|config| {
        let guest = Guest::new(config, "count", panics_at(3));
        let (report, lines) = guest.lines(&jobs(1), "1\n2\n3\n4\n5\n");
        assert_eq!((&lines[..2], &lines[3..]), (&["1".to_owned(), "2".into()][..], &["1".to_owned(), "2".into()][..]));
        assert!(
            lines[2].starts_with(r#"{"error":{"kind":"internal","#) && lines[2].contains("a bad number"),
            "{}",
            lines[2]
        );
        assert!(lines[2].contains(r#""record":3"#), "{}", lines[2]);
        assert_eq!((report.records, report.failed, report.errors["internal"]), (5, 1, 1));
    });
}

#[test]
fn errors_go_to_their_stream_and_are_counted_by_kind() {
    on_each(|config| {
        let work = |number| if number < 0 { Err("negative".into()) } else { Ok(number) };
        let guest = Guest::new(config, "work", Box::new(work));
        let mut options = jobs(2);
        options.on_error = OnError::Skip;
        let (counters, stop) = (BatchCounters::default(), Stop::default());
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let mut input = "1\n\"x\"\n-1\n2\n-2\n3\n".as_bytes();
        let mut streams = Streams::new(&mut input, &mut output, &counters, &stop);
        streams.errors = Some(&mut errors);
        let report = batch::run(&guest.code, &guest.callable, &options, streams).unwrap();
        assert_eq!(lines(&output), ["1", "2", "3"]);
        let errors = lines(&errors);
        for (line, (kind, record)) in errors.iter().zip([("invalid_argument", 2), ("trap", 3), ("trap", 5)]) {
            assert!(
                line.contains(&format!(r#""kind":"{kind}""#)) && line.contains(&format!(r#""record":{record}"#)),
                "{line}"
            );
        }
        assert_eq!((errors.len(), report.records, report.failed), (3, 6, 3));
        assert_eq!((report.errors["invalid_argument"], report.errors["trap"]), (1, 2));
        assert_eq!((counters.records(), counters.failed()), (6, 3));
    });
}
