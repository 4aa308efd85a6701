//! The building of references: the model against real sctransform, and a whole small build.

use sextant::build::by_gene::ByGene;
use sextant::build::sctransform::negative_binomial::{COX_REID, Depths};
use sextant::build::sctransform::{self, ModelOptions, Parameters};
use sextant::build::{self, Options, residuals};
use sextant::formats::{Dataset, Feature};
use sextant::matrix::Counts;
use sextant::pca;
use sextant::progress::Progress;
use std::path::PathBuf;

/// Text of a gzip file of `tests/data/sctransform` (made by `generate.R` there).
fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/sctransform").join(name);
    let bytes = std::fs::read(&path).expect("the fixture is committed");
    assert_eq!(bytes[..4], [0x1f, 0x8b, 8, 0], "a gzip file without a name in its header");
    let size = u32::from_le_bytes(bytes[bytes.len() - 4..].try_into().unwrap()) as usize;
    let mut text = vec![0; size];
    zlib_rs::Inflate::new(false, 15)
        .decompress(&bytes[10..bytes.len() - 8], &mut text, zlib_rs::InflateFlush::Finish)
        .expect("the fixture inflates");
    String::from_utf8(text).expect("the fixture is text")
}

/// Rows of numbers of a table with a header line.
fn table(name: &str) -> Vec<Vec<f64>> {
    fixture(name)
        .lines()
        .skip(1)
        .map(|line| line.split('\t').map(|field| field.trim().parse().unwrap()).collect())
        .collect()
}

/// 1,500 cells × 750 genes of pbmc3k.
fn counts() -> Counts {
    let text = fixture("counts.mtx.gz");
    let mut lines = text.lines().skip_while(|line| line.starts_with('%'));
    let numbers = |line: &str| -> Vec<usize> { line.split(' ').map(|field| field.parse().unwrap()).collect() };
    let shape = numbers(lines.next().unwrap());
    let mut rows = vec![Vec::new(); shape[1]];
    for line in lines {
        let entry = numbers(line);
        rows[entry[1] - 1].push((entry[0] as u32 - 1, entry[2] as f32));
    }
    let mut counts = Counts::with_genes(shape[0]);
    for mut row in rows {
        row.sort_by_key(|entry| entry.0);
        counts.push_row(row);
    }
    counts
}

fn log10_totals(counts: &Counts) -> Vec<f64> {
    (0..counts.cells()).map(|cell| libm::log10(counts.row(cell).map(|entry| f64::from(entry.1)).sum())).collect()
}

/// The largest relative difference of theta, intercept and slope from columns 1 to 3 of the table.
fn largest_differences(ours: &[Parameters], theirs: &[Vec<f64>]) -> [f64; 3] {
    assert_eq!(ours.len(), theirs.len());
    let mut largest = [0f64; 3];
    for (gene, row) in ours.iter().zip(theirs) {
        for (column, value) in [gene.theta, gene.intercept, gene.slope].into_iter().enumerate() {
            largest[column] = largest[column].max((value / row[column + 1] - 1.0).abs());
        }
    }
    largest
}

/// Columns 1 to 3 of a table of the fixture.
fn parameters(rows: &[Vec<f64>]) -> Vec<Parameters> {
    (rows.iter()).map(|row| Parameters { theta: row[1], intercept: row[2], slope: row[3] }).collect()
}

fn indices(rows: &[Vec<f64>]) -> Vec<usize> {
    rows.iter().map(|row| row[0] as usize).collect()
}

/// The cells of sctransform's first step, ascending.
fn step1_cells() -> Vec<usize> {
    let mut cells = indices(&table("step1_cells.tsv.gz"));
    cells.sort_unstable();
    cells
}

#[test]
fn the_model_is_that_of_sctransform() {
    let counts = counts();
    let step1 = table("step1_genes.tsv.gz");
    let options = ModelOptions { step1: Some((step1_cells(), indices(&step1))), ..ModelOptions::default() };
    let model = sctransform::fit(&ByGene::new(&counts), &log10_totals(&counts), &options, &Progress::silent()).unwrap();
    let expected = table("model.tsv.gz");
    assert_eq!(model.genes, indices(&expected));
    let outliers = model.step1.iter().zip(&step1).filter(|(ours, theirs)| ours.2 != (theirs[4] == 1.0));
    assert_eq!(outliers.count(), 0);
    // Reached: 0.8 %, 7.6e-4, 1.04e-3, all of it from the overdispersions of the next test.
    let [theta, intercept, slope] = largest_differences(&model.parameters, &expected);
    assert!(theta < 0.01 && intercept < 1e-3 && slope < 1.5e-3, "{theta} {intercept} {slope}");
}

