//! Vectors of strings, kept in one piece: a million barcodes take little more room than their letters.

use super::numbers::Numbers;

/// A vector of strings.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub struct Texts {
    letters: String,
    /// Where each string ends in `letters`.
    ends: Vec<u32>,
    /// Ascending: the strings that are missing (NA).
    missing: Vec<u32>,
}

impl Texts {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes that the strings take here.
    pub fn size(&self) -> usize {
        self.letters.len() + 4 * (self.ends.len() + self.missing.len())
    }

    pub fn push(&mut self, text: &str) {
        self.letters.push_str(text);
        self.ends.push(u32::try_from(self.letters.len()).unwrap_or(u32::MAX));
    }

    pub fn push_missing(&mut self) {
        self.missing.push(self.ends.len() as u32);
        self.push("");
    }

    /// A string; `None` beyond the end and where it is missing.
    pub fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)? as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        if self.missing.binary_search(&(number as u32)).is_ok() {
            return None;
        }
        self.letters.get(start..end)
    }

    /// All strings, missing ones as `None`.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> + '_ {
        (0..self.len()).map(|number| self.get(number))
    }

    /// All strings, missing ones as "NA".
    pub fn to_vec(&self) -> Vec<String> {
        self.iter().map(|text| text.unwrap_or("NA").to_owned()).collect()
    }

    /// The strings that R makes of numbers when they are asked for (deferred_string).
    pub fn of_numbers(numbers: &Numbers) -> Option<Self> {
        let mut texts = Texts::default();
        for value in numbers.kept()?.iter() {
            match value {
                value if value.is_nan() => texts.push_missing(),
                value => texts.push(&value.to_string()),
            }
        }
        Some(texts)
    }
}

/// Bytes of a string in whatever encoding as text. Without a mark it is taken for UTF-8, or Latin-1 when it is not.
pub fn decoded(bytes: &[u8], latin1: bool) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !latin1 || text.is_ascii() => text.into(),
        _ => bytes.iter().map(|&byte| char::from(byte)).collect::<String>().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_is_not_empty() {
        let mut texts = Texts::default();
        texts.push("a");
        texts.push_missing();
        texts.push("");
        texts.push("bc");
        assert_eq!(texts.iter().collect::<Vec<_>>(), [Some("a"), None, Some(""), Some("bc")]);
        assert_eq!(texts.to_vec(), ["a", "NA", "", "bc"]);
        assert_eq!(texts.get(4), None);
    }

    #[test]
    fn letters_of_any_encoding() {
        assert_eq!(decoded("é".as_bytes(), false), "é");
        assert_eq!(decoded(b"\xe9", false), "é");
        assert_eq!(decoded(b"\xe9", true), "é");
    }
}
