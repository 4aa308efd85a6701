//! Objects of R in the format of `saveRDS()`.
//!
//! # Source
//! The manual "R Internals", section "Serialization Formats": version 2, XDR, packed with gzip.

use crate::error::{Error, Result};
use rustc_hash::FxHashMap;
use zlib_rs::{DeflateConfig, ReturnCode, compress_bound, compress_slice};

/// An object with its attributes, which are the slots of an S4 object.
#[derive(Debug, Clone)]
pub struct Object {
    value: Value,
    attributes: Vec<(String, Object)>,
}

#[derive(Debug, Clone)]
enum Value {
    Null,
    Symbol(&'static str),
    Logical(Vec<bool>),
    Integers(Vec<i32>),
    Reals(Vec<f64>),
    Texts(Vec<String>),
    List(Vec<Object>),
    S4,
}

/// What stands for NULL in a slot.
const NULL_SLOT: &str = "\u{1}NULL\u{1}";
const IS_OBJECT: u32 = 1 << 8;
const HAS_ATTRIBUTES: u32 = 1 << 9;
const HAS_TAG: u32 = 1 << 10;
/// Of an S4 object, among the levels of its header.
const IS_S4: u32 = 1 << (12 + 4);
const IS_UTF8: u32 = 1 << (12 + 3);
const IS_ASCII: u32 = 1 << (12 + 6);

impl Object {
    fn of(value: Value) -> Self {
        Object { value, attributes: Vec::new() }
    }

    pub fn null() -> Self {
        Self::of(Value::Null)
    }

    pub fn logical(value: bool) -> Self {
        Self::of(Value::Logical(vec![value]))
    }

    /// A vector of no logical values, which is what Seurat puts where nothing is yet.
    pub fn no_logical() -> Self {
        Self::of(Value::Logical(Vec::new()))
    }

    pub fn integers(values: Vec<i32>) -> Self {
        Self::of(Value::Integers(values))
    }

    pub fn reals(values: Vec<f64>) -> Self {
        Self::of(Value::Reals(values))
    }

    pub fn texts(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::of(Value::Texts(values.into_iter().map(Into::into).collect()))
    }

    pub fn text(value: impl Into<String>) -> Self {
        Self::texts([value.into()])
    }

    /// A list without names.
    pub fn items(items: Vec<Object>) -> Self {
        Self::of(Value::List(items))
    }

    pub fn list<N: Into<String>>(items: impl IntoIterator<Item = (N, Object)>) -> Self {
        let (names, items): (Vec<String>, Vec<Object>) =
            items.into_iter().map(|(name, item)| (name.into(), item)).unzip();
        match names.is_empty() {
            true => Self::items(items),
            false => Self::items(items).with("names", Self::texts(names)),
        }
    }

    /// An attribute more.
    pub fn with(mut self, name: &str, value: Object) -> Self {
        self.attributes.push((name.to_owned(), value));
        self
    }

    /// A class of S3.
    pub fn of_class(self, classes: &[&str]) -> Self {
        self.with("class", Self::texts(classes.iter().copied()))
    }

    /// An S4 object of a class that a package defines; a slot that is NULL holds what stands for it.
    pub fn s4<const N: usize>(class: &str, package: &str, slots: [(&str, Object); N]) -> Self {
        let mut object = Self::of(Value::S4);
        for (name, mut value) in slots {
            if matches!(value.value, Value::Null) {
                value.value = Value::Symbol(NULL_SLOT);
            }
            object = object.with(name, value);
        }
        object.with("class", Self::text(class).with("package", Self::text(package)))
    }

    /// A matrix, whose values come column by column.
    pub fn shaped(self, shape: [usize; 2], names: [Option<&[String]>; 2]) -> Self {
        let matrix = self.with("dim", dimensions(shape));
        if names.iter().all(Option::is_none) { matrix } else { matrix.with("dimnames", names_of(names)) }
    }

    /// Codes from 0 into levels, as a factor; `u32::MAX` is missing.
    pub fn factor(codes: impl Iterator<Item = u32>, levels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let codes =
            Self::integers(codes.map(|code| code.checked_add(1).map_or(i32::MIN, |code| code as i32)).collect());
        codes.with("levels", Self::texts(levels)).of_class(&["factor"])
    }

    /// A data frame.
    pub fn table<N: Into<String>>(columns: Vec<(N, Object)>, rows: &[String]) -> Self {
        let (names, columns): (Vec<String>, Vec<Object>) =
            columns.into_iter().map(|(name, column)| (name.into(), column)).unzip();
        let table = Self::items(columns).with("names", Self::texts(names));
        table.of_class(&["data.frame"]).with("row.names", Self::texts(rows.iter().cloned()))
    }

    /// A slot or attribute of it, or an element of a list, and so on along the path: to be changed before it is written.
    pub fn part(&mut self, path: &[&str]) -> Option<&mut Object> {
        let Some((first, rest)) = path.split_first() else {
            return Some(self);
        };
        if let Some(at) = self.attributes.iter().position(|(name, _)| name == first) {
            return self.attributes[at].1.part(rest);
        }
        let names = self.attributes.iter().find(|(name, _)| name == "names").map(|(_, names)| &names.value);
        match (names, &mut self.value) {
            (Some(Value::Texts(names)), Value::List(items)) => {
                let at = names.iter().position(|name| name == first)?;
                items.get_mut(at)?.part(rest)
            }
            _ => None,
        }
    }

