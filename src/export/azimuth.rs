//! A reference as the object that Azimuth and Seurat load: what [`crate::azimuth`] reads, written.

use super::rds::{self, Object, dimensions, names_of};
use crate::error::{Error, Result};
use crate::matrix::Dense;
use crate::reference::{Level, Reference, ResidualModel, UmapModel, VarianceFloor};
use ndarray::Array2;
use std::collections::BTreeMap;

/// An R script that makes the index of neighbours, which is a file of its own in a format of its own.
pub const INDEX_SCRIPT: &str = include_str!("azimuth/make_annoy_index.R");

const SEURAT: &str = "Seurat";
const OBJECT: &str = "SeuratObject";

/// The bytes of `ref.Rds`.
///
/// The assay holds zeros, as in the references that are published. What a bundle does not hold and nothing is mapped with is
/// missing (NA): the variance of the residuals, the figures of the cells that the model was fitted on.
///
/// # Errors
/// When the reference is too large for the format, or has no model of residuals, which is what Azimuth normalises with.
///
/// # Source
/// The slots of SeuratObject 4.1 and Seurat 4.3, and of the class that `Azimuth::AzimuthReference` adds.
pub fn azimuth(reference: &Reference) -> Result<Vec<u8>> {
    rds::write(&seurat_object(reference)?)
}

/// The object that [`azimuth`] writes.
///
/// # Errors
/// When the reference has no model of residuals.
pub fn seurat_object(reference: &Reference) -> Result<Object> {
    let Some(residuals) = reference.model.residuals() else {
        return Err(Error::usage(format!(
            "'{}' cannot be exported for Azimuth, which normalises by a negative binomial model (SCTransform): this reference \
             has logarithms of normalised counts, as Symphony's. Export one that Sextant built or that came from Azimuth.",
            reference.about.name
        )));
    };
    let cells = &reference.cells;
    let mut assays = vec![("refAssay", assay(reference, residuals))];
    assays.extend(proteins(reference).map(|assay| ("ADT", assay)));
    let idents = Object::factor(cells.iter().map(|_| 0), [reference.about.name.as_str()]);
    Ok(Object::s4(
        "Seurat",
        OBJECT,
        [
            ("assays", Object::list(assays)),
            ("meta.data", table_of_cells(reference)),
            ("active.assay", Object::text("refAssay")),
            ("active.ident", idents.with("names", Object::texts(cells.iter().cloned()))),
            ("graphs", Object::items(Vec::new())),
            ("neighbors", Object::list([("refdr.annoy.neighbors", neighbors(reference))])),
            ("reductions", Object::list([("refDR", components(reference)), ("refUMAP", map(reference))])),
            ("images", Object::items(Vec::new())),
            ("project.name", Object::text(reference.about.name.as_str())),
            ("misc", Object::items(Vec::new())),
            ("version", version(&[4, 1, 3])),
            ("commands", Object::items(Vec::new())),
            ("tools", Object::list([("AzimuthReference", tool(reference))])),
        ],
    ))
}

fn version(parts: &[i32]) -> Object {
    Object::items(vec![Object::integers(parts.to_vec())]).of_class(&["package_version", "numeric_version"])
}

/// Their symbols; R wants names of rows that differ, so a symbol that was there before has its number behind it.
fn features(reference: &Reference) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut names: Vec<String> = Vec::with_capacity(reference.features.len());
    for feature in &reference.features {
        let mut name = feature.symbol.clone();
        while let Some(times) = seen.get_mut(&name) {
            *times += 1;
            name = format!("{}.{times}", feature.symbol);
        }
        seen.insert(name.clone(), 0);
        names.push(name);
    }
    names
}

/// Names of columns: `PC_1`, `PC_2`, …
fn numbered(key: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{key}{number}")).collect()
}

/// Column by column.
fn real_matrix(values: &Dense, rows: Option<&[String]>, columns: Option<&[String]>) -> Object {
    let numbers = values.t().iter().map(|&value| f64::from(value)).collect();
    Object::reals(numbers).shaped([values.nrows(), values.ncols()], [rows, columns])
}

