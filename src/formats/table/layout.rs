//! How a table of text is laid out: separator, header, and what its columns hold, from its first lines.

use crate::error::{Error, Result};

/// Lines from which the columns are judged.
const LINES: usize = 50;
/// Columns that hold numbers but no counts, whether of cells or of genes; compared without regard to case.
const ANNOTATIONS: [&str; 34] = [
    "ncount_rna",
    "nfeature_rna",
    "percent.mt",
    "percent_mt",
    "percent.mito",
    "n_counts",
    "n_genes",
    "n_umi",
    "numi",
    "ngene",
    "n_genes_by_counts",
    "total_counts",
    "total_counts_mt",
    "pct_counts_mt",
    "seurat_clusters",
    "leiden",
    "louvain",
    "cluster",
    "clusters",
    "batch",
    "doublet_score",
    "predicted_doublet",
    "s.score",
    "g2m.score",
    "chr",
    "chrom",
    "chromosome",
    "start",
    "end",
    "strand",
    "length",
    "gene_length",
    "n_cells",
    "entrezid",
];

/// What is known of a table before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub separator: u8,
    /// Bytes and lines before the first row.
    pub skip: u64,
    pub lines: u64,
    /// What the header calls the names of the rows; empty where it says nothing.
    pub corner: String,
    /// The header, without that of the first column.
    pub header: Vec<String>,
    /// What each field after the first is.
    pub roles: Vec<Role>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Count,
    /// Text or a number that says something of the row.
    Annotation,
    /// Nothing: every line ends with a separator.
    Nothing,
}

impl Layout {
    /// Judges the beginning of a table; `all` when there is no more.
    ///
    /// # Errors
    /// A sentence that says what the text is, when it is no table of counts.
    pub fn of(text: &[u8], all: bool) -> Result<Layout> {
        let end = if all { text.len() } else { text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1) };
        let mut skip = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let mut lines = 0;
        let mut sample: Vec<&[u8]> = Vec::new();
        for line in text[skip.min(end)..end].split_inclusive(|&byte| byte == b'\n').take(LINES + 1000) {
            let bare = line.trim_ascii();
            if sample.is_empty() {
                skip += line.len();
                lines += 1;
            }
            if !(bare.is_empty() || (sample.is_empty() && bare.starts_with(b"#"))) {
                sample.push(without_end(line));
            }
            if sample.len() > LINES {
                break;
            }
        }
        let [header, rows @ ..] = sample.as_slice() else {
            return Err(Error::input("there is no text in it. Check the step that wrote the file."));
        };
        if rows.is_empty() {
            return Err(Error::input(
                "it has one line only. Sextant reads tables with a header and a line for each gene or cell.",
            ));
        }
        let separator = separator(header, rows).ok_or_else(|| {
            Error::input(
                "it is text but no table: its lines are not divided by commas, tabs, semicolons or spaces into the same \
                 number of columns.",
            )
        })?;
        let header = fields(header, separator);
        let rows: Vec<Vec<String>> = rows.iter().map(|row| fields(row, separator)).collect();
        let mut layout =
            Layout { separator, skip: skip as u64, lines, corner: String::new(), header, roles: Vec::new() };
        layout.complete(&rows)?;
        Ok(layout)
    }

    /// Splits the header, and tells counts from other columns.
    fn complete(&mut self, rows: &[Vec<String>]) -> Result<()> {
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let nothing_last = |row: &Vec<String>| row.len() == width && row.last().is_some_and(String::is_empty);
        let trailing = width > 2 && rows.iter().all(nothing_last);
        let named = self.header.len();
        if named == width {
            self.corner = self.header.remove(0);
        } else if named + 1 != width {
            return Err(Error::input(format!(
                "its header has {named} fields and its first rows have {width}. Expected as many, or one less where the \
                 names of the rows have no header."
            )));
        }
        if no_header(&self.header) {
            return Err(Error::input(
                "its first line has numbers where the names of cells or genes are expected. Add a header with the names.",
            ));
        }
        if fragments(&self.header, rows) {
            return Err(Error::input(
                "it looks like a list of fragments (chromosome, start, end, barcode) of an ATAC library. Sextant maps gene \
                 expression; load the matrix of that library.",
            ));
        }
        if long(&self.corner, self.header.first().map_or("", String::as_str), rows, width) {
            return Err(Error::input(
                "it looks like a list with one line for each count (cell, gene, count). Sextant reads tables of genes by \
                 cells; turn it into one, for example in Python with `pandas.read_csv(\"in.csv\").pivot(index=\"gene\", \
                 columns=\"cell\", values=\"count\").fillna(0)`.",
            ));
        }
        let is_text = |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|field| !is_number(field)));
        self.roles = (1..width)
            .zip(&self.header)
            .map(|(column, name)| match trailing && column + 1 == width {
                true => Role::Nothing,
                false if is_text(column) || is_annotation(name) => Role::Annotation,
                false => Role::Count,
            })
            .collect();
        let counts = self.names(Role::Count).len();
        if counts == 0 && decimal_commas(rows) {
            return Err(Error::input(
                "its numbers have decimal commas, so they are not raw counts. Load the table of raw counts, or save it with \
                 whole numbers if they are counts.",
            ));
        }
        if counts == 0 {
            let none = match self.roles.len() {
                1 => String::from("its only column does not hold numbers"),
                columns => format!("none of its {columns} columns holds numbers"),
            };
            return Err(Error::input(format!(
                "it is a table without counts: {none}. Sextant reads tables of counts of genes by cells.",
            )));
        }
        Ok(())
    }

    /// The names of the columns of a role.
    pub fn names(&self, role: Role) -> Vec<String> {
        let named = self.header.iter().zip(&self.roles).filter(|(_, found)| **found == role);
        named.map(|(name, _)| name.clone()).collect()
    }

    /// "comma", "tab".
    pub fn separator_name(&self) -> &'static str {
        match self.separator {
            b'\t' => "tab",
            b';' => "semicolon",
            b' ' => "space",
            _ => "comma",
        }
    }
}

