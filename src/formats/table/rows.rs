//! The rows of a table: name, annotations, counts.

use super::super::lines;
use super::super::packing::Tally;
use super::layout::{Layout, Role, field, is_missing, text};
use crate::matrix::{CountsBuilder, pack};

/// The rows of some lines. Of the counts only those that are not zero are kept.
#[derive(Debug, Default)]
pub struct Rows {
    /// The name and the annotations of each row, when they were asked for.
    pub names: Vec<Vec<String>>,
    /// Where the entries of each row end.
    pub ends: Vec<usize>,
    /// Which count of the row, from 0.
    pub columns: Vec<u32>,
    /// Packed, [`CountsBuilder::ESCAPED`] where the count is in `escapes`, in the same order.
    pub values: Vec<u16>,
    pub escapes: Vec<f32>,
    pub tally: Tally,
    /// Lines of the piece, whatever is in them.
    pub lines: u64,
    /// The first line that cannot be read, counted from 0, and what is wrong with it; rows before it are there.
    pub problem: Option<(u64, Problem)>,
}

/// What is wrong with a line, to follow "line 7".
#[derive(Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is not like the lines before.
    Damaged(String),
    /// A count is missing.
    Missing(String),
}

fn bad_count(field: &str, column: &str) -> Problem {
    let shown: String = field.chars().take(40).collect();
    match is_missing(field) {
        true => Problem::Missing(format!("has no number in the column \"{column}\" (\"{shown}\")")),
        false => Problem::Damaged(format!("has \"{shown}\" in the column \"{column}\", where a number is expected")),
    }
}

impl Rows {
    /// Reads the lines of a piece.
    pub fn parse(piece: &[u8], layout: &Layout, with_names: bool) -> Self {
        let mut rows = Rows::default();
        for line in lines::of(piece) {
            if !line.trim_ascii().is_empty()
                && let Err(what) = rows.line(line, layout, with_names)
            {
                rows.problem = Some((rows.lines, what));
                break;
            }
            rows.lines += 1;
        }
        rows
    }

    fn line(&mut self, line: &[u8], layout: &Layout, with_names: bool) -> Result<(), Problem> {
        let separator = layout.separator;
        let (start, end, mut next) = field(line, 0, separator);
        let mut names = Vec::new();
        if with_names {
            names.push(text(&line[start..end]));
        }
        let mut column = 0;
        for (number, role) in layout.roles.iter().enumerate() {
            let Some(start) = next else {
                // Some writers leave out the last separator of a line that ends in nothing.
                if *role == Role::Nothing {
                    continue;
                }
                let (found, expected) = (number + 1, layout.roles.len() + 1);
                return Err(Problem::Damaged(format!("has {found} columns, but {expected} are expected")));
            };
            // Zeros are by far the most common.
            if *role == Role::Count && line.get(start) == Some(&b'0') && line.get(start + 1) == Some(&separator) {
                next = Some(start + 2);
                column += 1;
                continue;
            }
            let (start, end, following) = field(line, start, separator);
            next = following;
            let bytes = &line[start..end];
            match role {
                Role::Count => {
                    let named = || layout.header.get(number).map_or("", String::as_str);
                    self.count(bytes, column).map_err(|field| bad_count(&field, named()))?;
                    column += 1;
                }
                Role::Annotation if with_names => names.push(text(bytes)),
                Role::Annotation | Role::Nothing => {}
            }
        }
        if next.is_some_and(|rest| !line[rest..].trim_ascii().is_empty()) {
            let expected = layout.roles.len() + 1;
            return Err(Problem::Damaged(format!("has more than the {expected} columns that are expected")));
        }
        if with_names {
            self.names.push(names);
        }
        self.ends.push(self.columns.len());
        Ok(())
    }

    /// Takes a count; the error is a field that is no number.
    #[inline]
    fn count(&mut self, bytes: &[u8], column: u32) -> Result<(), String> {
        let value = match whole(bytes) {
            Some(whole) => whole as f32,
            None => {
                let field = text(bytes);
                let Some(value) = field.parse::<f64>().ok().filter(|value| !value.is_nan()) else {
                    return Err(field);
                };
                self.tally.note(value);
                value as f32
            }
        };
        if value != 0.0 {
            self.columns.push(column);
            self.values.push(pack(value).unwrap_or_else(|| {
                self.escapes.push(value);
                CountsBuilder::ESCAPED
            }));
        }
        Ok(())
    }
}

/// A whole number of at most nine digits.
#[inline]
fn whole(bytes: &[u8]) -> Option<u32> {
    if bytes.is_empty() || bytes.len() > 9 {
        return None;
    }
    let mut number = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u32::from(digit);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> (Rows, Layout) {
        let header = "gene,symbol,c1,c2,c3\nE0,S0,1,2,3\n";
        let layout = Layout::of(header.as_bytes(), true).unwrap();
        (Rows::parse(text.as_bytes(), &layout, true), layout)
    }

    #[test]
    fn rows_of_every_kind() {
        let (found, _) = rows("E1,S1,0,2,0\r\n\n\"E2\",\"S,2\",\"7\", 70000 ,0\nE3,,0,0,0.0\nE4,x,1e1,-1,0.5");
        assert_eq!(found.names, [["E1", "S1"], ["E2", "S,2"], ["E3", ""], ["E4", "x"]]);
        assert_eq!(found.ends, [1, 3, 3, 6]);
        assert_eq!(found.columns, [1, 0, 1, 0, 1, 2]);
        let escaped = CountsBuilder::ESCAPED;
        assert_eq!(found.values, [2, 7, escaped, 10, escaped, escaped]);
        assert_eq!(found.escapes, [70_000.0, -1.0, 0.5]);
        assert_eq!(found.tally, Tally { fractions: 1, negatives: 1, not_finite: 0 });
        assert_eq!((found.lines, found.problem), (5, None));
    }

    #[test]
    fn bad_lines_are_named() {
        let damaged = |what: &str| Problem::Damaged(what.to_owned());
        let missing = |what: &str| Problem::Missing(what.to_owned());
        for (line, what) in [
            ("E1,S1,0,0", damaged("has 4 columns, but 5 are expected")),
            ("E1", damaged("has 1 columns, but 5 are expected")),
            ("E1,S1,0,0,0,0", damaged("has more than the 5 columns that are expected")),
            ("E1,S1,0,x,0", damaged("has \"x\" in the column \"c2\", where a number is expected")),
            ("E1,S1,0,NA,0", missing("has no number in the column \"c2\" (\"NA\")")),
            ("E1,S1,0,0,", missing("has no number in the column \"c3\" (\"\")")),
            ("E1,S1,0,0,nan", missing("has no number in the column \"c3\" (\"nan\")")),
        ] {
            let (found, _) = rows(&format!("E0,S0,1,1,1\n{line}\n"));
            assert_eq!(found.problem, Some((1, what)), "{line}");
            assert_eq!(found.ends.len(), 1);
        }
    }
}