fn empty_matrix() -> Object {
    Object::reals(Vec::new()).shaped([0, 0], [None, None])
}

// ---- tables ----------------------------------------------------------------------------------------------------------

/// Codes among the classes in the order of the alphabet, as factors of R usually are.
fn factor(level: &Level) -> Object {
    let mut sorted: Vec<usize> = (0..level.classes.len()).collect();
    sorted.sort_by(|&a, &b| level.classes[a].name.cmp(&level.classes[b].name));
    let mut place = vec![0; sorted.len()];
    sorted.iter().enumerate().for_each(|(at, &class)| place[class] = at as u32);
    let names = sorted.iter().map(|&class| level.classes[class].name.as_str());
    Object::factor(level.codes.iter().map(|&code| place[usize::from(code)]), names)
}

fn table_of_cells(reference: &Reference) -> Object {
    let levels = reference.levels.iter().map(|level| (level.name.clone(), factor(level)));
    let index = reference.umap.rows.iter().map(|&row| row as i32 + 1).collect();
    let columns = levels.chain([("ori.index".to_owned(), Object::integers(index))]).collect();
    Object::table(columns, &reference.cells)
}

fn tool(reference: &Reference) -> Object {
    let colors = reference.levels.iter().map(|level| {
        let classes = level.classes.iter().map(|class| class.name.clone());
        let colors = level.classes.iter().map(|class| class.color.clone());
        (level.name.clone(), Object::texts(colors).with("names", Object::texts(classes)))
    });
    let levels = reference.levels.iter().map(|level| (level.name.clone(), factor(level))).collect();
    let plotted = Object::list([("plot.metadata", Object::table(levels, &reference.cells))]);
    let about = &reference.about;
    Object::s4(
        "AzimuthData",
        "Azimuth",
        [
            ("plotref", reduction(&placed(&reference.umap), &reference.cells, None, "UMAP_", plotted)),
            ("colormap", Object::list(colors)),
            ("seurat.version", version(&[4, 3, 0])),
            ("azimuth.version", version(&[0, 5, 0])),
            ("reference.version", Object::text(about.version.as_str())),
        ],
    )
}

// ---- assays ----------------------------------------------------------------------------------------------------------

/// A compressed matrix, features × cells.
fn sparse(offsets: Vec<i32>, indices: Vec<i32>, values: Vec<f64>, names: [&[String]; 2]) -> Object {
    Object::s4(
        "dgCMatrix",
        "Matrix",
        [
            ("i", Object::integers(indices)),
            ("p", Object::integers(offsets)),
            ("Dim", dimensions(names.map(<[String]>::len))),
            ("Dimnames", names_of(names.map(Some))),
            ("x", Object::reals(values)),
            ("factors", Object::items(Vec::new())),
        ],
    )
}

fn assay(reference: &Reference, residuals: &ResidualModel) -> Object {
    let (features, cells) = (features(reference), &reference.cells);
    let zeros = sparse(vec![0; cells.len() + 1], Vec::new(), Vec::new(), [&features, cells]);
    Object::s4(
        "SCTAssay",
        SEURAT,
        [
            ("SCTModel.list", Object::list([("refmodel", model(residuals, &features, cells))])),
            ("counts", empty_matrix()),
            ("data", zeros),
            ("scale.data", empty_matrix()),
            ("key", Object::text("refassay_")),
            ("assay.orig", Object::text("RNA")),
            ("var.features", Object::texts([] as [&str; 0])),
            ("meta.features", Object::table(Vec::<(String, Object)>::new(), &features)),
            ("misc", Object::items(Vec::new())),
        ],
    )
}

