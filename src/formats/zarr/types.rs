//! The types of Zarr arrays, and the values that stand for chunks that were never written.

use crate::error::{Error, Result};
use crate::formats::elements::Element;
use serde_json::Value;

/// What an array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Number(Element),
    Boolean,
    /// Each string behind its length.
    Text,
    /// Bytes of this number, filled up with zeros.
    FixedBytes(usize),
    /// Characters of four bytes, filled up with zeros; the number of characters.
    FixedText {
        characters: usize,
        big_endian: bool,
    },
}

impl Type {
    /// NumPy's short names: "<f4", "|b1", "|O", "<U20", "|S16".
    ///
    /// # Errors
    /// When it is of no use here: records, dates, complex numbers.
    pub fn of_version_2(name: &Value, path: &str) -> Result<Type> {
        let text = name.as_str().unwrap_or_default();
        let mut characters = text.chars();
        let big_endian = characters.next() == Some('>');
        let kind = characters.next();
        let size = characters.as_str().parse::<usize>().ok();
        let found = match (kind, size) {
            (Some('O'), _) => Some(Type::Text),
            (Some('b'), Some(1)) => Some(Type::Boolean),
            (Some('S' | 'a'), Some(size)) => Some(Type::FixedBytes(size)),
            (Some('U'), Some(characters)) => Some(Type::FixedText { characters, big_endian }),
            (Some(kind), Some(size)) => Element::of_numpy(kind, size, big_endian).map(Type::Number),
            _ => None,
        };
        found.filter(|kind| kind.is_sane()).ok_or_else(|| unknown(name, path))
    }

    /// "float32", "bool", "string", or an object with a name and a configuration. Numbers are little-endian until the
    /// codecs say otherwise.
    ///
    /// # Errors
    /// As [`Self::of_version_2`].
    pub fn of_version_3(name: &Value, path: &str) -> Result<Type> {
        let text = name.as_str().or_else(|| name.get("name").and_then(Value::as_str)).unwrap_or_default();
        let length = name.pointer("/configuration/length_bytes").and_then(Value::as_u64);
        let length = length.and_then(|length| usize::try_from(length).ok());
        let number = |kind, bits: &str| {
            let size = bits.parse::<usize>().ok()?;
            Element::of_numpy(kind, size / 8, false).map(Type::Number)
        };
        let found = match (text, length) {
            ("bool", _) => Some(Type::Boolean),
            ("string" | "variable_length_utf8" | "numpy.string", _) => Some(Type::Text),
            ("null_terminated_bytes" | "fixed_length_bytes", Some(length)) => Some(Type::FixedBytes(length)),
            ("fixed_length_utf32" | "fixed_length_ucs4", Some(length)) => {
                Some(Type::FixedText { characters: length / 4, big_endian: false })
            }
            _ => [("uint", 'u'), ("int", 'i'), ("float", 'f')]
                .into_iter()
                .find_map(|(name, kind)| text.strip_prefix(name).and_then(|bits| number(kind, bits))),
        };
        found.filter(|kind| kind.is_sane()).ok_or_else(|| unknown(name, path))
    }

    fn is_sane(&self) -> bool {
        match *self {
            Type::FixedBytes(size) | Type::FixedText { characters: size, .. } => size > 0 && size < 1 << 20,
            _ => true,
        }
    }

    /// The same type with the other order of bytes.
    pub fn big_endian(self) -> Type {
        match self {
            Type::Number(element) => Type::Number(element.big_endian()),
            Type::FixedText { characters, .. } => Type::FixedText { characters, big_endian: true },
            other => other,
        }
    }

    /// Bytes of a value; a guess for strings of any length.
    pub fn width(&self) -> usize {
        match *self {
            Type::Number(element) => element.size(),
            Type::Boolean => 1,
            Type::Text => 16,
            Type::FixedBytes(size) => size,
            Type::FixedText { characters, .. } => 4 * characters,
        }
    }

    pub fn is_text(&self) -> bool {
        matches!(self, Type::Text | Type::FixedBytes(_) | Type::FixedText { .. })
    }

    /// Numbers and booleans as numbers.
    pub fn element(&self) -> Option<Element> {
        match *self {
            Type::Number(element) => Some(element),
            Type::Boolean => Element::of_numpy('u', 1, false),
            _ => None,
        }
    }

    /// The bytes of a value that was never written; none for zero.
    pub fn fill(&self, value: &Value) -> Vec<u8> {
        let number = match value {
            Value::Number(number) => number.as_f64().unwrap_or(0.0),
            Value::Bool(true) => 1.0,
            Value::String(text) => match text.as_str() {
                "NaN" => f64::NAN,
                "Infinity" => f64::INFINITY,
                "-Infinity" => f64::NEG_INFINITY,
                _ => 0.0,
            },
            _ => 0.0,
        };
        match self.element() {
            Some(element) if number != 0.0 => element.encode(number),
            _ => Vec::new(),
        }
    }
}

fn unknown(name: &Value, path: &str) -> Error {
    let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
    Error::input(format!(
        "\"{path}\" holds values of the type {name}, which Sextant does not read; it reads whole and floating-point \
         numbers, booleans and text."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_have_their_names() {
        let two = |name: &str| Type::of_version_2(&json!(name), "x").ok();
        let three = |name: Value| Type::of_version_3(&name, "x").ok();
        assert_eq!(two("<f4"), three(json!("float32")));
        assert_eq!(two(">u2"), three(json!("uint16")).map(Type::big_endian));
        assert_eq!((two("|b1"), two("|O")), (three(json!("bool")), three(json!("string"))));
        let utf32 = json!({"name": "fixed_length_utf32", "configuration": {"length_bytes": 20}});
        assert_eq!(two("<U5"), three(utf32));
        assert_eq!((two("<c16"), two("<M8[ns]"), two("<f16"), two("|S0")), (None, None, None, None));
        let error = Type::of_version_2(&json!("<c16"), "obs/z").unwrap_err();
        assert_eq!(
            error.message,
            "\"obs/z\" holds values of the type <c16, which Sextant does not read; it reads whole and floating-point \
             numbers, booleans and text."
        );
    }

    #[test]
    fn fill_values_become_bytes() {
        let fill = |name: &str, value: Value| Type::of_version_2(&json!(name), "x").unwrap().fill(&value);
        assert_eq!(fill("<i4", json!(-2)), (-2i32).to_le_bytes());
        assert_eq!(fill(">u2", json!(3)), [0, 3]);
        assert_eq!(fill("<f8", json!(1.5)), 1.5f64.to_le_bytes());
        assert!(f32::from_le_bytes(fill("<f4", json!("NaN")).try_into().unwrap()).is_nan());
        assert_eq!(fill("|b1", json!(true)), [1]);
        assert!(fill("<f4", json!(0.0)).is_empty() && fill("|O", json!("")).is_empty());
    }
}
