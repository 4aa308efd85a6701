//! Parts of the object that are missing or odd: what is said of each.

use super::{REFERENCE, folder, import, import_levels, of_file};
use sextant::export::rds::{self, Object};
use sextant::export::seurat_object;
use sextant::reference::{Reference, ResidualModel, VarianceFloor};

const MODEL: &str = "assays$refAssay@SCTModel.list$refmodel";
const MODEL_PATH: [&str; 4] = ["assays", "refAssay", "SCTModel.list", "refmodel"];
const LOADINGS: [&str; 3] = ["reductions", "refDR", "feature.loadings"];
const EMBEDDING: [&str; 3] = ["reductions", "refDR", "cell.embeddings"];
const PLACES: [&str; 3] = ["reductions", "refUMAP", "cell.embeddings"];
const NEIGHBORS: [&str; 2] = ["neighbors", "refdr.annoy.neighbors"];
const PROTEINS: [&str; 3] = ["assays", "ADT", "data"];

/// The object with other parts at some paths.
fn changed(changes: &[(&[&str], Object)]) -> Vec<u8> {
    let mut object = seurat_object(&REFERENCE).expect("an object");
    for (path, value) in changes {
        *object.part(path).unwrap_or_else(|| panic!("{path:?}")) = value.clone();
    }
    rds::write(&object).expect("an object")
}

fn residuals(reference: &Reference) -> &ResidualModel {
    reference.model.residuals().expect("a model of residuals")
}

/// A path below that of the model.
fn of_model<'a>(path: &[&'a str]) -> Vec<&'a str> {
    MODEL_PATH.iter().chain(path).copied().collect()
}

fn said(path: &[&str], value: Object) -> String {
    import(changed(&[(path, value)])).expect_err("a sentence").message
}

fn cannot(what: &str) -> String {
    format!(
        "This cannot be imported as an Azimuth reference: {what}. Give the file ref.Rds of a published reference, or what \
         AzimuthReference() of the R package Azimuth returns, saved with saveRDS()."
    )
}

/// What is warned of, and the reference.
fn warned(changes: &[(&[&str], Object)]) -> (Reference, Vec<String>) {
    let (reference, warnings) = import(changed(changes)).expect("a reference");
    (reference, warnings.into_iter().map(|warning| warning.message).collect())
}

fn matrix(rows: usize, columns: usize, names: Option<Vec<String>>) -> Object {
    Object::reals(vec![0.5; rows * columns]).shaped([rows, columns], [names.as_deref(), None])
}

fn names(count: usize) -> Option<Vec<String>> {
    Some((0..count).map(|number| format!("n{number}")).collect())
}

#[test]
fn what_an_object_tells_of_itself() {
    let told = |reference: &Reference| reference.about.provenance.clone();
    assert_eq!(
        told(&REFERENCE),
        [
            "Imported from an Azimuth reference: reference 1.0.0, made by Azimuth 0.5.0 with Seurat 4.3.0.",
            "Model, loadings and embedding as published: 460 features, 50 dimensions of refDR, 250 cells; the map was learned on 300 \
          cells."
        ]
    );
    let (without, _) = warned(&[(&["tools"], Object::items(Vec::new()))]);
    assert_eq!(
        told(&without)[0],
        "Imported from an Azimuth reference: reference of an unknown version, made by Azimuth of an unknown version with Seurat of an \
         unknown version."
    );
}