/// Seurat wants the cells of the assay among those of the model.
fn model(model: &ResidualModel, features: &[String], cells: &[String]) -> Object {
    let missing = || Object::reals(vec![f64::NAN; features.len()]);
    let attributes = vec![
        ("residual_mean", Object::reals(model.residual_mean.clone())),
        ("residual_variance", missing()),
        ("theta", Object::reals(model.theta.clone())),
        ("(Intercept)", Object::reals(model.intercept.clone())),
        ("log_umi", Object::reals(model.slope.clone())),
    ];
    let clip = || Object::reals(vec![model.clip.0, model.clip.1]);
    let least_variance = match model.variance_floor {
        VarianceFloor::None => Object::reals(vec![f64::NEG_INFINITY]),
        VarianceFloor::Fixed(floor) => Object::reals(vec![floor]),
        VarianceFloor::MedianCount => Object::text("umi_median"),
    };
    let arguments = Object::list([
        ("latent_var", Object::text("log_umi")),
        ("batch_var", Object::null()),
        ("latent_var_nonreg", Object::null()),
        ("residual_type", Object::text("pearson")),
        ("bin_size", Object::reals(vec![500.0])),
        ("gmean_eps", Object::reals(vec![1.0])),
        ("min_variance", least_variance),
        ("verbosity", Object::reals(vec![0.0])),
        ("sct.clip.range", clip()),
        ("sct.method", Object::text("default")),
    ]);
    Object::s4(
        "SCTModel",
        SEURAT,
        [
            ("feature.attributes", Object::table(attributes, features)),
            ("cell.attributes", Object::table(Vec::<(String, Object)>::new(), cells)),
            ("clips", Object::list([("vst", clip()), ("sct", clip())])),
            ("umi.assay", Object::text("RNA")),
            ("model", Object::text("y ~ log_umi")),
            ("arguments", arguments),
            ("median_umi", Object::reals(vec![f64::NAN])),
        ],
    )
}