    fn class(&self) -> bool {
        self.attributes.iter().any(|(name, _)| name == "class")
    }
}

/// Rows and columns of a matrix, as R counts them.
pub fn dimensions(shape: [usize; 2]) -> Object {
    Object::integers(shape.iter().map(|&size| size as i32).collect())
}

/// Names of rows and columns.
pub fn names_of(names: [Option<&[String]>; 2]) -> Object {
    let name = |names: Option<&[String]>| names.map_or_else(Object::null, |names| Object::texts(names.iter().cloned()));
    Object::items(names.into_iter().map(name).collect())
}

/// The bytes of a file with this object, packed with gzip; the same object gives the same bytes.
///
/// # Errors
/// When it is too large for the format: 2,147,483,647 elements of a vector.
pub fn write(object: &Object) -> Result<Vec<u8>> {
    let bytes = plain(object)?;
    // Windows of 15 bits, and 16 for gzip's own header.
    let config = DeflateConfig { level: 6, window_bits: 15 + 16, ..Default::default() };
    let mut packed = vec![0; compress_bound(bytes.len()) + 64];
    let (packed, code) = compress_slice(&mut packed, &bytes, config);
    match code {
        ReturnCode::Ok => Ok(packed.to_vec()),
        _ => Err(Error::reference("The object of R cannot be packed.")),
    }
}

/// As [`write()`], not packed.
///
/// # Errors
/// As there.
pub fn plain(object: &Object) -> Result<Vec<u8>> {
    let mut writer = Writer { bytes: b"X\n".to_vec(), symbols: FxHashMap::default() };
    // The format's version, that of the R that writes, and the oldest that reads it.
    for number in [2, 0x0004_0202, 0x0002_0300] {
        writer.word(number);
    }
    writer.object(object)?;
    Ok(writer.bytes)
}

struct Writer {
    bytes: Vec<u8>,
    /// Symbols are written once, and then referred to by number.
    symbols: FxHashMap<String, u32>,
}

impl Writer {
    fn word(&mut self, word: u32) {
        self.bytes.extend_from_slice(&word.to_be_bytes());
    }

    fn length(&mut self, length: usize) -> Result<()> {
        let length = i32::try_from(length)
            .map_err(|_| Error::reference("A part of the reference has more elements than a vector of R may have."))?;
        self.word(length as u32);
        Ok(())
    }

    fn object(&mut self, object: &Object) -> Result<()> {
        let (mut flags, symbol) = match object.value {
            Value::Null => {
                return {
                    self.word(254);
                    Ok(())
                };
            }
            Value::Symbol(name) => (1, Some(name)),
            Value::Logical(_) => (10, None),
            Value::Integers(_) => (13, None),
            Value::Reals(_) => (14, None),
            Value::Texts(_) => (16, None),
            Value::List(_) => (19, None),
            Value::S4 => (25 | IS_S4, None),
        };
        if let Some(name) = symbol {
            return self.symbol(name);
        }
        flags |= if object.class() { IS_OBJECT } else { 0 };
        flags |= if object.attributes.is_empty() { 0 } else { HAS_ATTRIBUTES };
        self.word(flags);
        self.value(&object.value)?;
        if !object.attributes.is_empty() {
            for (name, value) in &object.attributes {
                self.word(2 | HAS_TAG);
                self.symbol(name)?;
                self.object(value)?;
            }
            self.word(254);
        }
        Ok(())
    }

    fn value(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Logical(values) => {
                self.length(values.len())?;
                values.iter().for_each(|&value| self.word(u32::from(value)));
            }
            Value::Integers(values) => {
                self.length(values.len())?;
                values.iter().for_each(|&value| self.word(value as u32));
            }
            Value::Reals(values) => {
                self.length(values.len())?;
                values.iter().for_each(|value| self.bytes.extend_from_slice(&value.to_be_bytes()));
            }
            Value::Texts(values) => {
                self.length(values.len())?;
                values.iter().try_for_each(|value| self.letters(value))?;
            }
            Value::List(items) => {
                self.length(items.len())?;
                items.iter().try_for_each(|item| self.object(item))?;
            }
            Value::Null | Value::Symbol(_) | Value::S4 => {}
        }
        Ok(())
    }

    fn symbol(&mut self, name: &str) -> Result<()> {
        if let Some(&number) = self.symbols.get(name) {
            self.word(number << 8 | 255);
            return Ok(());
        }
        self.symbols.insert(name.to_owned(), self.symbols.len() as u32 + 1);
        self.word(1);
        self.letters(name)
    }

    fn letters(&mut self, letters: &str) -> Result<()> {
        self.word(9 | if letters.is_ascii() { IS_ASCII } else { IS_UTF8 });
        self.length(letters.len())?;
        self.bytes.extend_from_slice(letters.as_bytes());
        Ok(())
    }
}