#[test]
fn what_is_no_reference_is_refused() {
    let message = |bytes: Vec<u8>| import(bytes).expect_err("a sentence").message;
    assert_eq!(message(b"PK\x03\x04 and more".to_vec()), cannot("it is no file that R's saveRDS() wrote"));
    assert_eq!(message(Vec::new()), cannot("it is no file that R's saveRDS() wrote"));
    let matrix = std::fs::read(folder().join("../formats/r/dgc_gzip.rds")).expect("a matrix");
    assert_eq!(message(matrix), cannot("its object is of the class dgCMatrix, not Seurat"));
    let list = rds::write(&Object::items(vec![Object::text("a")])).expect("a list");
    assert_eq!(message(list), cannot("its object is of the class list, not Seurat"));
    // As save() writes them: pairs of names and objects.
    let plain = rds::plain(&Object::s4("Seurat", "SeuratObject", [])).expect("an object");
    let (head, body) = plain.split_at(14);
    let pair = |name: u8| [&[0, 0, 4, 2, 0, 0, 0, 1, 0, 4, 0, 9, 0, 0, 0, 1, name], body].concat();
    let saved = |pairs: &[Vec<u8>]| [b"RDX2\n", head, &pairs.concat(), &[0, 0, 0, 254]].concat();
    assert_eq!(message(saved(&[])), cannot("there is no object in it"));
    assert_eq!(message(saved(&[pair(b'a'), pair(b'b')])), cannot("it holds 2 Seurat objects, not one"));
    assert_eq!(message(saved(&[pair(b'a')])), cannot("reductions$refDR is missing"));
    let cut = std::fs::read(folder().join("spca_v2.Rds")).expect("a file")[..50_000].to_vec();
    assert!(message(cut).starts_with("the file is truncated: its R data end before they are complete."));
}

#[test]
fn parts_that_nothing_is_mapped_without() {
    let missing: [(&[&str], &str); 9] = [
        (&["reductions", "refDR"], "reductions$refDR"),
        (&LOADINGS, "reductions$refDR@feature.loadings"),
        (&EMBEDDING, "reductions$refDR@cell.embeddings"),
        (&["assays", "refAssay"], "assays$refAssay"),
        (&MODEL_PATH[..3], "assays$refAssay@SCTModel.list"),
        (&["meta.data"], "meta.data"),
        (&["reductions", "refUMAP"], "reductions$refUMAP"),
        (&PLACES, "reductions$refUMAP@cell.embeddings"),
        (
            &[&MODEL_PATH[..], &["feature.attributes"]].concat(),
            "assays$refAssay@SCTModel.list$refmodel@feature.attributes",
        ),
    ];
    for (path, slot) in missing {
        assert_eq!(said(path, Object::null()), cannot(&format!("{slot} is missing")));
    }
    for column in ["theta", "(Intercept)", "log_umi", "residual_mean"] {
        let path = of_model(&["feature.attributes", column]);
        assert_eq!(said(&path, Object::null()), cannot(&format!("{MODEL}@feature.attributes${column} is missing")));
    }
    let theta = of_model(&["feature.attributes", "theta"]);
    assert_eq!(
        said(&theta, Object::texts((0..460).map(|_| "1"))),
        cannot(&format!("{MODEL}@feature.attributes$theta holds no numbers"))
    );
    assert_eq!(
        said(&theta, Object::items(Vec::new())),
        cannot(&format!("of {MODEL}@feature.attributes$theta, it is of the class list, not numbers or text"))
    );
    assert_eq!(
        said(&theta, Object::reals(vec![1.0])),
        cannot(&format!("of {MODEL}@feature.attributes$theta, it has 1 values for 460 rows"))
    );
    let without = Object::table(vec![("theta", Object::reals(vec![1.0]))], &["LYZ".to_owned()]);
    assert_eq!(
        said(&of_model(&["feature.attributes"]), without),
        cannot(&format!("{MODEL}@feature.attributes$(Intercept) is missing"))
    );
}

