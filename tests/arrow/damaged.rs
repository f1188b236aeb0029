//! Streams that are damaged, truncated or hostile, and input in other formats.

use std::sync::Arc;

use arrow_array::types::Int8Type;
#[cfg(feature = "components")]
use arrow_array::types::UInt64Type;
#[cfg(feature = "components")]
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, FixedSizeListArray, ListArray, NullArray, StringArray,
    StringViewArray, StructArray, UInt64Array,
};
use arrow_array::{DictionaryArray, Int32Array};
#[cfg(feature = "components")]
use arrow_schema::{DataType, Field};
#[cfg(feature = "components")]
use wrun::batch::BatchOutput;
use wrun::{ErrorKind, RuntimeConfig};

use crate::vocabulary::{Guest, arrow, batch, on_each, stream_of};

const GUEST: &str =
    r#"(module (func (export "double") (param i32) (result i32) (i32.shl (local.get 0) (i32.const 1))))"#;

fn numbers() -> Vec<u8> {
    stream_of(&[batch(&[("n", Arc::new(Int32Array::from_iter_values(0..100)))])])
}

#[test]
fn what_is_not_a_stream_is_refused() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        let (json, rest): (&[u8], &[u8]) = (b"[1,2]\n[3,4]\n", b"ARROW1xxyyyy");
        let huge = b"\xff\xff\xff\xff\xff\xff\xff\x7f".as_slice();
        for (input, text) in [
            (&b""[..], "the Arrow stream is not valid: it is empty"),
            (json, "not an Arrow IPC stream"),
            (rest, "not an Arrow IPC stream"),
            (huge, "not an Arrow IPC stream"),
            (b"\xff\xff", "it ends within a message"),
            (b"\xff\xff\xff\xff\x08\0\0\0\x01\0\0\0\0\0\0\0", "the Arrow stream is not valid"),
        ] {
            let (_, report) = double.run(&arrow(), input);
            let error = report.unwrap_err();
            let is_other = text.starts_with("not an Arrow");
            assert_eq!(error.kind(), if is_other { ErrorKind::InvalidArgument } else { ErrorKind::Io });
            assert!(error.to_string().contains(text), "{input:?}: {error}");
        }
    });
}

#[test]
fn a_stream_that_is_cut_off_is_an_error_after_its_complete_batches() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        let stream = numbers();
        // The mark at the end may be absent.
        assert!(double.run(&arrow(), &stream[..stream.len() - 8]).1.is_ok());
        for length in [stream.len() - 9, stream.len() - 4, stream.len() - 200, 20, 5] {
            let error = double.run(&arrow(), &stream[..length]).1.unwrap_err();
            assert!(error.to_string().contains("it ends within a message"), "{length}: {error}");
        }
    });
}

#[test]
fn a_batch_that_claims_to_be_huge_takes_no_memory() {
    on_each(|config| {
        let double = Guest::new(config, GUEST.as_bytes(), "double");
        // The number of rows appears as the length of the batch, and as that of its column.
        let stream = numbers();
        let rows = 100_u64.to_le_bytes();
        let places: Vec<_> = (0..stream.len() - 8).filter(|at| stream[*at..].starts_with(&rows)).collect();
        assert!(places.len() >= 2, "{places:?}");
        for claimed in [1_u64 << 60, 1 << 40, 1 << 31, u64::MAX, 101] {
            let mut stream = stream.clone();
            for place in &places {
                stream[*place..*place + 8].copy_from_slice(&claimed.to_le_bytes());
            }
            let error = double.run(&arrow(), &stream).1.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{claimed}: {error}");
        }
    });
}

