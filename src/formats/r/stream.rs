//! The elements of R's serialization: numbers and strings, in its three encodings.

use super::container::{Container, Decoded};
use super::faults::{broken, truncated};
use crate::error::Result;
use crate::formats::source::BlockCache;
use std::sync::Arc;

/// R's missing integer.
pub const MISSING: i32 = i32::MIN;
/// A number in an ASCII file has fewer letters than this.
const LONGEST_WORD: usize = 128;
/// Elements that are decoded at once.
pub const PIECE: usize = 8192;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Big-endian binary, what R writes unless told otherwise.
    Xdr,
    /// The binary of the machine that wrote it: these days little-endian.
    Native,
    /// Text, a number on each line.
    Ascii,
}

/// What the elements of a vector of numbers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    Logical,
    Integer,
    Real,
}

impl Element {
    /// Bytes of an element in the binary encodings.
    pub fn width(self) -> usize {
        if self == Element::Real { 8 } else { 4 }
    }
}

/// Decoded bytes taken as elements.
pub struct Stream {
    decoded: Decoded,
    pub encoding: Encoding,
}

impl Stream {
    /// Begins at `position` of the decoded bytes.
    ///
    /// # Errors
    /// When the bytes before it cannot be decoded.
    pub fn open(source: &Arc<BlockCache>, container: Container, encoding: Encoding, position: u64) -> Result<Self> {
        Ok(Stream { decoded: Decoded::open(source, container, position)?, encoding })
    }

    /// Where the next element stands in the decoded bytes.
    pub fn position(&self) -> u64 {
        self.decoded.position()
    }

    /// The next `count` bytes, which stay where they are.
    ///
    /// # Errors
    /// When there are fewer, or they cannot be decoded.
    pub fn peek(&mut self, count: usize) -> Result<Vec<u8>> {
        Ok(self.decoded.at_least(count)?.iter().take(count).copied().collect())
    }

    /// # Errors
    /// When there are fewer bytes.
    pub fn skip(&mut self, bytes: u64) -> Result<()> {
        self.decoded.skip(bytes)
    }

    /// # Errors
    /// When the data end or, in an ASCII file, no number stands there.
    pub fn integer(&mut self) -> Result<i32> {
        match self.encoding {
            Encoding::Ascii => self.word(|word| match word {
                "NA" => Some(MISSING),
                word => word.parse().ok(),
            }),
            encoding => {
                let mut bytes = [0; 4];
                bytes.copy_from_slice(&self.decoded.at_least(4)?[..4]);
                self.decoded.consume(4);
                Ok(if encoding == Encoding::Xdr { i32::from_be_bytes(bytes) } else { i32::from_le_bytes(bytes) })
            }
        }
    }

    /// A length, which takes more bytes from 2³¹ on.
    ///
    /// # Errors
    /// When it is impossible.
    pub fn length(&mut self) -> Result<u64> {
        match self.integer()? {
            -1 => {
                let (high, low) = (self.integer()? as u32, self.integer()? as u32);
                let length = u64::from(high) << 32 | u64::from(low);
                if length < 1 << 48 { Ok(length) } else { Err(broken("a vector has an impossible length")) }
            }
            length => u64::try_from(length).map_err(|_| broken("a vector has a negative length")),
        }
    }

    /// Text of `length` bytes is added to `bytes`.
    ///
    /// # Errors
    /// When the data end before it.
    pub fn text(&mut self, length: usize, bytes: &mut Vec<u8>) -> Result<()> {
        if self.encoding == Encoding::Ascii && length > 0 {
            self.pass_blanks()?;
            for _ in 0..length {
                let byte = self.escaped()?;
                bytes.push(byte);
            }
            return Ok(());
        }
        let mut rest = length;
        while rest > 0 {
            let ready = self.decoded.ready()?;
            if ready.is_empty() {
                return Err(truncated());
            }
            let step = ready.len().min(rest);
            bytes.extend_from_slice(&ready[..step]);
            self.decoded.consume(step);
            rest -= step;
        }
        Ok(())
    }

