//! Several files of one drop, each a sample: their cells one behind the other, on the union of their genes.

mod union;

pub use union::Genes;

use super::{Column, Dataset, Joined, grouped};
use crate::error::Warning;
use crate::matrix::Counts;
use rustc_hash::{FxHashMap, FxHashSet};
use union::{Union, unite};

/// The column that says from which file a cell is.
const SAMPLE: &str = "sample";

/// A sample that was read.
pub struct Sample {
    pub name: String,
    /// All its genes, also those whose counts were not kept.
    pub genes: Genes,
    pub dataset: Dataset,
}

/// Joins the samples, in their order. One sample stays as it is. `features_only`: only the counts of genes that are features
/// of the reference are here. Cells whose names occur in several samples get the sample's name in front.
pub fn join(mut samples: Vec<Sample>, features_only: bool) -> Option<Dataset> {
    if samples.len() < 2 {
        return samples.pop().map(|sample| sample.dataset);
    }
    let (mut names, mut genes, mut datasets) = (Vec::new(), Vec::new(), Vec::new());
    for sample in samples {
        names.push(sample.name);
        genes.push(sample.genes);
        datasets.push(sample.dataset);
    }
    let mut union = unite(&genes);
    drop(genes);
    let genes_in_file = union.features.len();
    let origins = std::mem::take(&mut union.origins);
    if features_only {
        union.keep_known();
    }
    let sizes: Vec<usize> = datasets.iter().map(|dataset| dataset.cells.len()).collect();
    let mut types: Vec<(String, usize)> = Vec::new();
    for (kind, count) in datasets.iter().flat_map(|dataset| &dataset.feature_types) {
        match types.iter_mut().find(|known| known.0 == *kind) {
            Some(known) => known.1 = known.1.max(*count),
            None => types.push((kind.clone(), *count)),
        }
    }
    let said = datasets.iter_mut().map(|dataset| std::mem::take(&mut dataset.warnings));
    let mut warnings = warnings_of_samples(names.iter().map(String::as_str).zip(said).collect());
    warnings.push(joined_warning(&names, &datasets, genes_in_file));
    let (least_counts, unfiltered) = unfiltered_samples(&names, &datasets);
    warnings.extend(unfiltered);
    let cells = unique_names(&names, &mut datasets, &mut warnings);
    let gene_columns = datasets.first().map(|dataset| dataset.gene_columns.clone()).unwrap_or_default();
    let metadata = join_tables(&names, &mut datasets, &sizes);
    let Union { features, places, .. } = union;
    let mut counts = Counts::with_genes(features.len());
    let mut formats: Vec<String> = Vec::new();
    let mut matrices: Vec<String> = Vec::new();
    for (dataset, places) in datasets.into_iter().zip(&places) {
        for slab in dataset.counts.into_slabs() {
            counts.append(slab.select_genes(places, features.len()));
        }
        formats.push(dataset.format);
        matrices.push(dataset.matrix);
    }
    formats.dedup();
    matrices.dedup();
    Some(Dataset {
        format: format!("{} samples: {}", names.len(), formats.join(", ")),
        matrix: matrices.join(", "),
        genes_in_file,
        gene_columns,
        cells,
        features,
        feature_types: types,
        counts,
        metadata,
        droplets: None,
        least_counts,
        joined: Some(Joined { samples: names, origins, places }),
        warnings,
    })
}

/// What is said of each sample, with the name of the sample in front where it is not said of all.
pub fn warnings_of_samples(samples: Vec<(&str, Vec<Warning>)>) -> Vec<Warning> {
    let said_of_all = |warning: &Warning| samples.iter().all(|(_, warnings)| warnings.contains(warning));
    let mut said: Vec<Warning> = Vec::new();
    for (name, warnings) in &samples {
        for warning in warnings {
            let warning = match said_of_all(warning) {
                true => warning.clone(),
                false => Warning::new(warning.code, format!("{name}: {}", warning.message)),
            };
            if !said.contains(&warning) {
                said.push(warning);
            }
        }
    }
    said
}

