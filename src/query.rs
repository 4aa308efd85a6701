//! The query as it goes into the mapping: cells with counts, their metrics, and their genes' features.

mod consumer;
mod leaving_out;
mod summary;

pub use consumer::Consumer;
pub use leaving_out::LeftOut;
pub use summary::Summary;

use crate::error::{Error, Result, Warning};
use crate::formats::{
    Column, Dataset, Droplets, Feature, FeaturesOfGenes, Joined, OpenFile, ReadOptions, grouped, warnings_of_samples,
};
use crate::genes::{GeneMatch, GeneTable, match_genes};
use crate::matrix::Counts;
use crate::progress::Progress;
use crate::qc::{Ambient, Filter, Limits, Look, Metrics, Signatures, ambient_warnings, metrics};
use crate::reference::expression::SCALE;
use crate::reference::{About, Reference};
use consumer::{Matches, Watch};
use rayon::prelude::*;

/// A file that was read, with the cells that have no counts set aside.
#[derive(Debug, Clone)]
pub struct Query {
    /// Of the file, for people.
    pub format: String,
    /// The matrix that was taken.
    pub matrix: String,
    /// Names of the cells with counts; m of them.
    pub cells: Vec<String>,
    /// The genes whose counts are here.
    pub features: Vec<Feature>,
    /// Genes of the file: more than `features` where only those of the reference were read.
    pub genes_in_file: usize,
    /// m × features.
    pub counts: Counts,
    /// m values each, over all genes of the file.
    pub metrics: Metrics,
    /// Cells without a single count: named in the quality table, not mapped. (The first clip of the residuals
    /// depends on the number of cells, so they must not count.)
    pub empty_cells: Vec<String>,
    /// Cells that a filter left out.
    pub left_out: LeftOut,
    /// Limits on the quality that are suggested, over the cells with counts before any filter.
    pub limits: Limits,
    /// What looks like ambient RNA.
    pub ambient: Vec<Ambient>,
    /// The column of the table of cells that tells samples apart.
    pub sample_column: Option<String>,
    /// The file's table of cells: m rows, then one for each of the cells left out, then of those without counts.
    pub metadata: Vec<(String, Column)>,
    pub feature_types: Vec<(String, usize)>,
    /// Columns that gene names can be taken from, the one in use first.
    pub gene_columns: Vec<String>,
    /// What is known of the barcodes of an unfiltered file.
    pub droplets: Option<Droplets>,
    /// Cells with fewer counts were left out, if any limit was set.
    pub min_counts: Option<f64>,
    pub warnings: Vec<Warning>,
    /// Only the counts of the reference's features were kept.
    pub reference_genes_only: bool,
    /// No counts are here: a [`Consumer`] took them.
    pub consumed: bool,
    /// Of several samples, for each the number of each of its genes among `features`.
    pub places_of_samples: Vec<Vec<u32>>,
    /// How the genes were matched while they were read.
    matched: Option<Matched>,
}

/// How the genes were matched to the features of a reference while they were read: of several samples each by itself, and
/// before genes were left out.
#[derive(Debug, Clone)]
struct Matched {
    /// The reference.
    reference: About,
    genes: GeneMatch,
    /// What is to be said of it, or why the query cannot be mapped.
    checked: std::result::Result<Vec<Warning>, String>,
}

