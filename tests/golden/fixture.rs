//! Reads the golden fixture: gzipped tables that real Seurat wrote (see `tests/data/golden/README.md`).

use crate::tables::{self, Table, number};
use sextant::formats::Feature;
use sextant::genes::{GeneMatch, match_genes};
use sextant::matrix::Counts;
use sextant::reference::{About, Reference, ResidualModel, UmapModel, UmapParameters, VarianceFloor};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

fn text(name: &str) -> String {
    tables::text(&folder().join(name))
}

pub fn table(name: &str) -> Table {
    Table::read(&folder().join(name))
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
    let labelled = ["cell_type", "coarse"].map(|name| (name.to_owned(), cells.column(name)));
    let (levels, _) = sextant::build::labels::levels(&labelled, cells.rows.len()).expect("levels");
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
        }
        .into(),
        loadings: loadings.dense(),
        embedding: table("reference_pcs.tsv.gz").dense(),
        neighbors: table("reference_neighbors.tsv.gz").matrix().mapv(|index| index as u32),
        levels,
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
        columns: Vec::new(),
        proteins: None,
        expression: None,
    }
}

pub struct Input {
    pub counts: Counts,
    pub totals: Vec<f64>,
    pub names: Vec<String>,
    pub genes: Vec<Feature>,
}

pub fn input(who: &str) -> Input {
    let counts = tables::counts(&text(&format!("{who}_counts.mtx.gz")));
    let genes: Vec<String> = text(&format!("{who}_genes.txt.gz")).lines().map(str::to_owned).collect();
    let totals = (0..counts.cells()).map(|cell| counts.row(cell).map(|(_, count)| f64::from(count)).sum()).collect();
    let names = table(&format!("{who}_cells.tsv.gz")).column("cell");
    Input { counts, totals, names, genes: symbols(&genes) }
}

impl Input {
    pub fn matched(&self, reference: &Reference) -> GeneMatch {
        match_genes(&self.genes, &reference.features, None)
    }

    // Not every suite reads files.
    #[allow(dead_code)]
    /// Some cells as a table of genes × cells, the genes in the order given; an empty cell where there is `None`.
    pub fn csv(&self, cells: &[Option<usize>], genes: impl Iterator<Item = usize>) -> Vec<u8> {
        let mut rows = vec![vec![0.0; cells.len()]; self.genes.len()];
        let mut text = String::from("gene");
        for (column, cell) in cells.iter().enumerate() {
            let name = cell.map_or(format!("empty{column}"), |cell| self.names[cell].clone());
            text.extend([",", &name]);
            let counts = cell.iter().flat_map(|&cell| self.counts.row(cell));
            counts.for_each(|(gene, count)| rows[gene as usize][column] = count);
        }
        for gene in genes {
            text.extend(["\n", &self.genes[gene].symbol]);
            rows[gene].iter().for_each(|count| text.extend([",", &count.to_string()]));
        }
        (text + "\n").into_bytes()
    }
}
