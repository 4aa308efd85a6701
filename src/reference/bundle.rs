//! The bundle: a ZIP of `.npy` arrays and a `manifest.json`, so that `numpy.load` opens it.

use super::columns::CellColumn;
use super::expression::{ClassExpression, Expression};
use super::npy::{self, Element};
use super::proteins::Proteins;
use super::zip::{Archive, Writer};
use super::{
    About, Class, Clusters, ExpressionModel, Level, LogModel, Reference, ResidualModel, UmapModel, UmapParameters,
    VarianceFloor,
};
use crate::error::{Error, Result};
use crate::matrix::Dense;
use half::f16;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};

/// Raised when an older reader could misread a newer bundle. Proteins, expression and columns did not raise it: who knows
/// nothing of them reads the rest as it is. Only bundles whose model is not of residuals are of the second, so older readers
/// read all others.
const SCHEMA: u32 = 1;
const SCHEMA_OF_MODELS: u32 = 2;
/// From so many cells on, coordinates of the embedding take 16 bits.
const HALVES_FROM: usize = 50_000;
const PROTEIN_NAMES: &str = "proteins/names.json";
const PROTEIN_VALUES: &str = "proteins/data.npy";
const GENES: &str = "expression/genes.json";
const CENTROIDS: &str = "model/clusters/centroids.npy";
const SIZES: &str = "model/clusters/sizes.npy";
const SUMS: &str = "model/clusters/sums.npy";

#[derive(Serialize, Deserialize)]
struct Manifest {
    schema: u32,
    about: About,
    #[serde(default, skip_serializing_if = "ModelKind::is_residuals")]
    model: ModelKind,
    clip: (f64, f64),
    variance_floor: VarianceFloor,
    levels: Vec<LevelHead>,
    umap: UmapParameters,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    columns: Vec<ColumnHead>,
    /// SHA-256 of every other entry.
    sha256: BTreeMap<String, String>,
}

/// Which model of the counts it holds; that of residuals where it does not say.
#[derive(Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum ModelKind {
    #[default]
    Residuals,
    LogNormalized {
        scale: f64,
    },
}

impl ModelKind {
    fn is_residuals(&self) -> bool {
        *self == ModelKind::Residuals
    }
}

#[derive(Serialize, Deserialize)]
struct LevelHead {
    name: String,
    classes: Vec<Class>,
}