/// How a query is read.
#[derive(Default)]
pub struct QueryOptions<'a> {
    /// As in [`ReadOptions`], as the next two.
    pub matrix: Option<&'a str>,
    pub gene_column: Option<&'a str>,
    pub budget: Option<u64>,
    /// Leaves out cells with fewer counts; of an unfiltered file, the suggested limit unless another is given.
    pub min_counts: Option<f64>,
    /// Leaves out cells beyond limits on their quality.
    pub filter: Option<&'a Filter>,
    /// The column of the table of cells that tells samples apart; where several files were read, the file unless another
    /// is given.
    pub samples: Option<&'a str>,
    /// What the query will be mapped onto. Genes of several samples are joined by what they are there.
    pub reference: Option<&'a Reference>,
    /// Keeps the counts of the features of the reference only: less memory, the same mapping.
    pub reference_genes_only: bool,
    /// Other names of genes, and orthologues, to match them by.
    pub table: Option<&'a GeneTable>,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// As [`OpenFile::read`]; or no cell has a count; or, where only the genes of a reference are kept, too few are its
    /// features.
    pub fn read(file: &mut OpenFile, options: &QueryOptions<'_>, progress: &Progress<'_>) -> Result<Self> {
        Query::read_by(file, options, None, progress)
    }

    /// Reads a query whose counts go to `consumer` and are not kept. At the end it is told which cells are.
    ///
    /// # Errors
    /// As [`Query::read`]; also where too few genes are features of the reference.
    pub fn read_past(
        file: &mut OpenFile,
        options: &QueryOptions<'_>,
        consumer: &mut dyn Consumer,
        progress: &Progress<'_>,
    ) -> Result<Self> {
        Query::read_by(file, options, Some(consumer), progress)
    }

    fn read_by(
        file: &mut OpenFile,
        options: &QueryOptions<'_>,
        consumer: Option<&mut dyn Consumer>,
        progress: &Progress<'_>,
    ) -> Result<Self> {
        let consumed = consumer.is_some();
        let features_only = options.reference_genes_only && !consumed;
        // All genes of a sample are known here only: afterwards none may be left to name, or to be of another species.
        let matches = Matches::default();
        let features = options.reference.map(|reference| {
            |features: &[Feature]| {
                let genes = match_genes(features, &reference.features, options.table);
                let checked = genes.check(features, &reference.features, &reference.about.name);
                let of_genes = genes.feature_of_gene.clone();
                matches.borrow_mut().push((genes, checked));
                of_genes
            }
        });
        let read = ReadOptions {
            matrix: options.matrix,
            gene_column: options.gene_column,
            budget: options.budget,
            features: features.as_ref().map(|features| features as &FeaturesOfGenes<'_>),
            features_only,
            looking_on_only: consumed,
        };
        let mut watch = Watch { look: Look::default(), matches: &matches, consumer };
        let mut dataset = file.read(&read, &mut watch, progress)?;
        let Watch { look, consumer, .. } = watch;
        let joined = dataset.joined.as_ref();
        let mut matched = options.reference.and_then(|reference| Matched::of(reference, matches.take(), joined));
        if (features_only || consumed)
            && let Some(matched) = &mut matched
        {
            if let Err(message) = &matched.checked {
                return Err(Error::mapping(message));
            }
            if features_only {
                matched.genes.keep_matched();
            }
        }
        dataset.warnings.extend(look.warnings(&dataset.cells));
        let (mut query, kept) = Query::with_metrics(dataset, look.metrics.finish(), look.signatures, options)?;
        query.matched = matched;
        query.reference_genes_only = features_only;
        query.consumed = consumed;
        if let Some(consumer) = consumer {
            consumer.keep(&kept);
        }
        Ok(query)
    }

    /// # Errors
    /// No cell has a count.
    pub fn new(dataset: Dataset) -> Result<Self> {
        let all = metrics(&dataset.counts, &dataset.features);
        Ok(Query::with_metrics(dataset, all, Signatures::default(), &QueryOptions::default())?.0)
    }

    /// Also gives the cells that are kept, ascending.
    fn with_metrics(
        dataset: Dataset,
        all: Metrics,
        signatures: Signatures,
        options: &QueryOptions<'_>,
    ) -> Result<(Self, Vec<u32>)> {
        let droplets = dataset.droplets;
        let limit = options.min_counts.or(droplets.as_ref().map(|droplets| droplets.suggested));
        let sample_column = dataset.joined.as_ref().and(dataset.metadata.first()).map(|column| column.0.clone());
        let mut query = Query {
            format: dataset.format,
            matrix: dataset.matrix,
            cells: dataset.cells,
            features: dataset.features,
            genes_in_file: dataset.genes_in_file,
            counts: dataset.counts,
            metrics: all,
            empty_cells: Vec::new(),
            left_out: LeftOut::default(),
            limits: Limits::default(),
            ambient: Vec::new(),
            sample_column,
            metadata: dataset.metadata,
            feature_types: dataset.feature_types,
            gene_columns: dataset.gene_columns,
            droplets,
            min_counts: limit,
            warnings: dataset.warnings,
            reference_genes_only: false,
            consumed: false,
            places_of_samples: dataset.joined.map_or_else(Vec::new, |joined| joined.places),
            matched: None,
        };
        let least = dataset.least_counts;
        let least = |cell: u32| limit.unwrap_or_else(|| least.get(cell as usize).copied().unwrap_or(0.0));
        let counts = &query.metrics.counts;
        let all: Vec<u32> = (0..query.cells.len() as u32).collect();
        let (kept, others): (Vec<u32>, Vec<u32>) =
            all.into_iter().partition(|&cell| counts[cell as usize] > 0.0 && counts[cell as usize] >= least(cell));
        let (empty, few): (Vec<u32>, Vec<u32>) = others.into_iter().partition(|&cell| counts[cell as usize] == 0.0);
        query.say_what_is_left_out(kept.len(), empty.len(), few.len(), limit)?;
        if !empty.is_empty() || !few.is_empty() {
            query.empty_cells = empty.iter().map(|&cell| query.cells[cell as usize].clone()).collect();
            let described: Vec<u32> = kept.iter().chain(&empty).copied().collect();
            query.metadata.iter_mut().for_each(|(_, column)| *column = column.select(&described));
            query.keep(&kept);
        }
        query.tell_samples_apart_by(options.samples)?;
        let samples = query.samples();
        query.ambient = signatures.select(&kept).assess(&query.metrics.counts, &samples);
        query.warnings.extend(ambient_warnings(&query.ambient));
        let kept = query.leave_out(&samples, options.filter)?.into_iter().map(|cell| kept[cell]).collect();
        Ok((query, kept))
    }

    /// # Errors
    /// When no cell is left.
    fn say_what_is_left_out(&mut self, kept: usize, empty: usize, few: usize, limit: Option<f64>) -> Result<()> {
        let asked_for = limit.is_some();
        let limit = grouped(limit.unwrap_or(0.0));
        if kept == 0 && few == 0 {
            return Err(Error::input(format!(
                "None of the {} cells has a count in '{}'. Choose another matrix of the file, or check how it was written.",
                self.cells.len(),
                self.matrix
            )));
        }
        if kept == 0 {
            return Err(Error::input(format!(
                "None of the {} cells has {limit} counts. Choose a lower limit.",
                empty + few
            )));
        }
        if let Some(droplets) = &self.droplets {
            self.warnings.push(Warning::new(
                "unfiltered",
                format!(
                    "The file is not filtered: it has {} barcodes, most of them of empty droplets. The {} with at least \
                     {limit} counts were taken for cells (suggested: {}, with {} cells).",
                    grouped(droplets.barcodes as f64),
                    grouped(kept as f64),
                    grouped(droplets.suggested),
                    grouped(droplets.cells as f64)
                ),
            ));
        } else if few > 0 && asked_for {
            self.warnings.push(Warning::new(
                "few_counts",
                format!("{few} cells with fewer than {limit} counts were left out, as asked for."),
            ));
        }
        if empty > 0 {
            self.warnings.push(Warning::new(
                "empty_cells",
                format!(
                    "{empty} of the {} cells have no counts at all; they are set aside and not mapped.",
                    self.cells.len()
                ),
            ));
        }
        Ok(())
    }

    fn keep(&mut self, cells: &[u32]) {
        let rows: Vec<usize> = cells.iter().map(|&cell| cell as usize).collect();
        self.cells = rows.iter().map(|&row| std::mem::take(&mut self.cells[row])).collect();
        self.metrics = self.metrics.select(&rows);
        let counts = std::mem::replace(&mut self.counts, Counts::with_genes(0));
        self.counts = counts.keep_cells(&rows);
    }

    /// log1p(10,000 × count / total) of a gene in every cell.
    ///
    /// # Source
    /// `NormalizeData` of Seurat, as in [`crate::reference::expression`].
    pub fn log_normalised(&self, gene: usize) -> Vec<f32> {
        let value = |cell: usize| {
            let found =
                self.counts.row(cell).find(|(of, _)| *of as usize >= gene).filter(|(of, _)| *of as usize == gene);
            let count = found.map_or(0.0, |(_, count)| f64::from(count));
            libm::log1p(SCALE * count / self.metrics.counts[cell]) as f32
        };
        (0..self.counts.cells()).into_par_iter().map(value).collect()
    }

    /// Matches the genes to those of a reference, with the table of gene names where there is one.
    ///
    /// # Errors
    /// Too few features in common.
    pub fn match_to(&self, reference: &Reference, table: Option<&GeneTable>) -> Result<(GeneMatch, Vec<Warning>)> {
        if let Some(matched) = self.matched.as_ref().filter(|matched| matched.reference == reference.about) {
            return match &matched.checked {
                Ok(warnings) => Ok((matched.genes.clone(), warnings.clone())),
                Err(message) => Err(Error::mapping(message)),
            };
        }
        let genes = match_genes(&self.features, &reference.features, table);
        let warnings = genes.check(&self.features, &reference.features, &reference.about.name)?;
        Ok((genes, warnings))
    }
}