/// A line without its end; blanks may be separators and stay.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The separator that gives all rows the same number of fields, and the most of them.
fn separator(header: &[u8], rows: &[&[u8]]) -> Option<u8> {
    let mut best: Option<(usize, u8)> = None;
    for separator in [b'\t', b',', b';', b' '] {
        let width = fields(rows.first()?, separator).len();
        let same = rows.iter().all(|row| fields(row, separator).len() == width);
        let named = fields(header, separator).len();
        if same && width > 1 && (named == width || named + 1 == width) && best.is_none_or(|(most, _)| width > most) {
            best = Some((width, separator));
        }
    }
    if best.is_none() {
        // A header that does not fit is explained by who splits it.
        return [b'\t', b',', b';']
            .into_iter()
            .find(|&separator| rows.iter().all(|row| fields(row, separator).len() > 1));
    }
    best.map(|(_, separator)| separator)
}

/// The fields of a line, quotes removed.
pub fn fields(line: &[u8], separator: u8) -> Vec<String> {
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        let (start, end, next) = field(line, at, separator);
        fields.push(text(&line[start..end]));
        match next {
            Some(next) => at = next,
            None => return fields,
        }
    }
}

/// Where a field of a line lies, quotes included, and where the next begins, if there is one.
#[inline]
pub fn field(line: &[u8], start: usize, separator: u8) -> (usize, usize, Option<usize>) {
    let mut at = start;
    if line.get(at) == Some(&b'"') {
        // A quote within quotes is written twice.
        at += 1;
        while let Some(quote) = line[at..].iter().position(|&byte| byte == b'"') {
            at += quote + 1;
            match line.get(at) {
                Some(b'"') => at += 1,
                _ => break,
            }
        }
    }
    match line.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == separator)) {
        Some(length) => (start, at + length, Some(at + length + 1)),
        None => (start, line.len(), None),
    }
}

/// A field without blanks and quotes around it.
pub fn text(field: &[u8]) -> String {
    let field = String::from_utf8_lossy(field.trim_ascii());
    match field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => field.into_owned(),
    }
}

/// Numbers, and what stands for missing ones.
fn is_number(field: &str) -> bool {
    is_missing(field) || field.parse::<f64>().is_ok()
}

/// What programs write where there is no number.
pub fn is_missing(field: &str) -> bool {
    ["", "na", "nan", "n/a", "null", "none", "-", "."].contains(&field.to_ascii_lowercase().as_str())
}

/// Whether a column of that name says something of a cell or gene that is no count.
pub fn is_annotation(name: &str) -> bool {
    ANNOTATIONS.contains(&name.to_ascii_lowercase().as_str())
}

/// Numbers in a header are names only where they count cells.
fn no_header(header: &[String]) -> bool {
    let numbers: Option<Vec<f64>> = header.iter().map(|field| field.parse().ok()).collect();
    let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else {
        return false;
    };
    let counted = numbers.windows(2).all(|pair| pair[0] + 1.0 == pair[1]) && [0.0, 1.0].contains(&numbers[0]);
    !counted || numbers.len() < 2
}

/// Most fields are numbers with a comma where others write a point.
fn decimal_commas(rows: &[Vec<String>]) -> bool {
    let fields = || rows.iter().flat_map(|row| row.iter().skip(1));
    let numbers = fields().filter(|field| is_number(field)).count();
    let decimal =
        |field: &&String| !is_number(field) && field.matches(',').count() == 1 && is_number(&field.replace(',', "."));
    let decimals = fields().filter(decimal).count();
    decimals > 0 && (numbers + decimals) * 10 > fields().count() * 9
}