#[test]
fn overdispersions_are_those_of_glmgampoi() {
    let counts = counts();
    let all = log10_totals(&counts);
    let cells = step1_cells();
    let selected = ByGene::new(&counts).select_cells(&cells);
    let log10_total: Vec<f64> = cells.iter().map(|&cell| all[cell]).collect();
    let depths = Depths::new(log10_total.clone());
    let (mut adjusted, mut unadjusted, mut neither) = (0, 0, 0);
    for row in table("step1_genes.tsv.gz") {
        let y = sctransform::dense(&selected, row[0] as usize);
        let rough = sctransform::moment_overdispersion(&y);
        let fit = depths.fit(&y, rough, depths.start(&y));
        let total: f64 = log10_total.iter().map(|depth| libm::exp(row[2] + row[3] * depth)).sum();
        let limit = total / y.len() as f64 / 1e-4;
        let agrees = |cox_reid: f64| {
            let theta = (1.0 / depths.overdispersion(&y, &fit.mu, rough, cox_reid)).min(limit);
            (theta / row[1] - 1.0).abs() < 5e-4
        };
        if agrees(COX_REID) {
            adjusted += 1;
        } else if agrees(0.0) {
            // Their optimiser stopped where the likelihood without the Cox-Reid term is greatest.
            unadjusted += 1;
        } else {
            neither += 1;
        }
    }
    println!("adjusted {adjusted}, unadjusted {unadjusted}, neither {neither}");
    assert!(neither == 0 && unadjusted * 20 < adjusted, "{adjusted} {unadjusted} {neither}");
}

#[test]
fn the_regularisation_is_that_of_sctransform() {
    let by_gene = ByGene::new(&counts());
    let step1 = table("step1_genes.tsv.gz");
    let expected = table("model.tsv.gz");
    let step1_means = sctransform::log10_means(&by_gene, &indices(&step1));
    let means = sctransform::log10_means(&by_gene, &indices(&expected));
    let (smooth, outliers, _) = sctransform::regularise(&parameters(&step1), &step1_means, &means, 3.0).unwrap();
    let flags: Vec<bool> = step1.iter().map(|row| row[4] == 1.0).collect();
    assert_eq!(outliers, flags);
    assert!(flags.contains(&true), "the fixture has outliers");
    let largest = largest_differences(&smooth, &expected);
    assert!(largest.iter().all(|difference| *difference < 1e-10), "{largest:?}");
}

#[test]
fn residuals_and_components_are_those_of_r() {
    let counts = counts();
    let by_gene = ByGene::new(&counts);
    let depths = log10_totals(&counts);
    let expected = table("model.tsv.gz");
    let moments = residuals::moments(&by_gene, &indices(&expected), &parameters(&expected), &depths);
    for (ours, row) in moments.iter().zip(&expected) {
        assert!((ours.mean - row[4]).abs() < 1e-9 && (ours.variance / row[5] - 1.0).abs() < 1e-9);
    }
    let mut rows = expected;
    rows.sort_by(|a, b| b[5].total_cmp(&a[5]));
    rows.truncate(200);
    let clip = (counts.cells() as f64 / 30.0).sqrt();
    let matrix = residuals::matrix(&by_gene, &indices(&rows), &parameters(&rows), &depths, clip);
    let components = pca::components(&matrix, 30, &Progress::silent()).unwrap();
    for (ours, row) in components.singular_values.iter().zip(table("pca.tsv.gz")) {
        assert!((ours / row[0] - 1.0).abs() < 1e-7, "{ours} {}", row[0]);
    }
}

fn dataset() -> Dataset {
    let counts = counts();
    Dataset {
        format: "test".into(),
        matrix: "counts".into(),
        cells: (0..counts.cells()).map(|cell| format!("cell{cell}")).collect(),
        genes_in_file: counts.genes(),
        gene_columns: Vec::new(),
        features: (0..counts.genes()).map(|gene| Feature { id: None, symbol: format!("gene{gene}") }).collect(),
        counts,
        metadata: Vec::new(),
        feature_types: Vec::new(),
        droplets: None,
        least_counts: Vec::new(),
        joined: None,
        warnings: Vec::new(),
    }
}

