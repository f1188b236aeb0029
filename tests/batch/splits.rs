//! A stream has the same records however its bytes arrive, and the same results as its records have alone.

use std::hash::{BuildHasher, Hasher, RandomState};

use arbtest::arbitrary::{Result, Unstructured};
use wrun::batch::{BatchInput, BatchOptions, BatchOutput, OnError};

use crate::formats::{formats, function};
use crate::vocabulary::{Blocks, Guest, on_one};

const SAME: &[u8] = br#"(module (func (export "same") (param i64) (result i64) (local.get 0)))"#;

/// Runs a property on random inputs. A failure prints its seed; `ARBTEST_SEED` repeats it.
fn check(cases: u32, mut property: impl FnMut(&mut Unstructured) -> Result<()>) {
    if std::env::var_os("ARBTEST_SEED").is_some() {
        return arbtest::arbtest(property).run();
    }
    for _ in 0..cases {
        let seed = RandomState::new().build_hasher().finish() << u32::BITS | 4096;
        arbtest::arbtest(&mut property).seed(seed).run();
    }
}

fn vec<'a, T>(
    u: &mut Unstructured<'a>,
    max: usize,
    item: impl Fn(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let length = u.int_in_range(0..=max)?;
    (0..length).map(|_| item(u)).collect()
}

/// Splits bytes into blocks of random lengths.
fn blocks(u: &mut Unstructured, mut bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let longest = *u.choose(&[9, 90])?;
        let (block, rest) = bytes.split_at(u.int_in_range(1..=bytes.len().min(longest))?);
        blocks.push(block.to_vec());
        bytes = rest;
    }
    Ok(blocks)
}

/// Runs a batch. Returns its output, and its error if it failed.
fn run(guest: &Guest, options: &BatchOptions, blocks: Vec<Vec<u8>>) -> (String, Option<String>) {
    let mut output = Vec::new();
    let ended = guest.run(options, &mut Blocks::new(blocks), &mut output);
    (output.escape_ascii().to_string(), ended.err().map(|error| error.to_string()))
}

/// Fragments of streams. Joined at random, they are valid and malformed records.
fn pieces(input: BatchInput) -> &'static [&'static [u8]] {
    match input {
        BatchInput::Json => &[
            b"1",
            b"[2]",
            b"\n",
            b"\n",
            b"\r\n",
            b"{\"id\":",
            b"\"a\",\"args\":",
            b"3}",
            b"\xef\xbb\xbf",
            b" ",
            b"\xff",
            b"0000000",
        ],
        BatchInput::Csv => {
            &[b"1", b"2", b"\n", b"\n", b"\r", b"\r\n", b",", b"\"", b"\"", b"\xef\xbb\xbf", b" ", b"000000000"]
        }
        BatchInput::Msgpack => &[
            b"\x01",
            b"\x91",
            b"\xa1",
            b"\xd9",
            b"\xc4\x02",
            b"\x82\xa2id",
            b"\xa4args",
            b"\xdc",
            b"\x00",
            b"\xcb",
            b"\xc7\x01",
            b"\xc1",
            b"\xc6",
            b"\xce\x00\x00\x01\x01",
        ],
        _ => &[b"1", b"2", b"\n", b"\n", b"\r", b"\0", b"\0", b"x", b"\xff", b"000000000"],
    }
}

#[test]
fn blocks_do_not_matter() {
    on_one(|config| {
        let guest = function(config, SAME, "same");
        check(2000, |u| {
            let inputs = [BatchInput::Json, BatchInput::Lines, BatchInput::Nul, BatchInput::Csv, BatchInput::Msgpack];
            let input = *u.choose(&inputs)?;
            let bytes = vec(u, 40, |u| u.choose(pieces(input)).copied())?.concat();
            let mut options = formats(input, *u.choose(&[BatchOutput::Json, BatchOutput::Msgpack, BatchOutput::Csv])?);
            options.max_record = *u.choose(&[0, 1, 7, 8, 9, 1000])?;
            options.header = input != BatchInput::Csv;
            let whole = run(&guest, &options, vec![bytes.clone()]);
            let parts = blocks(u, &bytes)?;
            assert_eq!(run(&guest, &options, parts.clone()), whole, "{input} {:?}: {}", parts, bytes.escape_ascii());
            Ok(())
        });
    });
}

#[test]
fn each_record_has_one_result_with_its_number() {
    on_one(|config| {
        let guest = function(config, SAME, "same");
        check(500, |u| {
            let input = *u.choose(&[BatchInput::Json, BatchInput::Lines, BatchInput::Nul, BatchInput::Csv])?;
            let records = vec(u, 30, |u| Ok(if u.ratio(1, 4)? { None } else { Some(u.arbitrary::<i64>()?) }))?;
            let end = if input == BatchInput::Nul { '\0' } else { '\n' };
            let mut stream = if input == BatchInput::Csv { "v\n".to_owned() } else { String::new() };
            for record in &records {
                stream += &record
                    .map_or("\"x".to_owned(), |number| number.to_string())
                    .replace('"', if input == BatchInput::Csv { "" } else { "\"" });
                stream.push(end);
            }
            let mut options = formats(input, BatchOutput::Json);
            options.on_error = OnError::Emit;
            let mut output = Vec::new();
            let parts = blocks(u, stream.as_bytes())?;
            let report = guest.run(&options, &mut Blocks::new(parts), &mut output).unwrap();
            let output = String::from_utf8(output).unwrap();
            assert_eq!(output.lines().count(), records.len());
            for (index, (line, record)) in output.lines().zip(&records).enumerate() {
                match record {
                    Some(number) => assert_eq!(line, number.to_string()),
                    None => assert!(line.ends_with(&format!("\"record\":{}}}}}", index + 1)), "{line}"),
                }
            }
            let failed = records.iter().filter(|record| record.is_none()).count() as u64;
            assert_eq!((report.records, report.failed), (records.len() as u64, failed));
            Ok(())
        });
    });
}

/// The parser and the writer of the crate `csv` are the reference.
#[cfg(feature = "components")]
#[test]
fn rows_are_those_of_the_crate_csv() {
    const ECHOES: &[u8] = include_bytes!("../../fixtures/component/types/types.wasm");
    let guest = function(&wrun::RuntimeConfig::wasmtime(), ECHOES, "echo-string");
    check(500, |u| {
        let bytes = vec(u, 60, |u| Ok(*u.choose(b"ab\"\",,\n\n\r \xc3")?))?;
        let rows = |bytes: &[u8]| -> Vec<csv::ByteRecord> {
            let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
            reader.into_byte_records().map(|row| row.unwrap()).collect()
        };
        let rows_and_line_feed = rows(&[&bytes[..], b"\n"].concat());
        let mut rows = rows(&bytes);
        if rows != rows_and_line_feed {
            // The line feed is part of a quoted field, so the last row is malformed, and not passed on.
            rows.pop();
        }
        let mut options = formats(BatchInput::Csv, BatchOutput::Csv);
        options.header = false;
        options.on_error = OnError::Pass;
        let mut expected = csv::Writer::from_writer(Vec::new());
        expected.write_record(["result"]).unwrap();
        let mut expected = expected.into_inner().unwrap();
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for row in rows {
            writer.write_byte_record(&row).unwrap();
        }
        expected.extend(writer.into_inner().unwrap());
        let mut output = Vec::new();
        guest.run(&options, &mut Blocks::new(blocks(u, &bytes)?), &mut output).unwrap();
        assert_eq!(output.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{}", bytes.escape_ascii());
        Ok(())
    });
}