#[test]
fn components_that_do_not_fit() {
    assert_eq!(
        said(&LOADINGS, matrix(3, 50, None)),
        cannot("the rows of reductions$refDR@feature.loadings have no names")
    );
    for odd in [matrix(0, 50, None), matrix(3, 50, names(4)), Object::text("a"), Object::reals(vec![1.0])] {
        assert_eq!(
            said(&EMBEDDING, odd),
            cannot("reductions$refDR@cell.embeddings is no matrix with names, or an empty one")
        );
    }
    assert_eq!(
        said(&EMBEDDING, matrix(250, 49, names(250))),
        cannot("reductions$refDR@feature.loadings has 50 columns and reductions$refDR@cell.embeddings has 49")
    );
    let short = Object::reals(vec![0.5; 100]).shaped([460, 50], [names(460).as_deref(), None]);
    // The model is looked up by names, so they stay.
    let genes: Vec<String> = REFERENCE.features.iter().map(|feature| feature.symbol.clone()).collect();
    let short_of_genes = Object::reals(vec![0.5; 100]).shaped([460, 50], [Some(&genes), None]);
    assert_eq!(
        said(&LOADINGS, short_of_genes),
        cannot("reductions$refDR@feature.loadings has not as many values as rows times columns")
    );
    assert_eq!(
        said(&LOADINGS, short),
        cannot(&format!("{MODEL}@feature.attributes has parameters for none of the features of refDR"))
    );
    for odd in [f64::NAN, f64::INFINITY, -1e7] {
        let odd = Object::reals(vec![odd; 250 * 50]).shaped([250, 50], [Some(&REFERENCE.cells), None]);
        assert_eq!(
            said(&EMBEDDING, odd),
            cannot(
                "reductions$refDR@cell.embeddings holds values that are no numbers, or larger than any that are computed"
            )
        );
    }
}

#[test]
fn as_many_dimensions_as_the_neighbours_were_found_in() {
    let path: Vec<&str> = NEIGHBORS.iter().chain(&["alg.info", "ndim"]).copied().collect();
    let (reference, _) = warned(&[(&path, Object::integers(vec![30]))]);
    assert_eq!((reference.embedding.dim(), reference.loadings.dim()), ((250, 30), (460, 30)));
    assert_eq!(reference.embedding.row(7), REFERENCE.embedding.row(7).slice(ndarray::s![..30]));
    for odd in [Object::integers(vec![51]), Object::reals(vec![f64::NAN]), Object::text("30"), Object::reals(vec![0.0])]
    {
        assert_eq!(warned(&[(&path, odd)]).0.embedding.ncols(), 50);
    }
}

#[test]
fn models_that_are_not_known() {
    let several = Object::list([("a", Object::text("")), ("b", Object::text(""))]);
    assert_eq!(
        said(&MODEL_PATH[..3], several),
        cannot("assays$refAssay@SCTModel.list holds 2 models and none is called refmodel")
    );
    assert_eq!(said(&MODEL_PATH[..3], Object::items(Vec::new())), cannot(&format!("{MODEL} is missing")));
    assert_eq!(
        said(&of_model(&["model"]), Object::text("y ~ log_umi + batch")),
        cannot(&format!("{MODEL}@model is \"y ~ log_umi + batch\", where \"y ~ log_umi\" is expected"))
    );
    assert_eq!(
        said(&of_model(&["model"]), Object::null()),
        cannot(&format!("{MODEL}@model is \"nothing\", where \"y ~ log_umi\" is expected"))
    );
    for odd in [Object::text("wide"), Object::reals(vec![1.0]), Object::reals(vec![2.0, f64::NAN])] {
        assert_eq!(
            said(&of_model(&["arguments", "sct.clip.range"]), odd),
            cannot(&format!("{MODEL}@arguments$sct.clip.range is no range of two numbers"))
        );
    }
    let least = of_model(&["arguments", "min_variance"]);
    assert_eq!(
        said(&least, Object::text("model_mean")),
        cannot(&format!("{MODEL}@arguments$min_variance is \"model_mean\", which is not known here"))
    );
    assert_eq!(
        said(&least, Object::reals(vec![f64::NAN])),
        cannot(&format!("{MODEL}@arguments$min_variance is no number"))
    );
    assert_eq!(warned(&[(&least, Object::null())]).0.model.variance_floor(), VarianceFloor::None);
    assert_eq!(warned(&[(&least, Object::reals(vec![0.04]))]).0.model.variance_floor(), VarianceFloor::Fixed(0.04));

    // Renamed, the one model is still the model.
    let mut object = seurat_object(&REFERENCE).expect("an object");
    let only = object.part(&MODEL_PATH).expect("the model").clone();
    *object.part(&MODEL_PATH[..3]).expect("the list") = Object::list([("model1", only)]);
    assert_eq!(import(rds::write(&object).expect("an object")).expect("a reference").0.model, REFERENCE.model);
}