/// Only normalised values are known, so they stand for the counts too, which nothing is imputed from.
fn proteins(reference: &Reference) -> Option<Object> {
    let proteins = reference.proteins.as_ref()?;
    let (mut offsets, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in proteins.values.rows() {
        for (protein, &value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            indices.push(protein as i32);
            values.push(f64::from(value));
        }
        offsets.push(i32::try_from(indices.len()).unwrap_or(i32::MAX));
    }
    let data = sparse(offsets, indices, values, [&proteins.names, &reference.cells]);
    Some(Object::s4(
        "Assay",
        OBJECT,
        [
            ("counts", data.clone()),
            ("data", data),
            ("scale.data", empty_matrix()),
            ("key", Object::text("adt_")),
            ("assay.orig", Object::null()),
            ("var.features", Object::no_logical()),
            ("meta.features", Object::table(Vec::<(String, Object)>::new(), &proteins.names)),
            ("misc", Object::items(Vec::new())),
        ],
    ))
}

// ---- reductions ------------------------------------------------------------------------------------------------------

fn reduction(
    embedding: &Dense,
    cells: &[String],
    loadings: Option<(&Dense, &[String])>,
    key: &str,
    misc: Object,
) -> Object {
    let columns = numbered(key, embedding.ncols());
    let loadings =
        loadings.map_or_else(empty_matrix, |(values, features)| real_matrix(values, Some(features), Some(&columns)));
    let nothing = ["empirical.p.values", "fake.reduction.scores", "empirical.p.values.full", "overall.p.values"];
    let jackstraw = Object::s4("JackStrawData", OBJECT, nothing.map(|slot| (slot, empty_matrix())));
    Object::s4(
        "DimReduc",
        OBJECT,
        [
            ("cell.embeddings", real_matrix(embedding, Some(cells), Some(&columns))),
            ("feature.loadings", loadings),
            ("feature.loadings.projected", empty_matrix()),
            ("assay.used", Object::text("refAssay")),
            ("global", Object::logical(false)),
            ("stdev", Object::reals(Vec::new())),
            ("key", Object::text(key)),
            ("jackstraw", jackstraw),
            ("misc", misc),
        ],
    )
}

fn components(reference: &Reference) -> Object {
    let features = features(reference);
    let loadings = Some((&reference.loadings, features.as_slice()));
    reduction(&reference.embedding, &reference.cells, loadings, "PC_", Object::items(Vec::new()))
}

/// Where the cells of the reference stand.
fn placed(umap: &UmapModel) -> Dense {
    let rows: Vec<usize> = umap.rows.iter().map(|&row| row as usize).collect();
    umap.layout.select(ndarray::Axis(0), &rows)
}

fn map(reference: &Reference) -> Object {
    let parameters = &reference.umap.parameters;
    let number = |value: f64| Object::reals(vec![value]);
    let dimensions = reference.embedding.ncols() as i32;
    let model = Object::list([
        ("embedding", real_matrix(&reference.umap.layout, None, None)),
        ("scale_info", Object::null()),
        ("search_k", number(f64::from(parameters.neighbors) * 100.0)),
        ("local_connectivity", number(1.0)),
        ("n_epochs", number(f64::from(parameters.epochs))),
        ("alpha", number(parameters.learning_rate)),
        ("negative_sample_rate", number(f64::from(parameters.negative_samples))),
        ("method", Object::text("umap")),
        ("a", number(parameters.a)),
        ("b", number(parameters.b)),
        ("gamma", number(parameters.repulsion)),
        ("approx_pow", Object::logical(false)),
        ("metric", Object::list([("cosine", Object::items(Vec::new()))])),
        ("norig_col", Object::integers(vec![dimensions])),
        ("pcg_rand", Object::logical(true)),
        ("batch", Object::logical(false)),
        (
            "opt_args",
            Object::list([
                ("method", Object::text("adam")),
                ("alpha", number(1.0)),
                ("beta1", number(0.5)),
                ("beta2", number(0.9)),
                ("eps", number(1e-7)),
            ]),
        ),
        ("num_precomputed_nns", number(1.0)),
        ("n_neighbors", Object::integers(vec![parameters.neighbors as i32])),
        ("pca_models", Object::items(Vec::new())),
    ]);
    reduction(&placed(&reference.umap), &reference.cells, None, "UMAP_", Object::list([("model", model)]))
}

fn neighbors(reference: &Reference) -> Object {
    let indices: &Array2<u32> = &reference.neighbors;
    let shape = [indices.nrows(), indices.ncols()];
    let distances = cosine_distances(&reference.embedding, indices);
    let told = Object::list([
        ("metric", Object::text("cosine")),
        ("ndim", Object::integers(vec![reference.embedding.ncols() as i32])),
    ]);
    Object::s4(
        "Neighbor",
        OBJECT,
        [
            (
                "nn.idx",
                Object::integers(indices.t().iter().map(|&cell| cell as i32 + 1).collect()).shaped(shape, [None, None]),
            ),
            ("nn.dist", Object::reals(distances.t().iter().copied().collect()).shaped(shape, [None, None])),
            ("alg.idx", Object::null()),
            ("alg.info", told),
            ("cell.names", Object::texts(reference.cells.iter().cloned())),
        ],
    )
}

/// `1 - cos` of each cell and its neighbours; that of a cell without direction is 1.
fn cosine_distances(embedding: &Dense, neighbors: &Array2<u32>) -> Array2<f64> {
    let product = |one: usize, other: usize| {
        let pairs = embedding.row(one).into_iter().zip(embedding.row(other));
        pairs.fold(0.0, |sum, (&a, &b)| sum + f64::from(a) * f64::from(b))
    };
    let lengths: Vec<f64> = (0..embedding.nrows()).map(|cell| product(cell, cell).sqrt()).collect();
    Array2::from_shape_fn(neighbors.dim(), |(cell, rank)| {
        let other = neighbors[(cell, rank)] as usize;
        let scale = lengths[cell] * lengths[other];
        if other == cell || scale == 0.0 {
            f64::from(u8::from(other != cell))
        } else {
            (1.0 - product(cell, other) / scale).max(0.0)
        }
    })
}
