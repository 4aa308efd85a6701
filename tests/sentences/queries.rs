//! What is said of queries that do not fit their reference, or have nothing to map.

use crate::files::{file, messages, read};
use crate::fixture;
use crate::zarr::Zarr;
use sextant::formats::Feature;
use sextant::genes::match_genes;
use sextant::map::{Options, Query, map};
use sextant::matrix::Counts;
use sextant::progress::Progress;
use sextant::query::{Query as Cells, QueryOptions};
use sextant::reference::VarianceFloor;

fn genes(count: usize, name: &str) -> Vec<Feature> {
    (0..count).map(|gene| Feature { id: None, symbol: format!("{name}{gene}") }).collect()
}

#[test]
fn genes_that_are_not_in_common_are_told() {
    let reference = genes(1_000, "GENE");
    let few = genes(600, "GENE");
    let warnings = match_genes(&few, &reference, None).check(&few, &reference, "small").expect("enough");
    assert_eq!(
        messages(&warnings),
        [
            "Only 600 of the 1000 features of the reference (60 %) are in this file: labels are less certain. Was the gene list \
          filtered?"
        ]
    );
    let probes = genes(600, "probe");
    let refused = match_genes(&probes, &reference, None).check(&probes, &reference, "small");
    assert_eq!(
        refused.err().map(|error| error.message).unwrap_or_default(),
        "Only 0 of the 1000 features of the reference 'small' are in this file; at least 250 are needed. The file's genes are \
         named like probe0, probe1, probe2; the reference expects names like GENE0, GENE1, GENE2. Gene symbols or Ensembl \
         ids are needed; if the file has them in another column, make it the index."
    );
}

#[test]
fn cells_without_counts_are_no_query() {
    let options = QueryOptions { min_counts: Some(100.0), ..Default::default() };
    let mut opened = crate::files::open(Zarr::cells().files()).expect("a file");
    assert_eq!(
        Cells::read(&mut opened, &options, &Progress::silent()).err().map(|error| error.message).unwrap_or_default(),
        "None of the 3 cells has 100 counts. Choose a lower limit."
    );
    let mut dataset = read(Zarr::cells().files());
    dataset.counts = Counts::with_genes(2);
    (0..3).for_each(|_| dataset.counts.push_row([]));
    assert_eq!(
        Cells::new(dataset).err().map(|error| error.message).unwrap_or_default(),
        "None of the 3 cells has a count in 'X'. Choose another matrix of the file, or check how it was written."
    );
    let table = "gene,c1,c2,c3,c4\nACTB,1,7,1,0\nGAPDH,1,7,2,0\nCD3E,4,0,1,0\n";
    let query = Cells::new(read(file("few.csv", table))).expect("a query");
    assert_eq!(
        messages(&query.warnings),
        ["1 of the 4 cells have no counts at all; they are set aside and not mapped."]
    );
}

#[test]
fn levels_are_chosen_from_those_there_are() {
    let reference = fixture::reference("reference_model.tsv.gz", VarianceFloor::None, "");
    let input = fixture::input("query");
    let genes = input.matched(&reference);
    let query = Query { counts: &input.counts, totals: &input.totals, names: &input.names, genes: &genes };
    let said = |levels: &[&str]| {
        let levels = Some(levels.iter().map(|level| (*level).to_owned()).collect());
        let options = Options { levels, ..Default::default() };
        map(&query, &reference, &options, &Progress::silent()).err().map(|error| error.message).unwrap_or_default()
    };
    assert_eq!(said(&[]), "No level was chosen: choose at least one level of the reference to transfer.");
    assert_eq!(said(&["fine"]), "The reference has no level 'fine'. Its levels are: cell_type, coarse.");
}