    /// Passes `count` numbers.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn skip_numbers(&mut self, element: Element, count: u64) -> Result<()> {
        if self.encoding == Encoding::Ascii {
            for _ in 0..count {
                self.word(|_| Some(()))?;
            }
            return Ok(());
        }
        let bytes = count.checked_mul(element.width() as u64).ok_or_else(truncated)?;
        self.decoded.skip(bytes)
    }

    /// Decodes `count` numbers (at most [`PIECE`]) into `numbers`, missing ones as NaN.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn numbers(&mut self, element: Element, count: usize, numbers: &mut Vec<f64>) -> Result<()> {
        numbers.clear();
        if self.encoding == Encoding::Ascii {
            for _ in 0..count {
                let number = self.word(|word| number(word, element))?;
                numbers.push(number);
            }
            return Ok(());
        }
        let length = count.min(PIECE) * element.width();
        let bytes = self.decoded.at_least(length)?.get(..length).ok_or_else(truncated)?;
        let big = self.encoding == Encoding::Xdr;
        if element == Element::Real {
            let (values, _) = bytes.as_chunks::<8>();
            let value = |bytes: &[u8; 8]| if big { f64::from_be_bytes(*bytes) } else { f64::from_le_bytes(*bytes) };
            numbers.extend(values.iter().map(value));
        } else {
            let (values, _) = bytes.as_chunks::<4>();
            let value = |bytes: &[u8; 4]| if big { i32::from_be_bytes(*bytes) } else { i32::from_le_bytes(*bytes) };
            numbers.extend(values.iter().map(|bytes| whole(value(bytes))));
        }
        self.decoded.consume(length);
        Ok(())
    }

    /// Passes blanks, as they stand between the words of an ASCII file.
    fn pass_blanks(&mut self) -> Result<()> {
        loop {
            let ready = self.decoded.ready()?;
            if ready.is_empty() {
                return Err(truncated());
            }
            let blanks = ready.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let ended = blanks < ready.len();
            self.decoded.consume(blanks);
            if ended {
                return Ok(());
            }
        }
    }

    /// The next word of an ASCII file.
    fn word<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        self.pass_blanks()?;
        let mut letters = [0; LONGEST_WORD];
        let mut count = 0;
        loop {
            let ready = self.decoded.ready()?;
            let Some(&byte) = ready.first().filter(|byte| !byte.is_ascii_whitespace()) else {
                break;
            };
            *letters.get_mut(count).ok_or_else(|| broken("a number is too long"))? = byte;
            count += 1;
            self.decoded.consume(1);
        }
        let word = std::str::from_utf8(&letters[..count]).ok();
        word.and_then(parse).ok_or_else(|| broken("there is text where a number should stand"))
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = *self.decoded.ready()?.first().ok_or_else(truncated)?;
        self.decoded.consume(1);
        Ok(byte)
    }

    /// A byte of text in an ASCII file, where blanks and others are written with a backslash.
    fn escaped(&mut self) -> Result<u8> {
        let byte = self.byte()?;
        if byte != b'\\' {
            return Ok(byte);
        }
        Ok(match self.byte()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'v' => 0x0b,
            b'b' => 0x08,
            b'r' => b'\r',
            b'f' => 0x0c,
            b'a' => 0x07,
            digit @ b'0'..=b'7' => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    match self.decoded.ready()?.first() {
                        Some(&digit @ b'0'..=b'7') => value = value * 8 + u32::from(digit - b'0'),
                        _ => break,
                    }
                    self.decoded.consume(1);
                }
                value as u8
            }
            other => other,
        })
    }
}

/// An integer or logical value; NaN when it is missing.
pub fn whole(value: i32) -> f64 {
    if value == MISSING { f64::NAN } else { f64::from(value) }
}

fn number(word: &str, element: Element) -> Option<f64> {
    if element != Element::Real {
        return if word == "NA" { Some(f64::NAN) } else { word.parse::<i32>().ok().map(f64::from) };
    }
    match word {
        "NA" | "NaN" => Some(f64::NAN),
        "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        word => hexadecimal(word).or_else(|| word.parse().ok()),
    }
}

/// A number as C's "%a" writes it, which R does with `ascii = NA`: "0x1.8p+1" is 3.
fn hexadecimal(word: &str) -> Option<f64> {
    let (negative, word) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let (digits, power) = word.strip_prefix("0x")?.split_once('p')?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 13 || whole.len() > 1 {
        return None;
    }
    let mantissa = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let power = power.parse::<i32>().ok()?.checked_sub(4 * fraction.len() as i32)?;
    let value = libm::scalbn(mantissa as f64, power);
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn stream(bytes: &[u8], encoding: Encoding) -> Stream {
        let source = Arc::new(BlockCache::new(Box::new(Cursor::new(bytes.to_vec()))).unwrap());
        Stream::open(&source, Container::Plain, encoding, 0).unwrap()
    }

    #[test]
    fn every_encoding_gives_the_same_numbers() {
        let mut numbers = Vec::new();
        let ascii = b"2\nNA\n-1\n0\n5\n3\n0x1.8p+1\n-2.5e-1\nNA\nInf\n-0x1p-2\n";
        let mut text = stream(ascii, Encoding::Ascii);
        assert_eq!((text.integer().unwrap(), text.integer().unwrap()), (2, MISSING));
        assert_eq!(text.length().unwrap(), 5);
        text.numbers(Element::Integer, 1, &mut numbers).unwrap();
        assert_eq!(numbers, [3.0]);
        text.numbers(Element::Real, 5, &mut numbers).unwrap();
        assert_eq!(numbers[..2], [3.0, -0.25]);
        assert!(numbers[2].is_nan() && numbers[3] == f64::INFINITY && numbers[4] == -0.25);
        assert!(text.integer().is_err());
        for big in [true, false] {
            let integer = |value: i32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
            let mut bytes: Vec<u8> = [-1, 1, 2, 7, MISSING].into_iter().flat_map(integer).collect();
            bytes.extend(if big { 1.5f64.to_be_bytes() } else { 1.5f64.to_le_bytes() });
            let mut stream = stream(&bytes, if big { Encoding::Xdr } else { Encoding::Native });
            assert_eq!(stream.length().unwrap(), (1 << 32) + 2);
            stream.skip_numbers(Element::Integer, 1).unwrap();
            stream.numbers(Element::Logical, 1, &mut numbers).unwrap();
            assert!(numbers[0].is_nan());
            stream.numbers(Element::Real, 1, &mut numbers).unwrap();
            assert_eq!((numbers[0], stream.position()), (1.5, 28));
            assert!(stream.numbers(Element::Real, 1, &mut numbers).is_err());
        }
    }

    #[test]
    fn text_is_unescaped() {
        let mut bytes = Vec::new();
        stream(b"\n a\\040b\\n\\\\c\\303\\251 ", Encoding::Ascii).text(8, &mut bytes).unwrap();
        assert_eq!(bytes, "a b\n\\cé".as_bytes());
        let cut = stream(b"abc", Encoding::Xdr).text(4, &mut bytes).unwrap_err();
        assert!(cut.message.starts_with("the file is truncated"));
    }
}