#[test]
fn a_model_without_some_features_or_a_clip_range() {
    let mut theta = residuals(&REFERENCE).theta.clone();
    (theta[0], theta[459]) = (f64::NAN, 0.0);
    let (reference, warnings) = warned(&[(&of_model(&["feature.attributes", "theta"]), Object::reals(theta))]);
    assert_eq!((reference.features.len(), reference.loadings.nrows()), (458, 458));
    assert_eq!(reference.features[0], REFERENCE.features[1]);
    assert_eq!(reference.loadings.row(0), REFERENCE.loadings.row(1));
    let (first, last) = (&REFERENCE.features[0].symbol, &REFERENCE.features[459].symbol);
    assert_eq!(
        warnings,
        [format!(
            "2 of the 460 features of refDR have no parameters in {MODEL}@feature.attributes and are left out: {first}, {last}."
        )]
    );
    let gone = || Object::null();
    let (argument, clips) = (of_model(&["arguments", "sct.clip.range"]), of_model(&["clips", "sct"]));
    let fitted: Vec<String> = (0..270).map(|cell| format!("c{cell}")).collect();
    let cells = Object::table(Vec::<(&str, Object)>::new(), &fitted);
    let cell_path = of_model(&["cell.attributes"]);
    assert_eq!(residuals(&warned(&[(&argument, gone())]).0).clip, residuals(&REFERENCE).clip);
    let (reference, warnings) = warned(&[(&argument, gone()), (&clips, gone()), (&cell_path, cells)]);
    assert_eq!(residuals(&reference).clip, (-3.0, 3.0));
    assert_eq!(
        warnings,
        [format!(
            "{MODEL}@arguments$sct.clip.range is missing; residuals are clipped at ±√(270 / 30), as SCTransform does it for the \
             cells of the model."
        )]
    );
    let refused = import(changed(&[(&argument, gone()), (&clips, gone()), (&cell_path, gone())]));
    let refused = refused.expect_err("a sentence").message;
    assert_eq!(refused, cannot(&format!("{MODEL}@arguments$sct.clip.range is missing")));
}

