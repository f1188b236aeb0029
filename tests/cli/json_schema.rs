//! Checks JSON against the schemas that `wrun schema` prints. Every validator on crates.io that is well kept enables features of crates
//! that the engines use, so `cargo test` would build the engines again. This one knows the keywords that the schemas use, and panics
//! at any other.

use serde_json::{Map, Value};

/// A schema with its definitions.
pub(crate) struct Schema(Value);

impl Schema {
    pub(crate) fn new(document: &str) -> Self {
        let document: Value = serde_json::from_str(document).unwrap();
        assert_eq!(document["$schema"], "https://json-schema.org/draft/2020-12/schema");
        Self(document)
    }

    /// Returns where a value does not fit, and why.
    pub(crate) fn errors(&self, value: &Value) -> Vec<String> {
        let mut errors = Vec::new();
        let root = &self.0["$ref"];
        self.check(self.definition(root.as_str().unwrap()), value, "", &mut errors);
        errors
    }

    fn definition(&self, reference: &str) -> &Value {
        let found = self.0.pointer(reference.strip_prefix('#').unwrap());
        found.unwrap_or_else(|| panic!("no definition {reference}"))
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, errors: &mut Vec<String>) {
        let schema = match schema {
            Value::Bool(true) => return,
            Value::Bool(false) => return errors.push(format!("{at}: unexpected")),
            schema => schema.as_object().unwrap(),
        };
        for (keyword, argument) in schema {
            let fits = match keyword.as_str() {
                "description" | "contentEncoding" | "additionalProperties" => true,
                "$ref" => {
                    self.check(self.definition(argument.as_str().unwrap()), value, at, errors);
                    true
                }
                "type" => match argument {
                    Value::String(name) => has_type(value, name),
                    names => names.as_array().unwrap().iter().any(|name| has_type(value, name.as_str().unwrap())),
                },
                "enum" => argument.as_array().unwrap().contains(value),
                "const" => argument == value,
                "minimum" => value.as_f64().is_none_or(|number| number >= argument.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|number| number <= argument.as_f64().unwrap()),
                "minLength" => length(value).is_none_or(|length| length >= argument.as_u64().unwrap()),
                "maxLength" => length(value).is_none_or(|length| length <= argument.as_u64().unwrap()),
                "anyOf" => {
                    self.check_any_of(argument.as_array().unwrap(), value, at, errors);
                    true
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(argument, item, &format!("{at}/{index}"), errors);
                    }
                    true
                }
                "required" => value.as_object().is_none_or(|members| {
                    argument.as_array().unwrap().iter().all(|name| members.contains_key(name.as_str().unwrap()))
                }),
                "properties" => {
                    let members = value.as_object().into_iter().flatten();
                    self.check_members(schema, argument.as_object().unwrap(), members, at, errors);
                    true
                }
                "propertyNames" => {
                    for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
                        self.check(argument, &Value::from(name.as_str()), at, errors);
                    }
                    true
                }
                unknown => panic!("the keyword `{unknown}` is unknown"),
            };
            if !fits {
                errors.push(format!("{at}: {value} does not fit `{keyword}`: {argument}"));
            }
        }
        if !schema.contains_key("properties") {
            let members = value.as_object().into_iter().flatten();
            self.check_members(schema, &Map::new(), members, at, errors);
        }
    }

    fn check_members<'v>(
        &self,
        schema: &Map<String, Value>,
        properties: &Map<String, Value>,
        members: impl Iterator<Item = (&'v String, &'v Value)>,
        at: &str,
        errors: &mut Vec<String>,
    ) {
        for (name, member) in members {
            if let Some(schema) = properties.get(name).or_else(|| schema.get("additionalProperties")) {
                self.check(schema, member, &format!("{at}/{name}"), errors);
            }
        }
    }

    /// Checks that one of the schemas fits. Reports the errors of the one that fits best.
    fn check_any_of(&self, schemas: &[Value], value: &Value, at: &str, errors: &mut Vec<String>) {
        let attempts = schemas.iter().map(|schema| {
            let mut errors = Vec::new();
            self.check(schema, value, at, &mut errors);
            errors
        });
        errors.extend(attempts.min_by_key(Vec::len).unwrap());
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the type `{unknown}` is unknown"),
    }
}

#[test]
fn the_validator_finds_what_does_not_fit() {
    let schema = Schema::new(
        r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/a","$defs":{
          "a":{"type":"object","properties":{"n":{"type":["integer","null"],"minimum":0,"maximum":9},"l":{"type":"array","items":{"$ref":"#/$defs/b"}},
               "m":{"type":"object","propertyNames":{"enum":["x"]},"additionalProperties":{"const":true}}},
               "required":["n"],"additionalProperties":false},
          "b":{"anyOf":[{"type":"string","minLength":1,"maxLength":2},{"type":"boolean"}]}}}"##,
    );
    let errors = |text: &str| schema.errors(&serde_json::from_str(text).unwrap());
    for fits in [r#"{"n":0}"#, r#"{"n":null,"l":["a",true,"ab"],"m":{"x":true}}"#, r#"{"n":9,"m":{}}"#] {
        assert_eq!(errors(fits), Vec::<String>::new(), "{fits}");
    }
    for (unfit, at) in [
        ("[]", ": "),
        ("{}", ": "),
        (r#"{"n":-1}"#, "/n: "),
        (r#"{"n":10}"#, "/n: "),
        (r#"{"n":1.5}"#, "/n: "),
        (r#"{"n":0,"other":1}"#, "/other: unexpected"),
        (r#"{"n":0,"l":["a",1]}"#, "/l/1: "),
        (r#"{"n":0,"l":["abc"]}"#, "/l/0: "),
        (r#"{"n":0,"l":[""]}"#, "/l/0: "),
        (r#"{"n":0,"m":{"y":true}}"#, "/m: "),
        (r#"{"n":0,"m":{"x":false}}"#, "/m/x: "),
    ] {
        let found = errors(unfit);
        assert!(found.iter().any(|error| error.starts_with(at)), "{unfit}: {found:?}");
    }
}
