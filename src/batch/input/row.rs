//! Arguments from the fields of rows.

use smallvec::SmallVec;

use super::lines::{too_long, utf8};
use crate::batch::chunk::{Extent, Records, Rows};
use crate::batch::format::{Decode, Formats, Record};
use crate::batch::id::Id;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::callable::CallArgs;

/// Decodes fields, written as arguments on the command line.
pub(super) struct RowDecoder<'a> {
    formats: &'a Formats<'a>,
}

impl<'a> RowDecoder<'a> {
    pub(super) fn new(formats: &'a Formats<'a>) -> Self {
        Self { formats }
    }

    fn args(&self, rows: &Rows, index: usize, args: &mut CallArgs) -> Result<()> {
        let layout = self.formats.layout();
        let fields = match &rows.extents[index] {
            Extent::At(fields) => fields.clone(),
            Extent::TooLong => return Err(too_long(self.formats)),
            Extent::Malformed(reason) => return Err(invalid((*reason).to_owned())),
        };
        if let Some(width) = layout.width.filter(|width| *width != fields.len()) {
            let (given, s) = (fields.len(), if fields.len() == 1 { "" } else { "s" });
            return Err(invalid(format!("the record has {given} field{s}, and the header has {width}")));
        }
        let texts: SmallVec<[&str; 8]> = match &layout.params {
            None => fields.map(|field| utf8(rows.field(field))).collect::<Result<_>>()?,
            Some(columns) => {
                let text = |column: &usize| match fields.start + column {
                    field if field < fields.end => utf8(rows.field(field)),
                    _ => Err(invalid(format!("the record has no column {}", column + 1))),
                };
                columns.iter().map(text).collect::<Result<_>>()?
            }
        };
        *args = self.formats.callable.parse_args(&texts)?;
        Ok(())
    }
}

impl Decode for RowDecoder<'_> {
    fn decode(&mut self, record: &mut Record<'_>, args: &mut CallArgs) -> Result<()> {
        let Records::Rows(rows) = &record.chunk.records else { unreachable!("records are rows") };
        let fields = match &rows.extents[record.index] {
            Extent::At(fields) => fields.clone(),
            Extent::TooLong | Extent::Malformed(_) => 0..0,
        };
        let id = self.formats.layout().id.filter(|column| *column < fields.len());
        record.id = id.map(|column| utf8(rows.field(fields.start + column)).map(Id::Text)).transpose()?;
        self.args(rows, record.index, args)
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}