#[cfg(feature = "components")]
#[test]
fn rows_that_are_longer_than_a_record_fail() {
    let wasm = std::fs::read("fixtures/component/types/types.wasm").unwrap();
    // A list of many nulls, which take no space in the stream.
    let item = Arc::new(Field::new("item", DataType::Null, true));
    let nulls = FixedSizeListArray::new(item, 1 << 24, Arc::new(NullArray::new(1 << 24)), None);
    // A list of a long string, again and again.
    let words = Arc::new(StringArray::from(vec!["x".repeat(1 << 20)]));
    let words = DictionaryArray::<Int8Type>::new(vec![0; 1 << 20].into(), words);
    let item = Arc::new(Field::new("item", words.data_type().clone(), true));
    let words = FixedSizeListArray::new(item, 1 << 20, Arc::new(words), None);
    for (function, column) in [("echo-options", nulls), ("echo-strings", words)] {
        let guest = Guest::new(&RuntimeConfig::wasmtime(), &wasm, function);
        let mut options = arrow();
        options.output = BatchOutput::Json;
        let (output, report) = guest.run(&options, &stream_of(&[batch(&[("v", Arc::new(column))])]));
        assert_eq!(report.unwrap().failed, 1);
        let output = String::from_utf8(output).unwrap();
        assert!(output.contains("the record is longer than 16777216 bytes"), "{output}");
    }
}

#[test]
fn damaged_streams_have_results_or_are_invalid() {
    let double = Guest::new(&RuntimeConfig::default(), GUEST.as_bytes(), "double");
    damage(&double, &numbers());
    let words: DictionaryArray<Int8Type> = vec![Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    let numbers = DictionaryArray::new(words.keys().clone(), Arc::new(Int32Array::from(vec![7, 8])));
    damage(&double, &stream_of(&[batch(&[("n", Arc::new(numbers))])]));
}

#[cfg(feature = "components")]
#[test]
fn damaged_columns_of_every_kind_have_results_or_are_invalid() {
    let wasm = std::fs::read("fixtures/component/types/types.wasm").unwrap();
    let item = Arc::new(Field::new("item", DataType::UInt64, true));
    let integers: ArrayRef = Arc::new(UInt64Array::from(vec![1, 2, 3, 4]));
    let lists = ListArray::from_iter_primitive::<UInt64Type, _, _>(vec![Some(vec![Some(1)]), None, Some(vec![]), None]);
    let words: DictionaryArray<Int8Type> = vec![Some("a"), None, Some("b"), Some("a")].into_iter().collect();
    let points = [("x", Arc::clone(&integers)), ("y", Arc::clone(&integers))];
    let points = points.map(|(name, array)| (Arc::new(Field::new(name, DataType::UInt64, true)), array));
    let columns: [(&str, ArrayRef); 8] = [
        ("echo-numbers", Arc::new(lists)),
        ("echo-numbers", Arc::new(FixedSizeListArray::new(item, 2, integers, None))),
        ("echo-string", Arc::new(words)),
        ("echo-string", Arc::new(StringArray::from(vec![Some("abc"), None, Some(""), Some("ü")]))),
        ("echo-string", Arc::new(StringViewArray::from(vec!["a string that is long", "b", "", "another long string"]))),
        ("echo-bytes", Arc::new(BinaryViewArray::from(vec![&b"bytes that are not inline"[..], b""]))),
        ("echo-point", Arc::new(StructArray::from(points.to_vec()))),
        ("echo-bool", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
    ];
    for (function, column) in columns {
        damage(&Guest::new(&RuntimeConfig::wasmtime(), &wasm, function), &stream_of(&[batch(&[("v", column)])]));
    }
}

/// Runs streams with a few bytes changed. Offsets and lengths are overwritten by extreme values.
fn damage(guest: &Guest, stream: &[u8]) {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 16).unwrap()
    };
    for _ in 0..1000 {
        let mut damaged = stream.to_vec();
        for _ in 0..=next() % 4 {
            let at = next() % damaged.len();
            damaged[at] = match next() % 4 {
                0 => 0xff,
                1 => 0,
                2 => 0x7f,
                _ => u8::try_from(next() & 0xff).unwrap(),
            };
        }
        if let (_, Err(error)) = guest.run(&arrow(), &damaged) {
            assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::InvalidArgument), "{error}");
        }
    }
}