/// Two nested levels: deep or shallow cells, and these by the place in the file.
fn levels(dataset: &Dataset) -> Vec<(String, Vec<String>)> {
    let coarse: Vec<String> = (log10_totals(&dataset.counts).iter())
        .map(|&depth| if depth > 2.0 { "deep" } else { "shallow" }.to_string())
        .collect();
    let fine = (coarse.iter().enumerate()).map(|(cell, class)| format!("{class}.{}", cell % 2)).collect();
    vec![("l1".into(), coarse), ("l2".into(), fine)]
}

#[test]
fn a_build_gives_the_same_bits_with_any_number_of_threads() {
    let dataset = dataset();
    let options = Options {
        features: 400,
        dimensions: 20,
        model: ModelOptions { step1_cells: 1_000, step1_genes: 500, ..ModelOptions::default() },
        ..Options::default()
    };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            build::build(&dataset, &levels(&dataset), &options, Default::default(), &Progress::silent()).unwrap()
        })
    };
    let (one, warnings) = run(1);
    assert!(warnings.is_empty(), "{warnings:?}");
    let cells = dataset.counts.cells();
    assert_eq!((one.embedding.dim(), one.loadings.dim()), ((cells, 20), (400, 20)));
    assert_eq!((one.neighbors.dim(), one.umap.layout.dim()), ((cells, 31), (cells, 2)));
    assert!((0..cells).all(|cell| one.neighbors[[cell, 0]] == cell as u32));
    assert!(one.embedding.iter().chain(&one.umap.layout).all(|value| value.is_finite()));
    assert!(one.model.residuals().expect("residuals").theta.iter().all(|theta| *theta > 0.0));
    assert_eq!((one.features.len(), one.levels.len(), one.about.provenance.len()), (400, 2, 6));
    for threads in [1, 3] {
        let (other, _) = run(threads);
        let bits = |matrix: &sextant::matrix::Dense| matrix.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&one.embedding), bits(&other.embedding));
        assert_eq!(bits(&one.loadings), bits(&other.loadings));
        assert_eq!(bits(&one.umap.layout), bits(&other.umap.layout));
        assert_eq!(one.neighbors, other.neighbors);
        assert_eq!((&one.model, &one.levels, &one.about), (&other.model, &other.levels, &other.about));
    }
}

#[test]
fn what_cannot_be_a_reference_is_refused() {
    let refusal = |change: &dyn Fn(&mut Dataset)| {
        let mut dataset = dataset();
        change(&mut dataset);
        let mut levels = levels(&dataset);
        levels.iter_mut().for_each(|level| level.1.truncate(dataset.counts.cells()));
        build::build(&dataset, &levels, &Options::default(), Default::default(), &Progress::silent())
            .unwrap_err()
            .message
    };
    let few = refusal(&|dataset| dataset.counts = dataset.counts.select_cells(&(0..99).collect::<Vec<_>>()));
    assert_eq!(few, "the file has 99 cells; a reference needs at least 100");
    let fractions = refusal(&|dataset| dataset.counts.push_row([(0, 0.5)]));
    assert!(fractions.contains("0.5") && fractions.contains("whole numbers"), "{fractions}");
    let empty = refusal(&|dataset| dataset.counts.push_row([]));
    assert!(empty.contains("1 of 1501 cells have no counts"), "{empty}");
    let narrow = refusal(&|dataset| {
        let mut counts = Counts::with_genes(200);
        for cell in 0..dataset.counts.cells() {
            counts.push_row(
                dataset
                    .counts
                    .row(cell)
                    .filter(|entry| entry.0 < 200)
                    .chain([(199, 1.0)])
                    .take_while(|entry| entry.0 < 199),
            );
        }
        let full: Vec<usize> = (0..counts.cells()).filter(|&cell| counts.row(cell).next().is_some()).collect();
        dataset.counts = counts.select_cells(&full);
    });
    assert_eq!(
        narrow,
        "only 186 genes can be features; at least 250 are needed to map a query: was the matrix cut down to some genes, or \
         are the counts very few?"
    );
}
