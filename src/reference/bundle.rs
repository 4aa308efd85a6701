//! The bundle: a ZIP of `.npy` arrays and a `manifest.json`, so that `numpy.load` opens it.

use super::npy::{self, Element};
use super::proteins::Proteins;
use super::zip::{Archive, Writer};
use super::{
    About, Class, Clusters, ExpressionModel, Level, LogModel, Reference, ResidualModel, UmapModel, UmapParameters,
    VarianceFloor,
};
use crate::error::{Error, Result};
use crate::formats::Feature;
use crate::matrix::Dense;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Raised when an older reader could misread a newer bundle. Proteins did not raise it: who knows nothing of them reads the
/// rest as it is. Only bundles whose model is not of residuals are of the second, so older readers read all others.
const SCHEMA: u32 = 1;
const SCHEMA_OF_MODELS: u32 = 2;
const PROTEIN_NAMES: &str = "proteins/names.json";
const PROTEIN_VALUES: &str = "proteins/data.npy";
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
        ("embedding.npy".into(), matrix(&reference.embedding)),
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
        sha256: entries.iter().map(|(name, content)| (name.clone(), sha256(content))).collect(),
    };
    let mut writer = Writer::default();
    writer.add("manifest.json", &json(&manifest)?);
    for (name, content) in &entries {
        writer.add(name, content);
    }
    Ok(writer.finish())
}

/// The kind of the model, what it clips to, and its entries.
fn model_entries(model: &ExpressionModel) -> (ModelKind, (f64, f64), Vec<(&'static str, Vec<u8>)>) {
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

/// Reads and checks a bundle.
///
/// # Errors
/// Anything that is missing, changed (by its SHA-256), of a newer schema, or does not fit the rest.
pub fn read(bytes: &[u8]) -> Result<Reference> {
    let archive = Archive::open(bytes)?;
    let manifest: Manifest = parse("manifest.json", &archive.read("manifest.json")?)?;
    if ![SCHEMA, SCHEMA_OF_MODELS].contains(&manifest.schema) {
        return Err(Error::reference(format!(
            "The reference bundle is written in version {} of the format; this Sextant reads versions {SCHEMA} and \
             {SCHEMA_OF_MODELS}. Update Sextant, or build the bundle again.",
            manifest.schema
        )));
    }
    let entry = |name: &str| -> Result<Vec<u8>> {
        let content = archive.read(name)?;
        if manifest.sha256.get(name) != Some(&sha256(&content)) {
            return Err(Error::reference(format!(
                "The reference bundle was changed: the SHA-256 of '{name}' is not the one in its manifest. Download it again."
            )));
        }
        Ok(content)
    };
    let numbers = |name: &str| npy::read_vector::<f64>(name, &entry(name)?);
    let dense = |name: &str| -> Result<Dense> { npy::read_matrix(name, &entry(name)?) };
    let mut levels = Vec::new();
    for (index, head) in manifest.levels.into_iter().enumerate() {
        let name = format!("labels/{index}.npy");
        levels.push(Level { name: head.name, classes: head.classes, codes: npy::read_vector(&name, &entry(&name)?)? });
    }
    let has_proteins = [PROTEIN_NAMES, PROTEIN_VALUES].iter().any(|name| manifest.sha256.contains_key(*name));
    let proteins = match has_proteins {
        true => {
            let names = parse(PROTEIN_NAMES, &entry(PROTEIN_NAMES)?)?;
            Some(Proteins { names, values: dense(PROTEIN_VALUES)? })
        }
        false => None,
    };
    let model = match manifest.model {
        ModelKind::Residuals => ExpressionModel::Residuals(ResidualModel {
            theta: numbers("model/theta.npy")?,
            intercept: numbers("model/intercept.npy")?,
            slope: numbers("model/slope.npy")?,
            residual_mean: numbers("model/residual_mean.npy")?,
            clip: manifest.clip,
            variance_floor: manifest.variance_floor,
        }),
        ModelKind::LogNormalized { scale } => {
            let has_clusters = [CENTROIDS, SIZES, SUMS].iter().any(|name| manifest.sha256.contains_key(*name));
            let clusters = match has_clusters {
                true => Some(Clusters { centroids: dense(CENTROIDS)?, sizes: numbers(SIZES)?, sums: dense(SUMS)? }),
                false => None,
            };
            let (mean, stddev) = (numbers("model/mean.npy")?, numbers("model/stddev.npy")?);
            ExpressionModel::LogNormalized(LogModel { mean, stddev, scale, clip: manifest.clip.1, clusters })
        }
    };
    let features: Vec<Feature> = parse("features.json", &entry("features.json")?)?;
    let neighbors = entry("neighbors.npy")?;
    let reference = Reference {
        features,
        model,
        loadings: dense("loadings.npy")?,
        embedding: dense("embedding.npy")?,
        neighbors: npy::read_matrix::<u16>("neighbors.npy", &neighbors)
            .map(|indices| indices.mapv(u32::from))
            .or_else(|_| npy::read_matrix("neighbors.npy", &neighbors))?,
        levels,
        umap: UmapModel {
            layout: dense("umap/layout.npy")?,
            rows: npy::read_vector("umap/rows.npy", &entry("umap/rows.npy")?)?,
            parameters: manifest.umap,
        },
        cells: parse("cells.json", &entry("cells.json")?)?,
        proteins,
        about: manifest.about,
    };
    reference.check()?;
    Ok(reference)
}

fn parse<T: serde::de::DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        Error::reference(format!("The reference bundle is damaged: '{name}' cannot be read.")).because(error)
    })
}
