//! The first lines of a MatrixMarket file.
//!
//! # Source
//! NIST, "The Matrix Market Exchange Formats: Initial Design" (NISTIR 5935), section 2.

use super::super::content::Content;
use super::super::hdf5::damaged;
use super::super::lines;
use crate::error::{Error, Result};

/// What the first line begins with.
const BANNER: &str = "%%matrixmarket";
/// The longest comments that are believed.
const LONGEST: usize = 1 << 20;
/// The most rows or columns that are believed.
const MOST: u64 = 1 << 31;

/// What a MatrixMarket file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Rows and columns as the file has them: usually genes and cells.
    pub shape: [u32; 2],
    /// Entries that should follow.
    pub entries: u64,
    /// Bytes before the first entry.
    pub length: u64,
    /// Lines before the first entry.
    pub lines: u64,
}

/// Whether text begins as a MatrixMarket file does.
pub fn begins(first: &[u8]) -> bool {
    first.get(..BANNER.len()).is_some_and(|banner| banner.eq_ignore_ascii_case(BANNER.as_bytes()))
}

impl Header {
    /// # Errors
    /// When it is not MatrixMarket, or of a kind that holds no counts.
    pub fn read(content: &Content) -> Result<Self> {
        let (bytes, _) = lines::beginning(content, LONGEST)?;
        let name = content.name();
        if !begins(&bytes) {
            return Err(Error::input(format!(
                "\"{name}\" should be a MatrixMarket file and does not begin with \"%%MatrixMarket\". Check that it \
                 is the right file and that its download was complete."
            )));
        }
        let mut length = 0;
        for (number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
            length += line.len() as u64;
            let text = String::from_utf8_lossy(line);
            let text = text.trim();
            if number == 1 {
                check_banner(name, text)?;
            } else if !text.is_empty() && !text.starts_with('%') {
                let [rows, columns, entries] = sizes(name, text)?;
                return Ok(Header { shape: [rows as u32, columns as u32], entries, length, lines: number });
            }
        }
        Err(damaged(name, "the line with its numbers of rows, columns and entries is missing"))
    }
}

fn check_banner(name: &str, line: &str) -> Result<()> {
    let lower = line.to_ascii_lowercase();
    let words: Vec<&str> = lower.split_ascii_whitespace().skip(1).collect();
    let refuse = |what: &str| {
        Err(Error::input(format!(
            "\"{name}\" is a MatrixMarket file of another kind: {what}. Sextant reads \"matrix coordinate integer \
             general\" and \"matrix coordinate real general\"; write the matrix again that way, for example in R \
             with `Matrix::writeMM` or in Python with `scipy.io.mmwrite`."
        )))
    };
    match words.as_slice() {
        ["matrix", "coordinate", "integer" | "real" | "unsigned-integer" | "double", "general"] => Ok(()),
        ["matrix", "coordinate", "pattern", ..] => {
            refuse("it says where there are counts but not how many (\"pattern\")")
        }
        ["matrix", "coordinate", "complex", ..] => refuse("it has complex numbers"),
        ["matrix", "coordinate", _, symmetry] => {
            refuse(&format!("it has only one half of the matrix (\"{symmetry}\")"))
        }
        ["matrix", "array", ..] => refuse("it is dense (\"array\")"),
        _ => refuse(&format!("its first line is \"{}\"", &line.chars().take(80).collect::<String>())),
    }
}

fn sizes(name: &str, line: &str) -> Result<[u64; 3]> {
    let sizes: Option<Vec<u64>> = line.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
    match sizes.as_deref() {
        Some(&[rows, columns, entries]) if rows < MOST && columns < MOST => Ok([rows, columns, entries]),
        _ => Err(damaged(
            name,
            &format!(
                "it should have its numbers of rows, columns and entries before the first entry, and has \"{}\"",
                line.chars().take(60).collect::<String>()
            ),
        )),
    }
}
