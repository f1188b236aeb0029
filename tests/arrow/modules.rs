//! Functions of modules.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, StringArray, TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array,
    UInt64Array,
};
use wrun::batch::OnError;

use crate::vocabulary::{Guest, arrow, batch, columns, on_each};

const GUEST: &str = r#"(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "same32") (param i32) (result i32) (local.get 0))
  (func (export "same64") (param i64) (result i64) (local.get 0))
  (func (export "float32") (param f32) (result f32) (local.get 0))
  (func (export "float64") (param f64) (result f64) (local.get 0))
  (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "two") (param i32) (result i32 f64) (local.get 0) (f64.convert_i32_s (local.get 0)))
  (func (export "none"))
  (func (export "ten") (result i32) (i32.const 10))
  (func (export "reference") (result externref) (ref.null extern)))"#;

fn ints(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

#[test]
fn each_row_is_a_call_and_the_results_are_a_column() {
    on_each(|config| {
        let add = Guest::new(config, GUEST.as_bytes(), "add");
        let rows = batch(&[("a", ints(&[1, -5, i32::MAX])), ("b", ints(&[2, 5, 1]))]);
        let (results, report) = add.map(&arrow(), &[rows]);
        assert_eq!(columns(&results)[0], "result: Int32?");
        assert_eq!(results.column(0).as_primitive::<Int32Type>().values(), &[3, 0, i32::MIN]);
        assert_eq!((report.records, report.failed), (3, 0));

        let mut options = arrow();
        options.on_error = OnError::Skip;
        let (results, _) = Guest::new(config, GUEST.as_bytes(), "two").map(&options, &[batch(&[("n", ints(&[7]))])]);
        assert_eq!(columns(&results), ["result1: Int32", "result2: Float64"]);
        assert_eq!(results.column(1).as_primitive::<Float64Type>().values(), &[7.0]);
    });
}

#[test]
fn integers_of_every_width_are_accepted_in_the_signed_or_the_unsigned_range() {
    on_each(|config| {
        let columns: [(ArrayRef, [i32; 2]); 7] = [
            (Arc::new(Int8Array::from(vec![-128, 127])), [-128, 127]),
            (Arc::new(UInt8Array::from(vec![0, 255])), [0, 255]),
            (Arc::new(Int16Array::from(vec![-32768, 32767])), [-32768, 32767]),
            (Arc::new(UInt16Array::from(vec![0, 65535])), [0, 65535]),
            (Arc::new(UInt32Array::from(vec![u32::MAX, 1 << 31])), [-1, i32::MIN]),
            (Arc::new(Int64Array::from(vec![i64::from(i32::MIN), i64::from(u32::MAX)])), [i32::MIN, -1]),
            (Arc::new(UInt64Array::from(vec![0, u64::from(u32::MAX)])), [0, -1]),
        ];
        let same = Guest::new(config, GUEST.as_bytes(), "same32");
        for (column, expected) in columns {
            let (results, report) = same.map(&arrow(), &[batch(&[("n", column)])]);
            assert_eq!(results.column(0).as_primitive::<Int32Type>().values(), &expected);
            assert_eq!(report.failed, 0);
        }
        let wide = Int64Array::from(vec![Some(1 << 32), Some(-(1 << 31) - 1), None, Some(4)]);
        let (results, report) = same.map(&arrow(), &[batch(&[("n", Arc::new(wide))])]);
        let messages = results.column_by_name("error_message").unwrap().as_string::<i32>();
        assert_eq!(
            messages.iter().collect::<Vec<_>>(),
            [
                Some("argument 1 (i32): `4294967296` is out of range for i32 (-2147483648 to 4294967295)"),
                Some("argument 1 (i32): `-2147483649` is out of range for i32 (-2147483648 to 4294967295)"),
                Some("argument 1 (i32): the value is null: expected i32"),
                None
            ]
        );
        assert_eq!(
            results.column(0).as_primitive::<Int32Type>().iter().collect::<Vec<_>>(),
            [None, None, None, Some(4)]
        );
        assert_eq!((report.records, report.failed), (4, 3));

        let same = Guest::new(config, GUEST.as_bytes(), "same64");
        let wide = UInt64Array::from(vec![u64::MAX, (1 << 53) + 1]);
        let (results, _) = same.map(&arrow(), &[batch(&[("n", Arc::new(wide))])]);
        assert_eq!(results.column(0).as_primitive::<Int64Type>().values(), &[-1, (1 << 53) + 1]);
    });
}

#[test]
fn floats_keep_their_bits_or_are_rounded_once() {
    on_each(|config| {
        let nan = f64::from_bits(0x7ff8_0000_dead_beef);
        let float64 = Guest::new(config, GUEST.as_bytes(), "float64");
        let values = Float64Array::from(vec![-0.0, f64::INFINITY, nan]);
        let (results, _) = float64.map(&arrow(), &[batch(&[("x", Arc::new(values))])]);
        let bits: Vec<_> =
            results.column(0).as_primitive::<Float64Type>().values().iter().map(|x| x.to_bits()).collect();
        assert_eq!(bits, [(-0.0_f64).to_bits(), f64::INFINITY.to_bits(), nan.to_bits()]);
        let (results, _) = float64.map(&arrow(), &[batch(&[("x", Arc::new(Float32Array::from(vec![0.1])))])]);
        assert_eq!(results.column(0).as_primitive::<Float64Type>().values(), &[f64::from(0.1_f32)]);

        let float32 = Guest::new(config, GUEST.as_bytes(), "float32");
        let values = Float64Array::from(vec![0.1, 1e300, f64::NEG_INFINITY]);
        let (results, report) = float32.map(&arrow(), &[batch(&[("x", Arc::new(values))])]);
        let floats = results.column(0).as_primitive::<Float32Type>();
        assert_eq!(floats.iter().collect::<Vec<_>>(), [Some(0.1), None, Some(f32::NEG_INFINITY)]);
        assert_eq!(report.failed, 1);
        // 2^24 + 1 lies between two floats, and through an f64 as well; the sum with a small fraction is rounded once.
        let integers = Int64Array::from(vec![(1 << 24) + 1, (1 << 60) + (1 << 36) + 1]);
        let (results, _) = float32.map(&arrow(), &[batch(&[("x", Arc::new(integers))])]);
        let expected = [16_777_216.0, 1_152_921_642_045_800_400.0];
        assert_eq!(results.column(0).as_primitive::<Float32Type>().values(), &expected);
    });
}

#[test]
fn errors_have_their_own_columns_and_ids_come_back() {
    on_each(|config| {
        let div = Guest::new(config, GUEST.as_bytes(), "div");
        let ids = StringArray::from(vec![Some("x"), Some("y"), None]);
        let rows = batch(&[("id", Arc::new(ids)), ("a", ints(&[6, 1, 9])), ("b", ints(&[3, 0, 3]))]);
        let (results, report) = div.map(&arrow(), std::slice::from_ref(&rows));
        assert_eq!(columns(&results), ["id: Utf8?", "result: Int32?", "error_kind: Utf8?", "error_message: Utf8?"]);
        let ids = results.column(0).as_string::<i32>();
        assert_eq!(ids.iter().collect::<Vec<_>>(), [Some("x"), Some("y"), None]);
        assert_eq!(results.column(1).as_primitive::<Int32Type>().iter().collect::<Vec<_>>(), [Some(2), None, Some(3)]);
        let kinds = results.column(2).as_string::<i32>();
        assert_eq!(kinds.iter().collect::<Vec<_>>(), [None, Some("trap"), None]);
        assert!(results.column(3).as_string::<i32>().value(1).contains("integer divide by zero"));
        assert_eq!((report.records, report.failed), (3, 1));

        let mut options = arrow();
        options.on_error = OnError::Skip;
        let (results, report) = div.map(&options, &[rows]);
        assert_eq!(columns(&results), ["id: Utf8?", "result: Int32"]);
        assert_eq!(results.column(1).as_primitive::<Int32Type>().values(), &[2, 3]);
        assert_eq!((report.records, report.failed), (3, 1));

        let ids: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
        let rows = batch(&[("a", ints(&[6])), ("b", ints(&[3])), ("id", ids)]);
        let mut options = arrow();
        options.output = wrun::batch::BatchOutput::Json;
        let (output, _) = div.run(&options, &crate::vocabulary::stream_of(&[rows]));
        assert_eq!(String::from_utf8(output).unwrap(), "{\"id\":18446744073709551615,\"result\":2}\n");
    });
}

#[test]
fn columns_are_chosen_by_name() {
    on_each(|config| {
        let div = Guest::new(config, GUEST.as_bytes(), "div");
        let rows = batch(&[
            ("count", ints(&[3])),
            ("note", Arc::new(TimestampSecondArray::from(vec![1]))),
            ("total", ints(&[12])),
        ]);
        let mut options = arrow();
        options.columns = Some(vec!["total".to_owned(), "count".to_owned()]);
        let (results, _) = div.map(&options, std::slice::from_ref(&rows));
        assert_eq!(results.column(0).as_primitive::<Int32Type>().values(), &[4]);

        options.columns = Some(vec!["totl".to_owned(), "count".to_owned()]);
        assert!(div.refuses(&options, &rows).contains("no column `totl`"));
        let said = div.refuses(&arrow(), &rows);
        assert!(said.contains("3 columns"), "{said}");
    });
}

#[test]
fn columns_of_other_types_are_refused_by_name() {
    on_each(|config| {
        let same = Guest::new(config, GUEST.as_bytes(), "same32");
        let refused: [(ArrayRef, &str); 5] = [
            (Arc::new(StringArray::from(vec!["1"])), "column `n`: values of type Utf8 cannot be passed as i32"),
            (Arc::new(BooleanArray::from(vec![true])), "values of type Boolean cannot be passed as i32"),
            (Arc::new(Float64Array::from(vec![1.0])), "values of type Float64 cannot be passed as i32"),
            (Arc::new(BinaryArray::from(vec![&b"1"[..]])), "values of type Binary cannot be passed as i32"),
            (
                Arc::new(TimestampSecondArray::from(vec![1])),
                "values of type Timestamp(s) are not supported: cast it to an integer or to text",
            ),
        ];
        for (column, text) in refused {
            let said = same.refuses(&arrow(), &batch(&[("n", column)]));
            assert!(said.contains(text), "{said}");
        }
        let reference = Guest::new(config, GUEST.as_bytes(), "reference");
        let said = reference.refuses(&arrow(), &batch(&[("n", ints(&[1]))]));
        assert!(said.contains("has a result of type externref, which cannot be written as Arrow"), "{said}");
    });
}

#[test]
fn dictionaries_are_decoded_also_with_nulls_in_keys_and_values() {
    on_each(|config| {
        let same = Guest::new(config, GUEST.as_bytes(), "same32");
        let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(10), None, Some(30)]));
        let keys = Int8Array::from(vec![Some(2), None, Some(0), Some(1), Some(2)]);
        let column = DictionaryArray::new(keys, values);
        let (results, report) = same.map(&arrow(), &[batch(&[("n", Arc::new(column))])]);
        let numbers: Vec<_> = results.column(0).as_primitive::<Int32Type>().iter().collect();
        assert_eq!(numbers, [Some(30), None, Some(10), None, Some(30)]);
        assert_eq!(report.failed, 2);
    });
}

