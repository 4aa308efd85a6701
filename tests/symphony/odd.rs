//! Parts of the list that are missing or odd: what is said of each.

use super::{REFERENCE, import, import_levels, of_file};
use sextant::export::rds::{self, Object};
use sextant::reference::Reference;

/// Column by column, as R has it.
fn matrix(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Object {
    let values = (0..columns).flat_map(|column| (0..rows).map(move |row| (row, column)));
    Object::reals(values.map(|(row, column)| value(row, column)).collect()).shaped([rows, columns], [None, None])
}

/// The reference as the list that it came from.
fn list() -> Object {
    let reference = &*REFERENCE;
    let (cells, dimensions) = reference.embedding.dim();
    let features = reference.features.len();
    let mut own = reference.clone();
    let model = super::model(&mut own);
    let clusters = model.clusters.clone().expect("clusters");
    let symbols: Vec<String> = reference.features.iter().map(|feature| feature.symbol.clone()).collect();
    let level = &reference.levels[0];
    let labels = Object::factor(
        level.codes.iter().map(|&code| u32::from(code)),
        level.classes.iter().map(|class| class.name.as_str()),
    );
    Object::list([
        ("meta_data", Object::table(vec![("cell_type", labels)], &reference.cells)),
        (
            "vargenes",
            Object::table(
                vec![
                    ("symbol", Object::texts(symbols.clone())),
                    ("mean", Object::reals(model.mean.clone())),
                    ("stddev", Object::reals(model.stddev.clone())),
                ],
                &symbols,
            ),
        ),
        ("loadings", matrix(features, dimensions, |row, column| f64::from(reference.loadings[(row, column)]))),
        ("Z_corr", matrix(dimensions, cells, |row, column| f64::from(reference.embedding[(column, row)]))),
        (
            "cache",
            Object::list([
                ("Nr", Object::reals(clusters.sizes.clone())),
                ("C", matrix(clusters.sizes.len(), dimensions, |row, column| f64::from(clusters.sums[(row, column)]))),
            ]),
        ),
        (
            "umap",
            Object::list([
                ("embedding", matrix(cells, 2, |row, column| f64::from(reference.umap.layout[(row, column)]))),
                ("a", Object::reals(vec![1.5])),
                ("b", Object::reals(vec![0.9])),
            ]),
        ),
        ("R", Object::null()),
    ])
}

/// The list with other parts at some paths.
fn changed(changes: &[(&[&str], Object)]) -> Vec<u8> {
    let mut object = list();
    for (path, value) in changes {
        *object.part(path).unwrap_or_else(|| panic!("{path:?}")) = value.clone();
    }
    rds::write(&object).expect("a list")
}

fn said(path: &[&str], value: Object) -> String {
    import(changed(&[(path, value)])).expect_err("a sentence").message
}

fn cannot(what: &str) -> String {
    format!(
        "This cannot be imported as a Symphony reference: {what}. Give what buildReference() or buildReferenceFromHarmonyObj() of the \
         R package symphony returns, saved with saveRDS()."
    )
}

fn warned(changes: &[(&[&str], Object)]) -> (Reference, Vec<String>) {
    let (reference, warnings) = import(changed(changes)).expect("a reference");
    (reference, warnings.into_iter().map(|warning| warning.message).collect())
}

fn reals(count: usize) -> Object {
    Object::reals(vec![0.5; count])
}

#[test]
fn the_list_is_the_reference() {
    let (found, warnings) = warned(&[]);
    assert_eq!(warnings, [""; 0]);
    assert_eq!(
        (&found.model, &found.loadings, &found.embedding),
        (&REFERENCE.model, &REFERENCE.loadings, &REFERENCE.embedding)
    );
    assert_eq!(
        (&found.neighbors, &found.levels, &found.cells),
        (&REFERENCE.neighbors, &REFERENCE.levels, &REFERENCE.cells)
    );
    assert_eq!((&found.features, &found.umap.layout), (&REFERENCE.features, &REFERENCE.umap.layout));
    assert_eq!((found.umap.parameters.a, found.umap.parameters.b), (1.5, 0.9));
    assert_eq!(REFERENCE.umap.parameters.a, 1.576_943_460_250_825);
}

#[test]
fn parts_that_nothing_is_mapped_without() {
    let paths: [&[&str]; 7] = [
        &["meta_data"],
        &["vargenes"],
        &["vargenes", "symbol"],
        &["vargenes", "mean"],
        &["vargenes", "stddev"],
        &["loadings"],
        &["Z_corr"],
    ];
    for path in paths {
        // A list without genes is told by its places and cells.
        assert_eq!(said(path, Object::null()), cannot(&format!("{} is missing", path.join("$"))));
    }
    let nothing = rds::write(&Object::list([("Z_corr", reals(4)), ("meta_data", Object::null())])).expect("a list");
    assert_eq!(import(nothing).expect_err("a sentence").message, cannot("vargenes is missing"));
}

#[test]
fn parts_that_do_not_fit_each_other() {
    let number = f64::NAN;
    let cases: [(&[&str], Object, &str); 21] = [
        (&["vargenes", "symbol"], reals(300), "vargenes$symbol holds no names of genes"),
        (&["vargenes", "mean"], Object::texts(["a"]), "vargenes$mean holds no numbers"),
        (&["vargenes", "mean"], reals(299), "vargenes$mean has 299 values, where vargenes has 300 genes"),
        (
            &["vargenes", "stddev"],
            Object::reals(vec![0.0; 300]),
            "vargenes has no gene with a mean and a stddev above 0",
        ),
        (&["loadings"], reals(4500), "loadings is no dense matrix of numbers, or an empty one"),
        (&["loadings"], matrix(299, 15, |_, _| 0.5), "loadings have 299 rows, where vargenes has 300 genes"),
        (
            &["loadings"],
            matrix(300, 15, |_, _| number),
            "loadings holds values that are no numbers, or larger than any that are computed",
        ),
        (
            &["loadings"],
            reals(300).shaped([300, 1], [Some(&(0..300).map(|row| format!("g{row}")).collect::<Vec<_>>()), None]),
            "the rows of loadings have other names than vargenes$symbol, or another order",
        ),
        (
            &["Z_corr"],
            matrix(300, 15, |_, _| 0.5),
            "Z_corr has 300 rows, where loadings have 15 columns: both are the dimensions",
        ),
        (
            &["Z_corr"],
            matrix(15, 300, |_, _| f64::INFINITY),
            "Z_corr holds values that are no numbers, or larger than any that are computed",
        ),
        (&["Z_corr"], matrix(15, 299, |_, _| 0.5), "meta_data has 300 rows, where Z_corr has 299 cells"),
        (
            &["Z_corr"],
            Object::reals(vec![0.5; 15]).with("dim", rds::dimensions([15, 300])),
            "Z_corr is no dense matrix of numbers, or an empty one",
        ),
        (
            &["cache"],
            Object::list([("Nr", reals(10))]),
            "cache has no C: it is a list of Nr, the sizes of the clusters, and C, their sums",
        ),
        (
            &["cache"],
            Object::items(Vec::new()),
            "cache has no Nr: it is a list of Nr, the sizes of the clusters, and C, their sums",
        ),
        (&["cache", "Nr"], Object::texts(["a"]), "cache$Nr holds no numbers"),
        (&["cache", "C"], reals(150), "cache$C is no dense matrix of numbers, or an empty one"),
        (
            &["cache", "C"],
            matrix(9, 15, |_, _| 0.5),
            "cache$C has 9 rows and 15 columns, where cache$Nr has 10 clusters and loadings have 15 columns",
        ),
        (
            &["cache", "C"],
            matrix(10, 15, |_, _| number),
            "the clusters have sizes or sums that are no numbers, or no cells",
        ),
        (
            &["cache", "Nr"],
            Object::reals(vec![-1.0; 10]),
            "the clusters have sizes or sums that are no numbers, or no cells",
        ),
        (
            &["umap", "embedding"],
            matrix(299, 2, |_, _| 0.5),
            "umap$embedding has 299 rows and 2 columns, where Z_corr has 300 cells, which stand in the plane",
        ),
        (
            &["umap", "embedding"],
            matrix(300, 2, |_, _| number),
            "umap$embedding holds values that are no numbers, or larger than any that are computed",
        ),
    ];
    for (path, value, what) in cases {
        assert_eq!(said(path, value), cannot(what), "{path:?}");
    }
    let shares = [(&["cache"][..], Object::null()), (&["R"][..], matrix(10, 299, |_, _| 0.1))];
    assert_eq!(
        import(changed(&shares)).expect_err("a sentence").message,
        cannot("R has 299 columns, where Z_corr has 300 cells")
    );
}

#[test]
fn what_can_be_done_without_is_a_warning() {
    let (without, warnings) = warned(&[(&["cache"], Object::null())]);
    assert!(without.model.clusters().is_none());
    assert_eq!(
        warnings,
        [
            "Both cache and R are missing, so a query is not corrected as Symphony does it; anchors alone bring it to the reference."
        ]
    );
    assert!(without.about.provenance[1].ends_with("300 cells. A query is not corrected before anchors are found."));

    let mut deviations = super::model(&mut REFERENCE.clone()).stddev.clone();
    (deviations[0], deviations[2]) = (0.0, f64::NAN);
    let (fewer, warnings) = warned(&[(&["vargenes", "stddev"], Object::reals(deviations))]);
    let name = |at: usize| &REFERENCE.features[at].symbol;
    assert_eq!(
        warnings,
        [format!(
            "2 of the 300 genes of vargenes have no mean, or no stddev above 0, and are left out: {}, {}.",
            name(0),
            name(2)
        )]
    );
    assert_eq!((fewer.features.len(), fewer.features[0].symbol.as_str()), (298, name(1).as_str()));
    assert_eq!(fewer.loadings.row(0), REFERENCE.loadings.row(1));

    // A cluster of no cells is left out, a cell without a label gets one, and cells without names too.
    let labels = Object::factor((0..300).map(|cell| if cell < 7 { u32::MAX } else { cell % 2 }), ["B", "T"]);
    let table = Object::list([("kind", labels), ("count", reals(300))]);
    let sums = matrix(10, 15, |row, _| if row == 3 { 0.0 } else { 1.0 });
    let (odd, warnings) = warned(&[(&["meta_data"], table), (&["cache", "C"], sums)]);
    assert_eq!(
        warnings,
        [
            "Neither Z_corr nor meta_data names the cells; they are called cell1, cell2 and so on.",
            "meta_data$kind has no label for 7 of the 300 cells; they are of the class `unlabelled`."
        ]
    );
    assert_eq!((odd.cells[0].as_str(), odd.cells[299].as_str()), ("cell1", "cell300"));
    assert_eq!(odd.levels[0].classes[0].name, "unlabelled");
    assert_eq!(odd.model.clusters().expect("clusters").sizes.len(), 9);
}

#[test]
fn columns_that_are_no_levels() {
    let rows = REFERENCE.cells.clone();
    let table = |columns: Vec<(&str, Object)>| changed(&[(&["meta_data"], Object::table(columns, &rows))]);
    let message =
        |bytes: Vec<u8>, levels: Option<&[&str]>| import_levels(bytes, levels).expect_err("a sentence").message;
    let names = || Object::texts((0..300).map(|cell| format!("c{cell}")));
    let none = cannot("no column of meta_data labels the cells with at least two classes");
    assert_eq!(message(table(vec![("count", reals(300)), ("barcode", names())]), None), none);
    let counts = || table(vec![("count", reals(300))]);
    assert_eq!(message(counts(), Some(&["count"])), cannot("meta_data$count holds numbers, not labels"));
    assert_eq!(message(counts(), Some(&[])), none);
    let one = table(vec![("donor", Object::texts(vec!["d"; 300]))]);
    assert_eq!(message(one, Some(&["donor"])), cannot("meta_data$donor has the same label for all cells"));
    let short = table(vec![("donor", Object::texts(["d", "e"]))]);
    assert!(
        message(short, Some(&["donor"]))
            .starts_with("This cannot be imported as a Symphony reference: of meta_data$donor, ")
    );
    // Text is taken where no name tells of labels and nothing is a factor.
    let two = || Object::texts((0..300).map(|cell| format!("d{}", cell % 2)));
    let (reference, warnings) = import(table(vec![("donor", two())])).expect("a reference");
    assert_eq!((reference.levels[0].name.as_str(), warnings.len()), ("donor", 0));
    let many = Object::texts((0..70_000).map(|cell| format!("c{cell}")));
    let cells: Vec<String> = (0..70_000).map(|cell| format!("n{cell}")).collect();
    let wide = changed(&[
        (&["meta_data"], Object::table(vec![("barcode", many)], &cells)),
        (&["Z_corr"], matrix(15, 70_000, |row, column| ((row + column) % 7) as f64)),
    ]);
    assert_eq!(
        message(wide, Some(&["barcode"])),
        cannot(
            "meta_data$barcode has more than 65,535 different values, as a column of names has and not one of labels"
        )
    );
}

#[test]
fn more_cells_than_are_searched_are_refused() {
    let cells = 200_001;
    let level = Object::factor((0..cells as u32).map(|cell| cell % 2), ["B", "T"]);
    let names: Vec<String> = (0..cells).map(|cell| format!("n{cell}")).collect();
    let large = changed(&[
        (&["meta_data"], Object::table(vec![("cell_type", level)], &names)),
        (&["loadings"], matrix(300, 1, |_, _| 0.5)),
        (&["Z_corr"], matrix(1, cells, |_, column| (column % 5) as f64)),
        (&["cache"], Object::null()),
    ]);
    assert_eq!(
        import(large).expect_err("a sentence").message,
        cannot("to search for the nearest of 200,001 cells would take too long; up to 200,000 are imported")
    );
}

/// Bytes that were damaged on the way are a sentence, not a panic.
#[test]
fn changed_bytes_are_a_reference_or_a_sentence() {
    let whole = rds::plain(&{
        let mut object = list();
        *object.part(&["R"]).expect("a part") = Object::null();
        object
    })
    .expect("a list");
    let mut random = sextant::random::Random::new(7);
    let mut refused = 0;
    for _ in 0..150 {
        let mut bytes = whole.clone();
        for _ in 0..4 {
            // Half of the changes are where names and lengths stand.
            let within = if random.below(2) == 0 { bytes.len() } else { 9_000 };
            let place = random.below(within);
            bytes[place] = random.below(256) as u8;
        }
        bytes.truncate(if random.below(4) == 0 { random.below(bytes.len()) } else { bytes.len() });
        if let Err(error) = import(bytes) {
            refused += 1;
            assert!(error.message.ends_with('.'), "{}", error.message);
        }
    }
    assert!(refused > 20, "{refused} of 150");
    assert!(of_file("reference.rds").0.check().is_ok());
}
