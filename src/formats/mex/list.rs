//! The lists beside a MatrixMarket file: names of cells, or of features with symbol and type.

use super::super::content::Content;
use super::super::lines;
use crate::error::{Error, Result};

/// Bytes from whose lines the columns are judged.
const SAMPLE: usize = 256 << 10;

/// A list of names, one on each line, perhaps in several columns.
pub struct List {
    content: Content,
    /// Lines that are not blank, a header among them.
    lines: usize,
    separator: Option<char>,
    /// Columns that hold names: not those that number the lines.
    columns: usize,
    /// Whether the first column numbers the lines, as R's `write.csv` does.
    numbered: bool,
    /// Whether the first line names the columns.
    pub header: bool,
}

impl List {
    /// Counts the lines and finds out how they are divided.
    ///
    /// # Errors
    /// When the list cannot be read or is no text.
    pub fn open(content: &Content) -> Result<Self> {
        let mut lines = 0;
        let count = |piece: &[u8]| lines::of(piece).filter(|line| !line.trim_ascii().is_empty()).count();
        lines::parse(content, 0, &count, &mut |_| {}, &mut |found| {
            lines += found;
            Ok(true)
        })?;
        let (beginning, all) = lines::beginning(content, SAMPLE)?;
        if beginning.contains(&0) {
            return Err(Error::input(format!(
                "\"{}\" should be a list of names, and is no text. Check that it is the right file.",
                content.name()
            )));
        }
        let mut sample: Vec<String> = lines::of(&beginning).map(text).filter(|line| !line.trim().is_empty()).collect();
        if !all && sample.len() > 1 {
            sample.pop();
        }
        let separator = separator(&sample);
        let rows: Vec<Vec<String>> = sample.iter().map(|line| fields(line, separator)).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let numbered = columns > 1 && numbers_lines(&rows);
        let columns = columns - usize::from(numbered);
        Ok(List { content: content.clone(), lines, separator, columns, numbered, header: false })
    }

    pub fn name(&self) -> &str {
        self.content.name()
    }

    /// Lines, a header among them.
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Names in the list.
    pub fn len(&self) -> usize {
        self.lines - usize::from(self.header && self.lines > 0)
    }

    /// The columns' names: those of the header, or their numbers.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn columns(&self) -> Result<Vec<String>> {
        let mut names: Vec<String> = (1..=self.columns).map(|column| format!("column {column}")).collect();
        if self.header {
            let (beginning, _) = lines::beginning(&self.content, SAMPLE)?;
            if let Some(first) = lines::of(&beginning).map(text).find(|line| !line.trim().is_empty()) {
                for (name, given) in names.iter_mut().zip(self.names(&first)) {
                    if !given.is_empty() {
                        *name = given;
                    }
                }
            }
        }
        Ok(names)
    }

    /// The fields of some lines, all when `rows` (ascending) is `None`; each line has [`Self::columns`] of them.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn read(&self, rows: Option<&[u32]>) -> Result<Vec<Vec<String>>> {
        let mut read = Vec::new();
        let mut wanted = rows.map(|rows| rows.iter().copied().peekable());
        // Counts names; the header comes before them.
        let mut row = if self.header { -1 } else { 0 };
        lines::parse(&self.content, 0, &|piece| piece.to_vec(), &mut |_| {}, &mut |piece| {
            for line in lines::of(&piece).filter(|line| !line.trim_ascii().is_empty()) {
                let take = match &mut wanted {
                    None => row >= 0,
                    Some(wanted) => wanted.next_if(|&next| i64::from(next) == row).is_some(),
                };
                if take {
                    let mut names = self.names(&text(line));
                    names.resize(self.columns, String::new());
                    read.push(names);
                }
                row += 1;
            }
            Ok(wanted.as_mut().is_none_or(|wanted| wanted.peek().is_some()))
        })?;
        Ok(read)
    }

    fn names(&self, line: &str) -> Vec<String> {
        let mut names = fields(line, self.separator);
        if self.numbered && !names.is_empty() {
            names.remove(0);
        }
        names
    }
}

/// A line without the mark that Windows puts before a text.
fn text(line: &[u8]) -> String {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

/// Tab wherever there is one; a comma when all lines have as many.
fn separator(sample: &[String]) -> Option<char> {
    if sample.iter().any(|line| line.contains('\t')) {
        return Some('\t');
    }
    let commas = |line: &String| line.matches(',').count();
    let first = commas(sample.first()?);
    (first > 0 && sample.iter().all(|line| commas(line) == first)).then_some(',')
}

/// The fields of a line, without quotes and blanks around them.
fn fields(line: &str, separator: Option<char>) -> Vec<String> {
    let bare = |field: &str| field.trim().trim_matches('"').to_owned();
    match separator {
        Some(separator) => line.split(separator).map(bare).collect(),
        None => vec![bare(line)],
    }
}

/// Whether the first fields count the lines, with or without a header before them.
fn numbers_lines(rows: &[Vec<String>]) -> bool {
    let number = |row: &Vec<String>| row.first().and_then(|field| field.parse::<usize>().ok());
    let start = usize::from(rows.first().and_then(number).is_none());
    let counted = rows.get(start..).unwrap_or_default();
    let first = counted.first().and_then(number).filter(|&first| first <= 1);
    first.is_some_and(|first| (first..).zip(counted).all(|(expected, row)| number(row) == Some(expected)))
}

#[cfg(test)]
mod tests {
    use super::super::super::source::BlockCache;
    use super::*;
    use std::io::Cursor;
    use std::sync::Arc;

    fn list(text: &str) -> List {
        let cache = BlockCache::new(Box::new(Cursor::new(text.as_bytes().to_vec()))).unwrap();
        List::open(&Content::of_source("l", Arc::new(cache))).unwrap()
    }

    #[test]
    fn lists_of_every_kind() {
        let plain = list("a,1\nb\r\n\nc\n");
        assert_eq!((plain.len(), plain.columns().unwrap()), (3, vec!["column 1".to_owned()]));
        assert_eq!(plain.read(None).unwrap(), [["a,1"], ["b"], ["c"]]);
        assert_eq!(plain.read(Some(&[0, 2])).unwrap(), [["a,1"], ["c"]]);
        let tabs = list("\u{feff}ENSG1\tA\tGene Expression\nENSG2\tB");
        assert_eq!(tabs.read(None).unwrap(), [["ENSG1", "A", "Gene Expression"], ["ENSG2", "B", ""]]);
        let mut written_by_r = list("\"\",\"x\"\n\"1\",\"AAAC\"\n\"2\",\"AAAG\"\n");
        assert_eq!(written_by_r.lines(), 3);
        written_by_r.header = true;
        assert_eq!(written_by_r.len(), 2);
        assert_eq!(written_by_r.columns().unwrap(), ["x"]);
        assert_eq!(written_by_r.read(None).unwrap(), [["AAAC"], ["AAAG"]]);
        assert_eq!(written_by_r.read(Some(&[1])).unwrap(), [["AAAG"]]);
        assert_eq!(list("").read(None).unwrap(), Vec::<Vec<String>>::new());
    }
}