fn joined_warning(names: &[String], datasets: &[Dataset], genes: usize) -> Warning {
    let list: Vec<String> = names
        .iter()
        .zip(datasets)
        .map(|(name, dataset)| format!("{name} ({} cells)", grouped(dataset.cells.len() as f64)))
        .collect();
    let shared = datasets.iter().map(|dataset| dataset.genes_in_file).min().unwrap_or(0);
    let more = match genes > shared {
        true => " A gene that a file lacks counts as zero there.",
        false => "",
    };
    Warning::new(
        "several_samples",
        format!(
            "{} files were read as samples of one dataset: {}. The column \"{SAMPLE}\" tells them apart.{more}",
            names.len(),
            list.join(", ")
        ),
    )
}

/// The limit of each cell where some samples are unfiltered. Samples differ in depth, so each has its own.
fn unfiltered_samples(names: &[String], datasets: &[Dataset]) -> (Vec<f64>, Option<Warning>) {
    let amount = |number: usize| grouped(number as f64);
    let describe = |(name, dataset): (&String, &Dataset)| {
        let droplets = dataset.droplets.as_ref()?;
        let [barcodes, cells] = [droplets.barcodes, droplets.cells].map(amount);
        Some(format!("{name} ({barcodes} barcodes, {cells} with at least {} counts)", grouped(droplets.suggested)))
    };
    let described: Vec<String> = names.iter().zip(datasets).filter_map(describe).collect();
    if described.is_empty() {
        return (Vec::new(), None);
    }
    let limits = datasets.iter().flat_map(|dataset| {
        let limit = dataset.droplets.as_ref().map_or(0.0, |droplets| droplets.suggested);
        std::iter::repeat_n(limit, dataset.cells.len())
    });
    let (these, their) = if described.len() == 1 { ("This file is", "its") } else { ("These files are", "their") };
    let warning = Warning::new(
        "unfiltered",
        format!(
            "{these} not filtered, most of {their} barcodes are of empty droplets: {}. Those with that many counts are taken \
             for cells, unless another limit is set.",
            described.join(", ")
        ),
    );
    (limits.collect(), Some(warning))
}

/// Barcodes come from one list, so those of two samples often clash.
fn unique_names(names: &[String], datasets: &mut [Dataset], warnings: &mut Vec<Warning>) -> Vec<String> {
    let mut known: FxHashSet<&str> = FxHashSet::default();
    let total: usize = datasets.iter().map(|dataset| dataset.cells.len()).sum();
    let clash = !datasets.iter().flat_map(|dataset| &dataset.cells).all(|cell| known.insert(cell));
    drop(known);
    let mut cells = Vec::with_capacity(total);
    for (name, dataset) in names.iter().zip(datasets) {
        let own = std::mem::take(&mut dataset.cells);
        match clash {
            true => cells.extend(own.iter().map(|cell| format!("{name}_{cell}"))),
            false => cells.extend(own),
        }
    }
    if clash {
        warnings.push(Warning::new(
            "sample_prefix",
            "Some cells of different files have the same name, so the name of the sample was put in front of all of them."
                .to_owned(),
        ));
    }
    cells
}