#[derive(Serialize, Deserialize)]
struct ColumnHead {
    name: String,
    values: Vec<String>,
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a reference; the same reference gives the same bytes.
///
/// # Errors
/// Text that cannot be written as JSON (a clip or a UMAP parameter that is no number).
pub fn write(reference: &Reference) -> Result<Vec<u8>> {
    let (kind, clip, model) = model_entries(&reference.model);
    let mut entries: Vec<(String, Vec<u8>)> =
        vec![("features.json".into(), json(&reference.features)?), ("cells.json".into(), json(&reference.cells)?)];
    entries.extend(model.into_iter().map(|(name, content)| (name.to_owned(), content)));
    entries.extend([
        ("loadings.npy".into(), matrix(&reference.loadings)),
        ("embedding.npy".into(), embedding(&reference.embedding)),
        ("neighbors.npy".into(), neighbors(&reference.neighbors)),
        ("umap/layout.npy".into(), matrix(&reference.umap.layout)),
        ("umap/rows.npy".into(), vector(&reference.umap.rows)),
    ]);
    for (index, level) in reference.levels.iter().enumerate() {
        entries.push((format!("labels/{index}.npy"), vector(&level.codes)));
    }
    if let Some(proteins) = &reference.proteins {
        entries.push((PROTEIN_NAMES.into(), json(&proteins.names)?));
        entries.push((PROTEIN_VALUES.into(), matrix(&proteins.values)));
    }
    for (index, column) in reference.columns.iter().enumerate() {
        entries.push((format!("columns/{index}.npy"), vector(&column.codes)));
    }
    if let Some(expression) = &reference.expression {
        entries.push((GENES.into(), json(&expression.genes)?));
        for (index, level) in expression.levels.iter().enumerate() {
            entries.push((format!("expression/{index}/mean.npy"), matrix(&level.mean)));
            entries.push((format!("expression/{index}/fraction.npy"), matrix(&level.fraction)));
        }
    }
    let manifest = Manifest {
        schema: if kind.is_residuals() { SCHEMA } else { SCHEMA_OF_MODELS },
        about: reference.about.clone(),
        model: kind,
        clip,
        variance_floor: reference.model.variance_floor(),
        levels: reference
            .levels
            .iter()
            .map(|level| LevelHead { name: level.name.clone(), classes: level.classes.clone() })
            .collect(),
        umap: reference.umap.parameters,
        columns: (reference.columns.iter())
            .map(|column| ColumnHead { name: column.name.clone(), values: column.values.clone() })
            .collect(),
        sha256: entries.iter().map(|(name, content)| (name.clone(), sha256(content))).collect(),
    };
    let mut writer = Writer::default();
    writer.add("manifest.json", &json(&manifest)?);
    for (name, content) in &entries {
        writer.add(name, content);
    }
    Ok(writer.finish())
}

/// An entry's name and content.
type Named = (&'static str, Vec<u8>);

/// The kind of the model, what it clips to, and its entries.
fn model_entries(model: &ExpressionModel) -> (ModelKind, (f64, f64), Vec<Named>) {
    match model {
        ExpressionModel::Residuals(model) => {
            let entries = vec![
                ("model/theta.npy", vector(&model.theta)),
                ("model/intercept.npy", vector(&model.intercept)),
                ("model/slope.npy", vector(&model.slope)),
                ("model/residual_mean.npy", vector(&model.residual_mean)),
            ];
            (ModelKind::Residuals, model.clip, entries)
        }
        ExpressionModel::LogNormalized(model) => {
            let mut entries =
                vec![("model/mean.npy", vector(&model.mean)), ("model/stddev.npy", vector(&model.stddev))];
            if let Some(clusters) = &model.clusters {
                entries.push((CENTROIDS, matrix(&clusters.centroids)));
                entries.push((SIZES, vector(&clusters.sizes)));
                entries.push((SUMS, matrix(&clusters.sums)));
            }
            (ModelKind::LogNormalized { scale: model.scale }, (-model.clip, model.clip), entries)
        }
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value)
        .map_err(|error| Error::reference("The reference cannot be written as JSON.").because(error))
}

fn vector<T: Element>(values: &[T]) -> Vec<u8> {
    npy::write(&[values.len()], values)
}

fn matrix<T: Element>(values: &Array2<T>) -> Vec<u8> {
    let rows: Vec<T> = values.iter().copied().collect();
    npy::write(&[values.nrows(), values.ncols()], &rows)
}

/// In 16 bits where the reference has few enough cells.
fn neighbors(indices: &Array2<u32>) -> Vec<u8> {
    if indices.nrows() <= 1 << 16 { matrix(&indices.mapv(|index| index as u16)) } else { matrix(indices) }
}

/// Where there are many cells and no value is beyond what 16 bits hold, in 16 bits.
fn embedding(places: &Dense) -> Vec<u8> {
    let largest = f32::from(f16::MAX);
    if places.nrows() > HALVES_FROM && places.iter().all(|place| place.abs() <= largest) {
        matrix(&places.mapv(f16::from_f32))
    } else {
        matrix(places)
    }
}

/// Reads and checks a bundle that lies in memory.
///
/// # Errors
/// Anything that is missing, changed (by its SHA-256), of a newer schema, or does not fit the rest.
pub fn read(bytes: &[u8]) -> Result<Reference> {
    Bundle::open(Cursor::new(bytes))?.reference()
}

/// A bundle whose entries are read when they are asked for: it may lie in memory or in a file.
pub struct Bundle<S> {
    archive: Archive<S>,
    manifest: Manifest,
}

impl<S: Read + Seek> Bundle<S> {
    /// # Errors
    /// As [`read`], as far as the manifest goes.
    pub fn open(source: S) -> Result<Self> {
        let mut archive = Archive::open(source)?;
        let manifest: Manifest = parse("manifest.json", &archive.read("manifest.json")?)?;
        if ![SCHEMA, SCHEMA_OF_MODELS].contains(&manifest.schema) {
            return Err(Error::reference(format!(
                "The reference bundle is written in version {} of the format; this Sextant reads versions {SCHEMA} and \
                 {SCHEMA_OF_MODELS}. Update Sextant, or build the bundle again.",
                manifest.schema
            )));
        }
        Ok(Bundle { archive, manifest })
    }

    pub fn about(&self) -> &About {
        &self.manifest.about
    }

    /// All of it.
    ///
    /// # Errors
    /// As [`read`].
    pub fn reference(&mut self) -> Result<Reference> {
        // The largest first, while there is most room for what they are read from.
        let embedding = npy::read_matrix_of::<f32, f16>("embedding.npy", &self.entry("embedding.npy")?)?;
        let neighbors = npy::read_matrix_of::<u32, u16>("neighbors.npy", &self.entry("neighbors.npy")?)?;
        let reference = Reference {
            features: self.json("features.json")?,
            model: self.model()?,
            loadings: self.matrix("loadings.npy")?,
            embedding,
            neighbors,
            levels: self.levels()?,
            umap: UmapModel {
                layout: self.matrix("umap/layout.npy")?,
                rows: self.vector("umap/rows.npy")?,
                parameters: self.manifest.umap,
            },
            cells: self.json("cells.json")?,
            columns: self.columns()?,
            proteins: self.proteins()?,
            expression: self.expression()?,
            about: self.manifest.about.clone(),
        };
        reference.check()?;
        Ok(reference)
    }

    fn model(&mut self) -> Result<ExpressionModel> {
        let scale = match self.manifest.model {
            ModelKind::Residuals => {
                return Ok(ExpressionModel::Residuals(ResidualModel {
                    theta: self.vector("model/theta.npy")?,
                    intercept: self.vector("model/intercept.npy")?,
                    slope: self.vector("model/slope.npy")?,
                    residual_mean: self.vector("model/residual_mean.npy")?,
                    clip: self.manifest.clip,
                    variance_floor: self.manifest.variance_floor,
                }));
            }
            ModelKind::LogNormalized { scale } => scale,
        };
        let clusters = match [CENTROIDS, SIZES, SUMS].iter().any(|name| self.has(name)) {
            true => Some(Clusters {
                centroids: self.matrix(CENTROIDS)?,
                sizes: self.vector(SIZES)?,
                sums: self.matrix(SUMS)?,
            }),
            false => None,
        };
        let (mean, stddev) = (self.vector("model/mean.npy")?, self.vector("model/stddev.npy")?);
        Ok(ExpressionModel::LogNormalized(LogModel { mean, stddev, scale, clip: self.manifest.clip.1, clusters }))
    }

    fn levels(&mut self) -> Result<Vec<Level>> {
        let mut levels = Vec::new();
        for index in 0..self.manifest.levels.len() {
            let codes = self.vector(&format!("labels/{index}.npy"))?;
            let LevelHead { name, classes } = &self.manifest.levels[index];
            levels.push(Level { name: name.clone(), classes: classes.clone(), codes });
        }
        Ok(levels)
    }

    fn columns(&mut self) -> Result<Vec<CellColumn>> {
        let mut columns = Vec::new();
        for index in 0..self.manifest.columns.len() {
            let codes = self.vector(&format!("columns/{index}.npy"))?;
            let ColumnHead { name, values } = &self.manifest.columns[index];
            columns.push(CellColumn { name: name.clone(), values: values.clone(), codes });
        }
        Ok(columns)
    }

    fn proteins(&mut self) -> Result<Option<Proteins>> {
        if ![PROTEIN_NAMES, PROTEIN_VALUES].iter().any(|name| self.has(name)) {
            return Ok(None);
        }
        Ok(Some(Proteins { names: self.json(PROTEIN_NAMES)?, values: self.matrix(PROTEIN_VALUES)? }))
    }

    /// What its classes express, where it tells; checked against its levels by [`Bundle::reference`] alone.
    ///
    /// # Errors
    /// As [`read`], of these entries.
    pub fn expression(&mut self) -> Result<Option<Expression>> {
        if !self.has(GENES) {
            return Ok(None);
        }
        let genes = self.json(GENES)?;
        let mut levels = Vec::new();
        for index in 0..self.manifest.levels.len() {
            levels.push(ClassExpression {
                mean: self.matrix(&format!("expression/{index}/mean.npy"))?,
                fraction: self.matrix(&format!("expression/{index}/fraction.npy"))?,
            });
        }
        Ok(Some(Expression { genes, levels }))
    }

    fn has(&self, name: &str) -> bool {
        self.manifest.sha256.contains_key(name)
    }

    /// The content of an entry, if it is what the manifest says.
    fn entry(&mut self, name: &str) -> Result<Vec<u8>> {
        let content = self.archive.read(name)?;
        if self.manifest.sha256.get(name) != Some(&sha256(&content)) {
            return Err(Error::reference(format!(
                "The reference bundle was changed: the SHA-256 of '{name}' is not the one in its manifest. Download it again."
            )));
        }
        Ok(content)
    }

    fn vector<T: Element>(&mut self, name: &str) -> Result<Vec<T>> {
        npy::read_vector(name, &self.entry(name)?)
    }

    fn matrix<T: Element>(&mut self, name: &str) -> Result<Array2<T>> {
        npy::read_matrix(name, &self.entry(name)?)
    }

    fn json<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Result<T> {
        parse(name, &self.entry(name)?)
    }
}

fn parse<T: serde::de::DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        Error::reference(format!("The reference bundle is damaged: '{name}' cannot be read.")).because(error)
    })
}