/// Lines of a place on a chromosome, without a header.
fn fragments(header: &[String], rows: &[Vec<String>]) -> bool {
    let place = |start: Option<&String>, end: Option<&String>| {
        let number = |field: Option<&String>| field.and_then(|field| field.parse::<u64>().ok());
        number(start).zip(number(end)).is_some_and(|(start, end)| start < end)
    };
    let chromosome = |row: &Vec<String>| {
        let name = row.first().map(String::as_str).unwrap_or_default();
        let bare = name.strip_prefix("chr").unwrap_or(name);
        bare.parse::<u8>().is_ok() || ["X", "Y", "M", "MT"].contains(&bare) || name.starts_with("chr")
    };
    place(header.first(), header.get(1)) && rows.iter().all(|row| chromosome(row) && place(row.get(1), row.get(2)))
}

/// Two columns of names, of which one repeats, and one of numbers.
fn long(corner: &str, second: &str, rows: &[Vec<String>], width: usize) -> bool {
    if width != 3 || rows.len() < 3 {
        return false;
    }
    let text = |column: usize| rows.iter().all(|row| row.get(column).is_some_and(|field| !is_number(field)));
    let repeats = |column: usize| {
        let mut names: Vec<&String> = rows.iter().filter_map(|row| row.get(column)).collect();
        names.sort_unstable();
        names.dedup();
        names.len() < rows.len()
    };
    let gene = |name: &str| name.to_ascii_lowercase().contains("gene");
    // A class of cells repeats as well, beside names of cells that do not.
    text(0) && text(1) && !text(2) && (repeats(0) || (repeats(1) && gene(second) && !gene(corner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Layout {
        Layout::of(text.as_bytes(), true).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn headers_and_separators() {
        for (text, separator) in [
            ("gene,c1,c2\nA,1,2\nB,0,3\n", b','),
            ("gene\tc1\tc2\r\nA\t1\t2\r\nB\t0\t3\r\n", b'\t'),
            ("# made by x\n\ngene;c1;c2\nA;1;2\nB;0;3", b';'),
            ("\u{feff}\"gene\",\"c1\",\"c2\"\n\"A,b\",1,2\n\"B\",0,3\n", b','),
            ("gene c1 c2\nA 1 2\nB 0 3\n", b' '),
        ] {
            let layout = layout(text);
            assert_eq!((layout.separator, layout.corner.as_str()), (separator, "gene"), "{text}");
            assert_eq!(layout.header, ["c1", "c2"]);
            assert_eq!(layout.roles, [Role::Count; 2]);
            let first = &text.as_bytes()[layout.skip as usize..];
            assert!(first.starts_with(b"A") || first.starts_with(b"\"A"), "{text}");
        }
        let short = layout("c1 c2\nA 1 2\nB 0 3\n");
        assert_eq!((short.corner.as_str(), short.header.len()), ("", 2));
        let numbered = layout(",0,1,2\nA,1,2,5\n");
        assert_eq!(numbered.header, ["0", "1", "2"]);
        let trailing = layout("gene,c1,c2,\nA,1,2,\nB,0,3,\n");
        assert_eq!(trailing.roles, [Role::Count, Role::Count, Role::Nothing]);
        let annotated = layout("id,symbol,Length,c1,c2\nE1,A,100,1,2\nE2,B,200,0,3\n");
        assert_eq!(annotated.roles, [Role::Annotation, Role::Annotation, Role::Count, Role::Count]);
        assert_eq!(annotated.names(Role::Annotation), ["symbol", "Length"]);
        assert_eq!(fields(b"\"a \"\"b\"\"\", c ,\"\"", b','), ["a \"b\"", "c", ""]);
    }

    #[test]
    fn what_is_no_table_is_named() {
        let message = |text: &str| Layout::of(text.as_bytes(), true).unwrap_err().message;
        assert_eq!(message("\n\n"), "there is no text in it. Check the step that wrote the file.");
        assert_eq!(
            message("a,b,c\n"),
            "it has one line only. Sextant reads tables with a header and a line for each gene or cell."
        );
        assert_eq!(
            message("Dear all,\nplease find the counts\nattached.\n"),
            "it is text but no table: its lines are not divided by commas, tabs, semicolons or spaces into the same \
             number of columns."
        );
        assert_eq!(
            message("A,1,0,2\nB,0,3,0\n"),
            "its first line has numbers where the names of cells or genes are expected. Add a header with the names."
        );
        assert_eq!(
            message("a,b,c,d\nA,1\nB,0\n"),
            "its header has 4 fields and its first rows have 2. Expected as many, or one less where the names of the rows \
             have no header."
        );
        assert_eq!(
            message("cell,gene,count\nc1,A,1\nc1,B,2\nc2,A,3\n"),
            "it looks like a list with one line for each count (cell, gene, count). Sextant reads tables of genes by cells; \
             turn it into one, for example in Python with `pandas.read_csv(\"in.csv\").pivot(index=\"gene\", \
             columns=\"cell\", values=\"count\").fillna(0)`."
        );
        assert_eq!(
            message("barcode,cell_type\nAAAC,B\nAAAG,T\n"),
            "it is a table without counts: its only column does not hold numbers. Sextant reads tables of counts of genes by \
             cells."
        );
    }
}
