//! The query by itself: `--clusters` of `sextant map`, and the cluster preservation score.

use crate::Failure;
use crate::arguments::Arguments;
use crate::map::write_or_remove;
use serde::Serialize;
use sextant::Warning;
use sextant::cluster::preservation::{self, Preservation, preservation};
use sextant::cluster::{Clustering, Method, Options, find_clusters, own_map};
use sextant::export;
use sextant::map::grade::Grade;
use sextant::map::{self, Mapping};
use sextant::matrix::Dense;
use sextant::progress::Progress;
use sextant::query::Query;
use sextant::reference::Reference;
use std::path::Path;

/// What `sextant map` was asked for.
pub struct OfQuery {
    preservation: bool,
    clusters: Option<Options>,
    own_map: bool,
}

/// What was found of it.
pub struct Found {
    preservation: Option<Preservation>,
    clustering: Option<(Clustering, Options)>,
    own_map: Option<Dense>,
}

/// What stands in `summary.json`.
#[derive(Serialize)]
pub struct PreservationSummary {
    /// 0 to 5.
    pub score: f64,
    pub grade: Grade,
    entropy_gained: f64,
    clusters: usize,
    cells: usize,
}

#[derive(Serialize)]
pub struct Summary {
    resolution: f64,
    method: &'static str,
    modularity: f64,
    pub sizes: Vec<usize>,
}

impl OfQuery {
    pub const OPTIONS: [&str; 1] = ["clusters-method"];
    pub const FLAGS: [&str; 3] = ["clusters", "no-own-umap", "no-preservation"];

    pub fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let method = match arguments.value("clusters-method") {
            None | Some("louvain") => Method::Louvain,
            Some("leiden") => Method::Leiden,
            Some(other) => {
                return Err(Failure::usage(format!("--clusters-method takes 'louvain' or 'leiden', not '{other}'.")));
            }
        };
        let options = Options { method, ..Options::default() };
        let clusters = match arguments.value("clusters") {
            None => None,
            Some("") => Some(options),
            Some(text) => match text.parse::<f64>() {
                Ok(resolution) if resolution > 0.0 && resolution.is_finite() => Some(Options { resolution, ..options }),
                _ => {
                    return Err(Failure::usage(format!(
                        "--clusters takes a resolution above 0, such as --clusters=0.8, not '{text}'."
                    )));
                }
            },
        };
        for option in ["clusters-method", "no-own-umap"] {
            if clusters.is_none() && arguments.flag(option) {
                return Err(Failure::usage(format!("--{option} means nothing without --clusters.")));
            }
        }
        if clusters.is_some() && arguments.value("batch").is_some() {
            return Err(Failure::usage("--clusters needs what --batch drops: leave one of them out."));
        }
        Ok(OfQuery {
            preservation: !arguments.flag("no-preservation"),
            clusters,
            own_map: !arguments.flag("no-own-umap"),
        })
    }

    /// Of a query whose counts were dropped nothing is found.
    pub fn find(
        &self,
        read: &Query,
        query: &map::Query<'_>,
        reference: &Reference,
        mapping: &Mapping,
        progress: &Progress<'_>,
    ) -> Found {
        let preservation = (self.preservation && !read.consumed)
            .then(|| preservation(query, reference, mapping, &preservation::Options::default(), progress));
        let clustering = self.clusters.map(|options| (find_clusters(query, reference, &options, progress), options));
        let own_map = clustering
            .as_ref()
            .filter(|_| self.own_map)
            .map(|(clustering, options)| own_map(clustering, query.names, options.seed, progress));
        Found { preservation, clustering, own_map }
    }
}

impl Found {
    pub fn warnings(&self) -> Vec<Warning> {
        self.preservation.as_ref().map(Preservation::warnings).unwrap_or_default()
    }

    pub fn preservation(&self) -> Option<PreservationSummary> {
        self.preservation.as_ref().map(|found| PreservationSummary {
            score: found.rounded(),
            grade: found.grade(),
            entropy_gained: found.loss,
            clusters: found.clusters,
            cells: found.cells,
        })
    }

    pub fn clusters(&self) -> Option<Summary> {
        self.clustering.as_ref().map(|(clustering, options)| Summary {
            resolution: options.resolution,
            method: match options.method {
                Method::Louvain => "louvain",
                Method::Leiden => "leiden",
            },
            modularity: clustering.clusters.modularity,
            sizes: clustering.clusters.sizes.clone(),
        })
    }

    /// Writes the tables, or takes away those of another mapping.
    pub fn write(&self, out: &Path, query: &Query) -> Result<(), Failure> {
        let clusters = self.clustering.as_ref().map(|(clustering, _)| export::clusters(query, &clustering.clusters));
        let own_map = self.own_map.as_ref().map(|places| export::own_umap(query, places));
        write_or_remove(out, "clusters.tsv", clusters)?;
        write_or_remove(out, "umap_own.tsv", own_map)
    }
}