#[test]
fn vectors_are_binary_data_of_16_bytes() {
    let guest = r#"(module (func (export "same") (param v128) (result v128) (local.get 0)))"#;
    on_each(|config| {
        if wrun::Feature::Simd.is_supported(config.kind, config.effective_compiler()) {
            let same = Guest::new(config, guest.as_bytes(), "same");
            let bytes: Vec<u8> = (0..16).collect();
            let column = FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).unwrap();
            let column: ArrayRef = Arc::new(column);
            let (results, _) = same.map(&arrow(), &[batch(&[("v", Arc::clone(&column))])]);
            assert_eq!(results.column(0), &column);
        }
    });
}

#[test]
fn functions_without_parameters_or_results_are_called_for_each_row() {
    on_each(|config| {
        let rows = arrow_array::RecordBatchOptions::new().with_row_count(Some(3));
        let schema = Arc::new(arrow_schema::Schema::empty());
        let empty = arrow_array::RecordBatch::try_new_with_options(schema, Vec::new(), &rows).unwrap();
        let (results, report) = Guest::new(config, GUEST.as_bytes(), "ten").map(&arrow(), std::slice::from_ref(&empty));
        assert_eq!(results.column(0).as_primitive::<Int32Type>().values(), &[10, 10, 10]);
        assert_eq!(report.records, 3);
        let mut options = arrow();
        options.on_error = OnError::Skip;
        let (results, _) = Guest::new(config, GUEST.as_bytes(), "none").map(&options, &[empty]);
        assert_eq!((columns(&results), results.num_rows()), (vec!["result: Null?".to_owned()], 3));
    });
}