#[test]
fn levels_and_colours() {
    let l1 = ["meta.data", "celltype.l1"];
    let colormap = ["tools", "AzimuthReference", "colormap"];
    let one = || Object::factor((0..250).map(|_| 0), ["blood"]);
    let (reference, warnings) = warned(&[(&l1, one())]);
    assert_eq!(reference.levels.len(), 1);
    assert_eq!(warnings, ["meta.data$celltype.l1 has the same label for all cells and becomes no level."]);
    assert_eq!(
        import(changed(&[(&l1, one()), (&["meta.data", "celltype.l2"], one())])).expect_err("a sentence").message,
        cannot("no column of meta.data labels the cells with at least two classes")
    );
    // The first two cells have no label, R's missing factor.
    let codes = (0..250u32).map(|cell| if cell < 2 { u32::MAX } else { cell % 3 });
    let (reference, warnings) = warned(&[(&l1, Object::factor(codes, ["a", "b", "c"]))]);
    assert_eq!(
        warnings,
        [
            "meta.data$celltype.l1 has no label for 2 of the 250 cells; they are of the class `unlabelled`.",
            "tools$AzimuthReference@colormap has no colour for unlabelled, c, a, b of celltype.l1: Sextant's own are taken."
        ]
    );
    let classes = &reference.level("celltype.l1").expect("a level").classes;
    assert_eq!((classes[0].name.as_str(), classes[0].color.as_str()), ("unlabelled", "#0072b2"));
    // Text is as good as a factor; without colours, all factors are levels.
    let labels: Vec<&str> = (0..250).map(|cell| ["x", "y"][cell % 2]).collect();
    let (reference, _) = warned(&[(&l1, Object::texts(labels.iter().copied()))]);
    assert_eq!(reference.levels[0].classes.len(), 2);
    let (reference, warnings) = warned(&[(&colormap, Object::null())]);
    let found: Vec<&str> = reference.levels.iter().map(|level| level.name.as_str()).collect();
    assert_eq!((found, warnings.len()), (vec!["celltype.l1", "celltype.l2"], 2));
    // Opaque or not, by name or not.
    let colors =
        Object::texts(["#AABBCCDD", "red", "#12"]).with("names", Object::texts(["myeloid", "lymphoid", "other"]));
    let (reference, warnings) = warned(&[(&[&colormap[..], &["celltype.l1"]].concat(), colors)]);
    assert_eq!(reference.levels[0].classes[0].color, "#aabbcc");
    assert_eq!(
        warnings,
        ["tools$AzimuthReference@colormap has no colour for lymphoid, other of celltype.l1: Sextant's own are taken."]
    );
    let (reference, warnings) = warned(&[(&l1, Object::reals(vec![1.0; 250]))]);
    assert_eq!(reference.levels.len(), 1);
    assert_eq!(warnings, ["meta.data$celltype.l1 has colours, but holds numbers; it becomes no level."]);
    let wanted = |levels: &[&str]| import_levels(changed(&[]), Some(levels));
    assert_eq!(wanted(&["celltype.l2"]).expect("a reference").0.levels.len(), 1);
    assert_eq!(
        wanted(&["l3"]).expect_err("a sentence").message,
        "meta.data has no column \"l3\" to take for a level. Its columns are: celltype.l1, celltype.l2, ori.index."
    );
    assert_eq!(
        wanted(&["ori.index"]).expect_err("a sentence").message,
        cannot("meta.data$ori.index holds numbers, not labels")
    );
}

#[test]
fn neighbours_that_cannot_be_used_are_searched_for() {
    let with = |slot: &str, value: Object| warned(&[(&[&NEIGHBORS[..], &[slot]].concat(), value)]);
    let why = |why: &str| {
        [format!("neighbors$refdr.annoy.neighbors {why}; the nearest cells of each cell were searched for anew.")]
    };
    let index = |change: &dyn Fn(usize, usize) -> Option<i32>| {
        let of = |(place, _): (usize, ())| {
            let (cell, rank) = (place % 250, place / 250);
            change(cell, rank).unwrap_or(REFERENCE.neighbors[(cell, rank)] as i32 + 1)
        };
        let values = std::iter::repeat_n((), 250 * 31).enumerate().map(of).collect();
        Object::integers(values).shaped([250, 31], [None, None])
    };
    let (found, warnings) = warned(&[(&NEIGHBORS, Object::null())]);
    assert_eq!(warnings, why("is missing"));
    assert_eq!(found.neighbors, REFERENCE.neighbors, "those of the exact search");
    let odd = |slot: &str, value: Object, reason: &str| {
        let (found, warnings) = with(slot, value);
        assert_eq!((warnings, found.neighbors == REFERENCE.neighbors), (why(reason).to_vec(), true), "{reason}");
    };
    odd("nn.idx", Object::null(), "has no nn.idx");
    odd("nn.idx", Object::text("a"), "has fewer than 5 neighbours of each cell");
    let short = Object::integers(vec![1; 100]).shaped([250, 31], [None, None]);
    odd("nn.idx", short, "has an nn.idx that is no matrix of numbers");
    odd("cell.names", Object::texts(["a", "b"]), "is not of the cells of refDR");
    for far in [251, 0, -1, i32::MIN] {
        let value = index(&|cell, rank| (cell == 9 && rank == 3).then_some(far));
        odd("nn.idx", value, "has an nn.idx that numbers cells beyond the last");
    }
    let twice = index(&|cell, rank| (cell == 9 && rank == 3).then_some(REFERENCE.neighbors[(9, 4)] as i32 + 1));
    odd("nn.idx", twice, "names a neighbour twice");
    // The cell itself in the second place, and nowhere: it is put first.
    let second = index(&|cell, rank| (cell == 9 && rank < 2).then(|| REFERENCE.neighbors[(9, 1 - rank)] as i32 + 1));
    let (found, warnings) = with("nn.idx", second);
    assert_eq!((found.neighbors == REFERENCE.neighbors, warnings.len()), (true, 0));
    let other =
        (0..250u32).find(|other| REFERENCE.neighbors.row(9).iter().all(|cell| cell != other)).expect("a far cell");
    let nowhere = index(&|cell, rank| (cell == 9 && rank == 0).then_some(other as i32 + 1));
    let (found, _) = with("nn.idx", nowhere);
    assert_eq!(found.neighbors.row(9).to_vec()[..2], [9, other]);
}

