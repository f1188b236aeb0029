//! Columns of CSV, and headers.

use wrun::ErrorKind;
use wrun::batch::{BatchInput, BatchOptions, BatchOutput, OnError};

use crate::formats::{FUNCTIONS, assert_output, formats, function};
use crate::vocabulary::on_each;

#[test]
fn rows_have_their_parameters_in_columns() {
    let text = formats(BatchInput::Csv, BatchOutput::Text);
    assert_output("add", &text, "x,y\n1,2\r\n\n\"3\",\"4\"", "3\n7\n");
    assert_output("add", &text, "\u{feff}x,id,y\n1,z,2\n", "3\n");
    assert_output("seven", &text, "x\n1\n2\n", "7\n7\n");
    let mut chosen = text.clone();
    chosen.columns = Some(vec!["b".into(), "id".into()]);
    assert_output("divide", &chosen, "a,id,b\n1,2,8\n", "4\n");
    let mut bare = text.clone();
    bare.header = false;
    assert_output("divide", &bare, "8,2\n9,3\n", "4\n3\n");
    assert_output("seven", &bare, "x\n1,2\n", "7\n7\n");
    bare.columns = Some(vec!["3".into(), "1".into()]);
    assert_output("divide", &bare, "2,x,8\n", "4\n");
}

#[test]
fn a_row_of_another_width_is_an_error_of_its_record() {
    let csv = formats(BatchInput::Csv, BatchOutput::Csv);
    assert_output(
        "add",
        &csv,
        "id,x,y\na,1,2\nb,1\n\"c,\"\"\",1,2\nd,1,2,3\n",
        "id,result,error_kind,error_message\n\
         a,3,,\n\
         b,,invalid_argument,\"the record has 2 fields, and the header has 3\"\n\
         \"c,\"\"\",3,,\n\
         d,,invalid_argument,\"the record has 4 fields, and the header has 3\"\n",
    );
}

#[test]
fn columns_that_do_not_fit_end_the_batch_before_the_first_record() {
    on_each(|config| {
        let guest = function(config, FUNCTIONS.as_bytes(), "add");
        let mut options = formats(BatchInput::Csv, BatchOutput::Csv);
        let message = |options: &BatchOptions, input: &str| {
            let mut output = Vec::new();
            let error = guest.run(options, &mut input.as_bytes(), &mut output).unwrap_err();
            assert_eq!((error.kind(), output.len()), (ErrorKind::InvalidArgument, 0), "{error}");
            let hints = error.hints().iter().map(|hint| format!("\nhint: {hint}"));
            error.message().to_owned() + &hints.collect::<String>()
        };
        assert_eq!(
            message(&options, "a,b,c\n1,2,3\n"),
            "the input has 3 columns (`a`, `b`, `c`) for add(i32, i32) -> i32\n\
             hint: `--columns NAME,...` chooses one column for each parameter"
        );
        options.columns = Some(vec!["a".into(), "d".into()]);
        assert_eq!(message(&options, "a,b\n"), "the input has no column `d`; its columns are: `a`, `b`");
        options.columns = Some(vec!["a".into(), "b".into()]);
        assert_eq!(message(&options, "a,b,a\n"), "the input has two columns `a`");
    });
}

#[test]
fn a_first_row_that_is_a_record_is_not_taken_as_a_header() {
    let mut options = formats(BatchInput::Csv, BatchOutput::Text);
    on_each(|config| {
        let guest = function(config, FUNCTIONS.as_bytes(), "add");
        let error = guest.run(&options, &mut &b"1,0x2\n3,4\n"[..], &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert_eq!(
            error.message(),
            "the first row looks like a record, not a header: `1`, `0x2` can be arguments of add(i32, i32) -> i32"
        );
        assert_eq!(error.hints(), ["use `--no-header` if it is a record, or `--columns 1,0x2` if it is the header"]);
    });
    assert_output("add", &options, "1,y\n3,4\n", "7\n");
    options.columns = Some(vec!["1".into(), "0x2".into()]);
    assert_output("add", &options, "1,0x2\n3,4\n", "7\n");
    (options.columns, options.header) = (None, false);
    assert_output("add", &options, "1,0x2\n3,4\n", "3\n7\n");
    // A column for ids is found by its name, so the row is a header.
    let with_ids = formats(BatchInput::Csv, BatchOutput::Json);
    assert_output("add", &with_ids, "id,1,2\na,3,4\n", "{\"id\":\"a\",\"result\":7}\n");
}

#[test]
fn a_row_that_ends_within_quotes_is_an_error_of_its_record() {
    let mut csv = formats(BatchInput::Csv, BatchOutput::Csv);
    let cut = "invalid_argument,the input ends within a quoted field";
    for row in ["\"5", "\"5\n", "\"5\"\"", "\""] {
        assert_output("same", &csv, format!("x\n1\n{row}"), format!("result,error_kind,error_message\n1,,\n,{cut}\n"));
    }
    assert_output("same", &csv, "x\n\"1\"\n\"5\"", "result,error_kind,error_message\n1,,\n5,,\n");
    csv.on_error = OnError::Pass;
    assert_output("same", &csv, "x\n1\n\"5", "result\n1\n");
    on_each(|config| {
        let guest = function(config, FUNCTIONS.as_bytes(), "same");
        let error = guest.run(&csv, &mut &b"\"x"[..], &mut Vec::new()).unwrap_err();
        assert_eq!(error.message(), "cannot read the header: the input ends within a quoted field");
    });
}
