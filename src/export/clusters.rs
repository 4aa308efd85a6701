//! The tables of the query by itself.

use super::{clean, put};
use crate::cluster::Clusters;
use crate::matrix::Dense;
use crate::query::Query;

/// The cluster of each cell: 0 is the largest.
pub fn clusters(query: &Query, clusters: &Clusters) -> String {
    let mut table = String::from("cell\tcluster\n");
    for (name, code) in query.cells.iter().zip(&clusters.codes) {
        put(&mut table, format_args!("{}\t{code}\n", clean(name)));
    }
    table
}

/// Place of each cell on the map that was fitted on the query itself, which is not that of the reference.
pub fn own_umap(query: &Query, places: &Dense) -> String {
    let mut table = String::from("cell\tumap_own_1\tumap_own_2\n");
    for (name, place) in query.cells.iter().zip(places.rows()) {
        put(&mut table, format_args!("{}\t{}\t{}\n", clean(name), place[0], place[1]));
    }
    table
}
