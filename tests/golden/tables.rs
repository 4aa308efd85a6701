//! Tables as Seurat's side writes them: tab-separated, a header line, a first column of names, plain or gzipped.

use ndarray::Array2;
use sextant::matrix::{Counts, Dense};
use std::path::Path;

/// A table with a header line and a first column of names.
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// The text of a file, unpacked if it is gzipped.
pub fn text(path: &Path) -> String {
    let packed = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if !packed.starts_with(&[0x1f, 0x8b]) {
        return String::from_utf8(packed).expect("UTF-8");
    }
    let size = u32::from_le_bytes(packed[packed.len() - 4..].try_into().expect("a gzip trailer"));
    let mut plain = vec![0; size as usize];
    let config = zlib_rs::InflateConfig { window_bits: 31 };
    let (inflated, code) = zlib_rs::decompress_slice(&mut plain, &packed, config);
    assert_eq!((code, inflated.len()), (zlib_rs::ReturnCode::Ok, size as usize), "{}", path.display());
    String::from_utf8(plain).expect("UTF-8")
}

impl Table {
    pub fn read(path: &Path) -> Table {
        let text = text(path);
        let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
        let columns = lines.next().expect("a header");
        Table { columns, rows: lines.collect() }
    }

    pub fn column(&self, name: &str) -> Vec<String> {
        let index = self.columns.iter().position(|column| column == name).unwrap_or_else(|| panic!("no column {name}"));
        self.rows.iter().map(|row| row[index].clone()).collect()
    }

    pub fn numbers(&self, name: &str) -> Vec<f64> {
        self.column(name).iter().map(|text| number(text)).collect()
    }

    /// All columns but the first.
    pub fn matrix(&self) -> Array2<f64> {
        let columns = self.columns.len() - 1;
        let values: Vec<f64> = self.rows.iter().flat_map(|row| row[1..].iter().map(|text| number(text))).collect();
        Array2::from_shape_vec((self.rows.len(), columns), values).expect("a full table")
    }

    pub fn dense(&self) -> Dense {
        self.matrix().mapv(|value| value as f32)
    }
}

pub fn number(text: &str) -> f64 {
    match text.trim() {
        "NA" => f64::NAN,
        "Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or_else(|_| panic!("'{text}' is no number")),
    }
}

/// Counts of a Matrix Market file, genes × cells, as cells × genes.
pub fn counts(text: &str) -> Counts {
    let mut lines = text.lines().filter(|line| !line.starts_with('%'));
    let fields =
        |line: &str| line.split_whitespace().map(|field| field.parse().expect("a number")).collect::<Vec<u32>>();
    let size = fields(lines.next().expect("a size line"));
    let mut rows = vec![Vec::new(); size[1] as usize];
    for line in lines {
        let entry = fields(line);
        rows[entry[1] as usize - 1].push((entry[0] - 1, entry[2] as f32));
    }
    let mut counts = Counts::with_genes(size[0] as usize);
    for mut row in rows {
        row.sort_by_key(|entry| entry.0);
        counts.push_row(row);
    }
    counts
}