impl Matched {
    /// `matches`: of each sample, with what is said of it.
    fn of(
        reference: &Reference,
        mut matches: Vec<(GeneMatch, Result<Vec<Warning>>)>,
        joined: Option<&Joined>,
    ) -> Option<Matched> {
        let message = |error: Error| error.message;
        let about = reference.about.clone();
        let Some(joined) = joined else {
            let (genes, checked) = matches.pop()?;
            return Some(Matched { reference: about, genes, checked: checked.map_err(message) });
        };
        let (genes, checked): (Vec<GeneMatch>, Vec<_>) = matches.into_iter().unzip();
        let named = joined.samples.iter().zip(checked).map(|(name, checked)| match checked {
            Ok(warnings) => Ok((name.as_str(), warnings)),
            Err(error) => Err(format!("{name}: {}", error.message)),
        });
        let checked = named.collect::<std::result::Result<Vec<_>, String>>().map(warnings_of_samples);
        Some(Matched { reference: about, genes: GeneMatch::joined(&genes, &joined.origins), checked })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(rows: &[&[(u32, f32)]]) -> Dataset {
        let mut counts = Counts::with_genes(2);
        rows.iter().for_each(|row| counts.push_row(row.iter().copied()));
        Dataset {
            format: "test".into(),
            matrix: "X".into(),
            cells: (0..rows.len()).map(|cell| format!("cell{cell}")).collect(),
            features: ["MT-CO1", "CD3E"].map(|symbol| Feature { id: None, symbol: symbol.into() }).to_vec(),
            counts,
            metadata: Vec::new(),
            genes_in_file: 2,
            gene_columns: Vec::new(),
            feature_types: vec![("Gene Expression".into(), 2)],
            droplets: None,
            least_counts: Vec::new(),
            joined: None,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn cells_without_counts_are_set_aside_and_reported() {
        let query = Query::new(dataset(&[&[(0, 1.0), (1, 3.0)], &[], &[(1, 2.0)]])).expect("a query");
        assert_eq!(query.cells, ["cell0", "cell2"]);
        assert_eq!(query.empty_cells, ["cell1"]);
        assert_eq!(query.metrics.counts, [4.0, 2.0]);
        assert_eq!(query.metrics.percent_mt, Some(vec![25.0, 0.0]));
        assert_eq!((query.counts.cells(), query.total_counts()), (2, 6.0));
        assert_eq!(
            query.warnings[0].message,
            "1 of the 3 cells have no counts at all; they are set aside and not mapped."
        );
    }

    #[test]
    fn a_file_of_empty_cells_is_refused() {
        let error = Query::new(dataset(&[&[], &[]])).unwrap_err();
        assert!(error.to_string().starts_with("None of the 2 cells has a count in 'X'."));
    }
}