#[test]
fn maps_without_a_model_or_an_index() {
    let model = ["reductions", "refUMAP", "misc", "model"];
    let of_model = |slot: &'static str| [&model[..], &[slot]].concat();
    let index = ["meta.data", "ori.index"];
    let places: Vec<f32> = REFERENCE.umap.rows.iter().map(|&row| REFERENCE.umap.layout[(row as usize, 0)]).collect();
    let (found, warnings) = warned(&[(&model, Object::null())]);
    assert_eq!(
        warnings,
        [
            "reductions$refUMAP@misc$model is missing; query cells are placed among the cells of the reference with Seurat's usual \
          parameters."
        ]
    );
    assert_eq!((found.umap.layout.dim(), found.umap.layout.column(0).to_vec()), ((250, 2), places.clone()));
    let (found, warnings) = warned(&[(&index, Object::null())]);
    assert_eq!(
        warnings,
        [
            "meta.data$ori.index is missing, and the map was learned on 300 cells, not on the 250 of the reference; query cells are \
          placed among these."
        ]
    );
    assert_eq!((found.umap.layout.dim(), found.umap.layout.column(0).to_vec()), ((250, 2), places));
    assert_eq!(said(&index, Object::texts((0..250).map(|_| "1"))), cannot("meta.data$ori.index holds no numbers"));
    for odd in [0.0, 301.0, 1.5, f64::NAN] {
        let mut rows: Vec<f64> = REFERENCE.umap.rows.iter().map(|&row| f64::from(row) + 1.0).collect();
        rows[17] = odd;
        assert_eq!(
            said(&index, Object::reals(rows)),
            cannot(
                "meta.data$ori.index is not a row of reductions$refUMAP@misc$model$embedding for every cell: 1 to 300"
            )
        );
    }
    let mut rows: Vec<f64> = REFERENCE.umap.rows.iter().map(|&row| f64::from(row) + 1.0).collect();
    rows.swap(0, 1);
    let (found, warnings) = warned(&[(&index, Object::reals(rows))]);
    assert_eq!(
        warnings,
        [
            "2 of the 250 cells stand elsewhere in reductions$refUMAP@cell.embeddings than where meta.data$ori.index finds them in \
          reductions$refUMAP@misc$model$embedding, which is taken."
        ]
    );
    assert_eq!(found.umap.rows[..2], [1, 0]);
    assert_eq!(
        said(&PLACES, matrix(250, 1, Some(REFERENCE.cells.clone()))),
        cannot("reductions$refUMAP@cell.embeddings does not place every cell of refDR in the plane")
    );
    assert_eq!(
        said(&of_model("n_epochs"), Object::reals(vec![1e9])),
        "The reference 'kang' cannot be used: its UMAP has 1000000000 epochs, where 1 to 2000 make sense. Build or download it \
         again."
    );
    let (found, _) = warned(&[(&of_model("n_epochs"), Object::null()), (&of_model("a"), Object::null())]);
    assert_eq!((found.umap.parameters.epochs, found.umap.parameters.a), (500, 0.992_175_619_768_871_7));
}

