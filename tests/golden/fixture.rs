//! Reads the golden fixture: gzipped tables that real Seurat wrote (see `tests/data/golden/README.md`).

use ndarray::Array2;
use sextant::formats::Feature;
use sextant::genes::{GeneMatch, match_genes};
use sextant::matrix::{Counts, Dense};
use sextant::reference::{About, Class, Level, Reference, ResidualModel, UmapModel, UmapParameters, VarianceFloor};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A table with a header line and a first column of names.
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

/// The text of a gzipped file.
pub fn text(name: &str) -> String {
    let path = folder().join(name);
    let packed = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let size = u32::from_le_bytes(packed[packed.len() - 4..].try_into().expect("a gzip trailer"));
    let mut plain = vec![0; size as usize];
    let config = zlib_rs::InflateConfig { window_bits: 31 };
    let (inflated, code) = zlib_rs::decompress_slice(&mut plain, &packed, config);
    assert_eq!((code, inflated.len()), (zlib_rs::ReturnCode::Ok, size as usize), "{name}");
    String::from_utf8(plain).expect("UTF-8")
}

pub fn table(name: &str) -> Table {
    let text = text(name);
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let columns = lines.next().expect("a header");
    Table { columns, rows: lines.collect() }
}

impl Table {
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

fn number(text: &str) -> f64 {
    match text.trim() {
        "NA" => f64::NAN,
        "Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or_else(|_| panic!("'{text}' is no number")),
    }
}

pub fn parameters() -> HashMap<String, String> {
    let text = std::fs::read_to_string(folder().join("parameters.tsv")).expect("parameters");
    text.lines().filter_map(|line| line.split_once('\t')).map(|(name, value)| (name.into(), value.into())).collect()
}

fn symbols(names: &[String]) -> Vec<Feature> {
    names.iter().map(|name| Feature { id: None, symbol: name.clone() }).collect()
}

/// The reference as Seurat fitted it; `model` names the table of its SCT parameters. (Loadings belong to version 1: with
/// another model only the residuals mean something.)
pub fn reference(model: &str, floor: VarianceFloor, prefix: &str) -> Reference {
    let parameters = parameters();
    let value = |name: &str| number(&parameters[name]);
    let (loadings, fitted) = (table("reference_loadings.tsv.gz"), table(model));
    let mut ranked: Vec<(usize, String)> = fitted
        .numbers("feature")
        .into_iter()
        .zip(fitted.column("gene"))
        .filter(|(rank, _)| *rank >= 0.0)
        .map(|(rank, gene)| (rank as usize, gene))
        .collect();
    ranked.sort();
    let features: Vec<String> = ranked.into_iter().map(|(_, gene)| gene).collect();
    let row_of: HashMap<String, usize> =
        fitted.column("gene").into_iter().enumerate().map(|(row, gene)| (gene, row)).collect();
    let pick = |name: &str| {
        let values = fitted.numbers(name);
        features.iter().map(|gene| values[row_of[gene]]).collect::<Vec<f64>>()
    };
    let cells = table("reference_cells.tsv.gz");
    let level = |name: &str| {
        let labels = cells.column(name);
        let mut classes: Vec<String> = Vec::new();
        let codes = labels.iter().map(|label| {
            classes.iter().position(|class| class == label).unwrap_or_else(|| {
                classes.push(label.clone());
                classes.len() - 1
            }) as u16
        });
        let codes = codes.collect();
        let class = |name| Class { name, color: "#808080".into() };
        Level { name: name.into(), classes: classes.into_iter().map(class).collect(), codes }
    };
    let names = cells.column("cell");
    Reference {
        about: About { name: "golden".into(), ..Default::default() },
        features: symbols(&features),
        model: ResidualModel {
            theta: pick("theta"),
            intercept: pick("intercept"),
            slope: pick("slope"),
            residual_mean: pick("residual_mean"),
            clip: (value(&format!("{prefix}clip_low")), value(&format!("{prefix}clip_high"))),
            variance_floor: floor,
        },
        loadings: loadings.dense(),
        embedding: table("reference_pcs.tsv.gz").dense(),
        neighbors: table("reference_neighbors.tsv.gz").matrix().mapv(|index| index as u32),
        levels: vec![level("cell_type"), level("coarse")],
        umap: UmapModel {
            layout: table("reference_umap.tsv.gz").dense(),
            rows: (0..names.len() as u32).collect(),
            parameters: UmapParameters {
                a: value("umap_a"),
                b: value("umap_b"),
                epochs: value("umap_n_epochs") as u32,
                neighbors: value("umap_n_neighbors") as u32,
                negative_samples: value("umap_negative_sample_rate") as u32,
                learning_rate: value("umap_alpha"),
                repulsion: value("umap_gamma"),
            },
        },
        cells: names,
    }
}

/// Counts of a Matrix Market file, genes × cells, as cells × genes.
pub fn counts(name: &str) -> Counts {
    let text = text(name);
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

pub struct Input {
    pub counts: Counts,
    pub totals: Vec<f64>,
    pub names: Vec<String>,
    pub genes: Vec<Feature>,
}

pub fn input(who: &str) -> Input {
    let counts = counts(&format!("{who}_counts.mtx.gz"));
    let genes: Vec<String> = text(&format!("{who}_genes.txt.gz")).lines().map(str::to_owned).collect();
    let totals = (0..counts.cells()).map(|cell| counts.row(cell).map(|(_, count)| f64::from(count)).sum()).collect();
    let names = table(&format!("{who}_cells.tsv.gz")).column("cell");
    Input { counts, totals, names, genes: symbols(&genes) }
}

impl Input {
    pub fn matched(&self, reference: &Reference) -> GeneMatch {
        match_genes(&self.genes, &reference.features)
    }
}
