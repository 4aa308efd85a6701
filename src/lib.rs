//! Sextant maps single cells onto an annotated reference, in the browser and on the command line.
//!
//! The modules stand in the order of the analysis; each imports only from those above it.
//!
//! | step | module | in → out |
//! |---|---|---|
//! | read a file | [`formats`] | `Read + Seek` → [`formats::Dataset`]: counts, cells × genes |
//! | match genes | [`genes`] | gene names of the file → features of the reference |
//! | table of cells | [`metadata`] | columns of the file → figures, and what cells are coloured by |
//! | quality | [`qc`] | counts → counts, features, percent_mt per cell |
//! | query | [`query`] | cells with counts, metrics, matched genes |
//! | right reference | [`likeness`] | mean of the query, what references express → which of them are of its tissue |
//! | residuals | [`normalize`] | counts → Pearson residuals under the reference's model, or scaled logarithms |
//! | mapping | [`map`] | residuals → projection, anchors, weights, labels, UMAP, mapping score |
//! | components | [`pca`] | residuals → leading principal components |
//! | map of its own | [`layout`] | nearest neighbours → UMAP fitted on them |
//! | clusters | [`cluster`] | the query's own components → graph of shared neighbours, clusters, cluster preservation |
//! | doublets | [`doublets`] | simulated doublets among a cell's neighbours → doublet score |
//! | marker genes | [`markers`] | counts, groups of cells → AUC, p, fold change of each gene in each group |
//! | batches | [`batches`] | a file of more cells than fit → the same, some cells at a time |
//! | references | [`build`] | labelled counts → [`reference::Reference`] |
//! | published references | [`azimuth`] | the object of R that Azimuth publishes → [`reference::Reference`] |
//! | | [`symphony`] | the list of R that Symphony builds → [`reference::Reference`] |
//! | | [`published`] | either, told apart by content |
//! | results | [`export`] | mapping → tables |
//!
//! Below `wasm` and the command there is no I/O but `Read + Seek`, no clock, no thread count and no
//! JavaScript: the same input gives the same bytes on every machine, with any number of threads.

pub mod error;
pub mod progress;
pub mod random;
pub mod kernel;
pub mod matrix;
pub mod formats;
pub mod genes;
pub mod metadata;
pub mod qc;
pub mod reference;
pub mod query;
pub mod likeness;
pub mod normalize;
pub mod map;
pub mod pca;
pub mod layout;
pub mod cluster;
pub mod doublets;
pub mod markers;
pub mod batches;
pub mod build;
pub mod azimuth;
pub mod symphony;
pub mod published;
pub mod export;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
pub mod wasm;

pub use error::{Error, Result, Warning};
