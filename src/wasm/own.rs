//! The query by itself, for the page: its clusters, a map fitted on it, and what of it the mapping preserves.

use super::{Engine, reporter, thrown, to_object};
use crate::build::labels::color;
use crate::cluster::preservation::{self, preservation};
use crate::cluster::{self, Clustering, find_clusters, own_map};
use crate::doublets::{self, doublet_scores};
use crate::error::{Error, Warning};
use crate::export;
use crate::map::grade::Grade;
use crate::markers::Grouping;
use crate::matrix::Dense;
use crate::progress::Progress;
use crate::{genes::GeneMatch, map};
use js_sys::{Float32Array, Function, Uint16Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// What was found of the query by itself.
#[derive(Default)]
pub struct Own {
    clustering: Option<Clustering>,
    map: Option<Dense>,
    doublets: Option<Vec<f32>>,
}

#[derive(Serialize)]
struct PreservationSummary {
    score: f64,
    grade: Grade,
    clusters: usize,
    cells: usize,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct ClusterSummary {
    name: String,
    cells: usize,
    color: String,
}

#[derive(Serialize)]
struct ClusteringSummary {
    resolution: f64,
    modularity: f64,
    clusters: Vec<ClusterSummary>,
}

#[wasm_bindgen]
impl Engine {
    /// The cluster preservation score of the mapping: `{ score, grade, clusters, cells, warnings }`.
    pub fn preservation(&self, report: &Function) -> Result<JsValue, JsValue> {
        let report = reporter(report);
        let genes = self.genes_of_query()?;
        let options = preservation::Options::default();
        let found =
            preservation(&self.cells(&genes)?, self.reference()?, self.mapping()?, &options, &Progress::new(&report));
        to_object(&PreservationSummary {
            score: found.rounded(),
            grade: found.grade(),
            clusters: found.clusters,
            cells: found.cells,
            warnings: found.warnings(),
        })
    }

    /// Clusters the query by itself. `options` is `{ resolution, method: "louvain" | "leiden" }`, each of which may be missing.
    pub fn cluster(&mut self, options: JsValue, report: &Function) -> Result<JsValue, JsValue> {
        #[derive(serde::Deserialize)]
        struct Wishes {
            resolution: Option<f64>,
            method: Option<String>,
        }
        (self.own.clustering, self.own.map) = (None, None);
        let Wishes { resolution, method } = serde_wasm_bindgen::from_value(options)
            .map_err(|error| thrown(Error::usage(format!("The options of the clustering cannot be read: {error}."))))?;
        let default = cluster::Options::default();
        let resolution = resolution.filter(|wish| wish.is_finite() && *wish > 0.0).unwrap_or(default.resolution);
        let method = match method.as_deref() {
            None | Some("louvain") => cluster::Method::Louvain,
            Some("leiden") => cluster::Method::Leiden,
            Some(other) => return Err(thrown(Error::usage(format!("There is no way '{other}' to cluster cells.")))),
        };
        let report = reporter(report);
        let genes = self.genes_of_query()?;
        let options = cluster::Options { resolution, method, ..default };
        let found = find_clusters(&self.cells(&genes)?, self.reference()?, &options, &Progress::new(&report));
        let sizes = found.clusters.sizes.iter().enumerate();
        let summary = to_object(&ClusteringSummary {
            resolution,
            modularity: found.clusters.modularity,
            clusters: sizes
                .map(|(number, &cells)| ClusterSummary { name: number.to_string(), cells, color: color(number) })
                .collect(),
        })?;
        self.own.clustering = Some(found);
        Ok(summary)
    }

    /// Scores how much each cell looks like two cells in one droplet: 0 to 1, one for each.
    pub fn score_doublets(&mut self, report: &Function) -> Result<Float32Array, JsValue> {
        let report = reporter(report);
        let genes = self.genes_of_query()?;
        let samples = self.query()?.samples();
        let options = doublets::Options::default();
        let scores =
            doublet_scores(&self.cells(&genes)?, self.reference()?, &samples, &options, &Progress::new(&report));
        let values = Float32Array::from(scores.as_slice());
        self.own.doublets = Some(scores);
        Ok(values)
    }

    /// The cluster of every query cell.
    pub fn cluster_codes(&self) -> Result<Uint16Array, JsValue> {
        let codes = self.clustering()?.clusters.codes.iter();
        let codes: Vec<u16> = codes.map(|&code| u16::try_from(code).unwrap_or(u16::MAX)).collect();
        Ok(Uint16Array::from(codes.as_slice()))
    }

    /// Fits a map on the query itself; the place of every cell on it: x, y, x, y, …
    pub fn own_layout(&mut self, report: &Function) -> Result<Float32Array, JsValue> {
        let report = reporter(report);
        let seed = cluster::Options::default().seed;
        let places = own_map(self.clustering()?, &self.query()?.cells, seed, &Progress::new(&report));
        let values: Vec<f32> = places.iter().copied().collect();
        self.own.map = Some(places);
        Ok(Float32Array::from(values.as_slice()))
    }
}

impl Engine {
    /// `clusters.tsv`, `umap_own.tsv` or `doublets.tsv`.
    pub(super) fn own_table(&self, name: &str) -> Result<String, JsValue> {
        let query = self.query()?;
        let missing = |message: &str| thrown(Error::usage(message));
        match name {
            "clusters.tsv" => Ok(export::clusters(query, &self.clustering()?.clusters)),
            "doublets.tsv" => {
                let scores = self.own.doublets.as_ref().ok_or_else(|| missing("Score the doublets first."))?;
                Ok(export::doublets(query, scores))
            }
            _ => {
                let places = self.own.map.as_ref().ok_or_else(|| missing("Fit the query's own map first."))?;
                Ok(export::own_umap(query, places))
            }
        }
    }

    /// The clusters as groups to compare, as `clusters.tsv` names them.
    pub(super) fn clusters_as_groups(&self) -> Result<Grouping, JsValue> {
        let names: Vec<String> = self.clustering()?.clusters.codes.iter().map(u32::to_string).collect();
        Grouping::of_names("cluster", names.iter().map(|name| Some(name.as_str()))).map_err(thrown)
    }

    fn clustering(&self) -> Result<&Clustering, JsValue> {
        self.own.clustering.as_ref().ok_or_else(|| thrown(Error::usage("Cluster the cells first.")))
    }

    pub(super) fn genes_of_query(&self) -> Result<GeneMatch, JsValue> {
        let (genes, _) = self.query()?.match_to(self.reference()?, self.genes.as_ref()).map_err(thrown)?;
        Ok(genes)
    }

    pub(super) fn cells<'a>(&'a self, genes: &'a GeneMatch) -> Result<map::Query<'a>, JsValue> {
        let query = self.query()?;
        if query.consumed {
            let message = "Of a file that is mapped in batches no counts are kept, which this needs.";
            return Err(thrown(Error::usage(message)));
        }
        Ok(map::Query { counts: &query.counts, totals: &query.metrics.counts, names: &query.cells, genes })
    }
}