/// The columns of all samples; where a sample lacks one its cells have missing values.
fn join_tables(names: &[String], datasets: &mut [Dataset], sizes: &[usize]) -> Vec<(String, Column)> {
    let mut tables: Vec<Vec<(String, Column)>> =
        datasets.iter_mut().map(|dataset| std::mem::take(&mut dataset.metadata)).collect();
    let mut columns: Vec<String> = Vec::new();
    for (name, _) in tables.iter().flatten() {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let codes = sizes.iter().enumerate().flat_map(|(sample, &size)| std::iter::repeat_n(sample as u32, size));
    let own = match columns.iter().any(|column| column == SAMPLE) {
        true => format!("{SAMPLE}_file"),
        false => SAMPLE.to_owned(),
    };
    let mut joined = vec![(own, Column::Categorical { categories: names.to_vec(), codes: codes.collect() })];
    for column in columns {
        let take = |table: &mut Vec<(String, Column)>| {
            let place = table.iter().position(|(name, _)| *name == column)?;
            Some(table.swap_remove(place).1)
        };
        let parts = tables.iter_mut().map(take).collect();
        joined.push((column, concatenate(parts, sizes)));
    }
    joined
}

fn concatenate(parts: Vec<Option<Column>>, sizes: &[usize]) -> Column {
    if parts.iter().flatten().all(|part| matches!(part, Column::Number(_))) {
        let values = parts.into_iter().zip(sizes).flat_map(|(part, &size)| match part {
            Some(Column::Number(values)) => values,
            _ => vec![f64::NAN; size],
        });
        return Column::Number(values.collect());
    }
    let mut categories: Vec<String> = Vec::new();
    let mut known: FxHashMap<String, u32> = FxHashMap::default();
    let mut codes = Vec::new();
    for (part, &size) in parts.into_iter().zip(sizes) {
        let Some(part) = part else {
            codes.extend(std::iter::repeat_n(u32::MAX, size));
            continue;
        };
        for row in 0..size {
            let code = part.text(row).map(|text| {
                let next = categories.len() as u32;
                *known.entry(text).or_insert_with_key(|text| {
                    categories.push(text.clone());
                    next
                })
            });
            codes.push(code.unwrap_or(u32::MAX));
        }
    }
    Column::Categorical { categories, codes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Feature;

    fn dataset(cells: &[&str], genes: &[&str], rows: &[&[(u32, f32)]], metadata: Vec<(String, Column)>) -> Dataset {
        let mut counts = Counts::with_genes(genes.len());
        rows.iter().for_each(|row| counts.push_row(row.iter().copied()));
        Dataset {
            format: "test".into(),
            matrix: "X".into(),
            cells: cells.iter().map(|&cell| cell.to_owned()).collect(),
            features: genes.iter().map(|&symbol| Feature { id: None, symbol: symbol.to_owned() }).collect(),
            genes_in_file: genes.len(),
            gene_columns: Vec::new(),
            feature_types: vec![("Gene Expression".into(), genes.len())],
            counts,
            metadata,
            droplets: None,
            least_counts: Vec::new(),
            joined: None,
            warnings: Vec::new(),
        }
    }

    fn sample(name: &str, dataset: Dataset) -> Sample {
        let genes = Genes { features: dataset.features.clone(), of_genes: None };
        Sample { name: name.into(), genes, dataset }
    }

    #[test]
    fn samples_are_joined_on_the_union_of_genes() {
        let age = |values: &[f64]| ("age".to_owned(), Column::Number(values.to_vec()));
        let first = dataset(
            &["a", "b"],
            &["CD3E", "CD4", "CD4"],
            &[&[(0, 1.0), (2, 5.0)], &[(1, 2.0)]],
            vec![age(&[3.0, 4.0])],
        );
        let group = Column::Text(vec!["x".into()]);
        let second = dataset(
            &["a"],
            &["MS4A1", "CD4", "CD3E"],
            &[&[(0, 7.0), (1, 8.0), (2, 9.0)]],
            vec![("group".into(), group)],
        );
        let joined = join(vec![sample("one", first), sample("two", second)], false).expect("a dataset");
        assert_eq!(joined.cells, ["one_a", "one_b", "two_a"]);
        let symbols: Vec<&str> = joined.features.iter().map(|feature| feature.symbol.as_str()).collect();
        assert_eq!(symbols, ["CD3E", "CD4", "CD4", "MS4A1"]);
        let rows: Vec<Vec<_>> = (0..3).map(|cell| joined.counts.row(cell).collect()).collect();
        assert_eq!(rows, [vec![(0, 1.0), (2, 5.0)], vec![(1, 2.0)], vec![(0, 9.0), (1, 8.0), (3, 7.0)]]);
        let names: Vec<&str> = joined.metadata.iter().map(|column| column.0.as_str()).collect();
        assert_eq!(names, ["sample", "age", "group"]);
        let sample = Column::Categorical { categories: vec!["one".into(), "two".into()], codes: vec![0, 0, 1] };
        assert_eq!(joined.metadata[0].1, sample);
        assert!(matches!(&joined.metadata[1].1, Column::Number(ages) if ages[1] == 4.0 && ages[2].is_nan()));
        let codes = vec![u32::MAX, u32::MAX, 0];
        assert_eq!(joined.metadata[2].1, Column::Categorical { categories: vec!["x".into()], codes });
        let warnings: Vec<&str> = joined.warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(
            warnings,
            [
                "2 files were read as samples of one dataset: one (2 cells), two (1 cells). The column \"sample\" tells them \
                 apart. A gene that a file lacks counts as zero there.",
                "Some cells of different files have the same name, so the name of the sample was put in front of all of them."
            ]
        );
    }
}
