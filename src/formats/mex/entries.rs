//! The lines of a MatrixMarket file: row, column, count.

use super::super::packing::Tally;
use crate::matrix::{CountsBuilder, pack};

/// The entries of some lines.
#[derive(Debug, Default)]
pub struct Entries {
    /// Rows and columns, from 0.
    pub rows: Vec<u32>,
    pub columns: Vec<u32>,
    /// Packed counts, [`CountsBuilder::ESCAPED`] where they are in `escapes`, in the same order.
    pub values: Vec<u16>,
    pub escapes: Vec<f32>,
    pub tally: Tally,
    /// Lines of the piece, whatever is in them.
    pub lines: u64,
    /// The first line that cannot be read, counted from 0, and what is wrong with it; entries before it are there.
    pub problem: Option<(u64, String)>,
}

impl Entries {
    /// Reads the lines of a piece of a matrix of `shape` rows and columns.
    pub fn parse(piece: &[u8], shape: [u32; 2]) -> Self {
        // A short line is "1 1 1"; most have ten bytes or more.
        let expected = piece.len() / 8;
        let mut entries = Entries {
            rows: Vec::with_capacity(expected),
            columns: Vec::with_capacity(expected),
            values: Vec::with_capacity(expected),
            ..Entries::default()
        };
        let mut at = 0;
        while at < piece.len() {
            match entries.line(piece, at, shape) {
                Some(next) => at = next,
                None => {
                    let end = piece[at..].iter().position(|&byte| byte == b'\n').map_or(piece.len(), |end| at + end);
                    let line = piece.get(at..end).unwrap_or_default();
                    if let Err(what) = entries.unusual(line, shape) {
                        entries.problem = Some((entries.lines, what));
                        break;
                    }
                    at = end + 1;
                }
            }
            entries.lines += 1;
        }
        entries
    }

    /// A line of three whole numbers with single blanks between, which nearly all lines are; `None` for any other.
    #[inline]
    fn line(&mut self, piece: &[u8], at: usize, [rows, columns]: [u32; 2]) -> Option<usize> {
        let (row, at) = whole(piece, at)?;
        (*piece.get(at)? == b' ').then_some(())?;
        let (column, at) = whole(piece, at + 1)?;
        (*piece.get(at)? == b' ').then_some(())?;
        let (count, at) = whole(piece, at + 1)?;
        (*piece.get(at)? == b'\n' && row.wrapping_sub(1) < rows && column.wrapping_sub(1) < columns).then_some(())?;
        self.rows.push(row - 1);
        self.columns.push(column - 1);
        self.value(count as f32);
        Some(at + 1)
    }

    #[inline]
    fn value(&mut self, count: f32) {
        self.values.push(pack(count).unwrap_or_else(|| {
            self.escapes.push(count);
            CountsBuilder::ESCAPED
        }));
    }

    /// Any other line: blank, a comment, with fractions, tabs, or the end of the file behind it.
    fn unusual(&mut self, line: &[u8], shape: [u32; 2]) -> Result<(), String> {
        let shown = || String::from_utf8_lossy(&line[..line.len().min(60)]).trim().to_owned();
        let Ok(text) = std::str::from_utf8(line) else {
            return Err(format!("is no text: \"{}\"", shown()));
        };
        if text.starts_with('%') || text.trim().is_empty() {
            return Ok(());
        }
        let expected = || format!("should have a row, a column and a count, and is \"{}\"", shown());
        let mut fields = text.split_ascii_whitespace();
        let (Some(row), Some(column), Some(count), None) = (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return Err(expected());
        };
        let places = [row, column].map(|field| field.parse::<u64>().ok());
        let ([Some(row), Some(column)], Ok(count)) = (places, count.parse::<f64>()) else {
            return Err(expected());
        };
        for (place, limit, what) in [(row, shape[0], "row"), (column, shape[1], "column")] {
            if place == 0 || place > u64::from(limit) {
                return Err(format!("names {what} {place}, but {what}s count from 1 to {limit}"));
            }
        }
        self.rows.push((row - 1) as u32);
        self.columns.push((column - 1) as u32);
        self.tally.note(count);
        self.value(count as f32);
        Ok(())
    }
}

/// A whole number of at most nine digits, and where it ends.
#[inline]
fn whole(bytes: &[u8], start: usize) -> Option<(u32, usize)> {
    let mut number = 0;
    let mut at = start;
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        if at - start == 9 {
            return None;
        }
        number = number * 10 + u32::from(digit);
        at += 1;
    }
    (at > start).then_some((number, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triples(text: &str) -> (Vec<(u32, u32, u16)>, Entries) {
        let entries = Entries::parse(text.as_bytes(), [30, 1_000_000]);
        let places = entries.rows.iter().zip(&entries.columns).zip(&entries.values);
        (places.map(|((&row, &column), &value)| (row, column, value)).collect(), entries)
    }

    #[test]
    fn lines_of_every_kind() {
        let (found, entries) = triples(
            "1 1 1\n30 1000000 65534\n% no entry\n\n  2\t3  4 \n5 6 7\r\n8 9 70000\n1 2 0.5\n1 3 -1\n1 4 inf\n3 3 2.0e0",
        );
        let escaped = CountsBuilder::ESCAPED;
        assert_eq!(
            found,
            [
                (0, 0, 1),
                (29, 999_999, 65_534),
                (1, 2, 4),
                (4, 5, 7),
                (7, 8, escaped),
                (0, 1, escaped),
                (0, 2, escaped),
                (0, 3, escaped),
                (2, 2, 2)
            ]
        );
        assert_eq!(entries.escapes, [70_000.0, 0.5, -1.0, f32::INFINITY]);
        assert_eq!(entries.tally, Tally { fractions: 1, negatives: 1, not_finite: 1 });
        assert_eq!((entries.lines, entries.problem), (11, None));
    }

    #[test]
    fn bad_lines_are_named() {
        for (line, what) in [
            ("0 1 1", "names row 0, but rows count from 1 to 30"),
            ("31 1 1", "names row 31, but rows count from 1 to 30"),
            ("1 1000001 1", "names column 1000001, but columns count from 1 to 1000000"),
            ("12345678901234 1 1", "names row 12345678901234, but rows count from 1 to 30"),
            ("1 1", "should have a row, a column and a count, and is \"1 1\""),
            ("1 1 1 1", "should have a row, a column and a count, and is \"1 1 1 1\""),
            ("1 1 x", "should have a row, a column and a count, and is \"1 1 x\""),
            ("-1 1 3", "should have a row, a column and a count, and is \"-1 1 3\""),
        ] {
            for end in ["", "\n", "\r\n"] {
                let (found, entries) = triples(&format!("2 2 2\n{line}{end}"));
                assert_eq!(found, [(1, 1, 2)]);
                assert_eq!(entries.problem, Some((1, what.to_owned())));
            }
        }
        assert!(
            Entries::parse(b"\xff\xfe 1 1\n", [1, 1]).problem.is_some_and(|(_, what)| what.starts_with("is no text"))
        );
    }
}