#[test]
fn cells_in_another_order_stay_themselves() {
    let mut cells = REFERENCE.cells.clone();
    cells.reverse();
    let places = REFERENCE.umap.rows.iter().rev().flat_map(|&row| REFERENCE.umap.layout.row(row as usize).to_vec());
    let places: Vec<f32> = places.collect();
    let by_column = (0..500).map(|at| f64::from(places[at % 250 * 2 + at / 250])).collect();
    let reversed = Object::reals(by_column).shaped([250, 2], [Some(&cells), None]);
    let mut object = seurat_object(&REFERENCE).expect("an object");
    *object.part(&PLACES).expect("places") = reversed;
    let (found, warnings) = import(rds::write(&object).expect("an object")).expect("a reference");
    assert_eq!((found.umap == REFERENCE.umap, warnings.len()), (true, 0));
}

#[test]
fn proteins_that_cannot_be_used_are_left_out() {
    let without = |path: &[&str], value: Object, what: &str| {
        let (found, warnings) = warned(&[(path, value)]);
        assert!(found.proteins.is_none());
        assert_eq!(warnings, [format!("The proteins are left out: {what}.")]);
    };
    without(&PROTEINS, Object::null(), "assays$ADT@data is missing");
    without(&PROTEINS, matrix(9, 250, None), "assays$ADT@data has no names");
    let named = |values: Object, cells: &[String]| {
        let proteins: Vec<String> = (0..9).map(|protein| format!("p{protein}")).collect();
        values.shaped([9, cells.len()], [Some(&proteins), Some(cells)])
    };
    let cells = &REFERENCE.cells;
    without(
        &PROTEINS,
        named(Object::reals(vec![1.0; 4]), cells),
        "assays$ADT@data is of the class numeric, or contradicts itself",
    );
    let slot = |slot: &'static str| [&PROTEINS[..], &[slot]].concat();
    let odd = "assays$ADT@data is of the class dgCMatrix, or contradicts itself";
    without(&slot("p"), Object::integers(vec![0; 251]), odd);
    without(&slot("p"), Object::integers(vec![0, 700]), odd);
    without(&slot("i"), Object::integers(vec![9; 628]), odd);
    without(&slot("i"), Object::integers(vec![0; 627]), odd);
    without(&slot("Dim"), Object::integers(vec![2_000_000_000, 250]), odd);
    without(
        &PROTEINS,
        named(Object::reals(vec![1.0; 9 * 249]), &cells[1..]),
        "assays$ADT@data does not hold those of every cell of refDR",
    );
    without(
        &PROTEINS,
        named(Object::reals(vec![-1.0; 9 * 250]), cells),
        "of assays$ADT@data, the values of its proteins are negative, no numbers, or larger than any that are normalised",
    );
    let (found, warnings) = warned(&[(&PROTEINS, named(Object::reals(vec![1.0; 9 * 250]), cells))]);
    assert_eq!((found.proteins.map(|proteins| proteins.values.sum()), warnings.len()), (Some(2250.0), 0));
    assert!(warned(&[(&["assays", "ADT"], Object::null())]).0.proteins.is_none());
}

/// Whatever is cut off or changed: a sentence or a reference, and never a panic.
#[test]
fn damage_is_a_sentence() {
    let whole = rds::plain(&seurat_object(&of_file("dimensions_100.Rds")).expect("an object")).expect("an object");
    for cut in (0..whole.len()).step_by(4_999) {
        assert!(import(whole[..cut].to_vec()).is_err());
    }
    for at in (14..whole.len()).step_by(1_999).chain(14..600) {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        if let Ok((reference, _)) = import(changed) {
            reference.check().expect("a reference that can be used");
        }
    }
}
