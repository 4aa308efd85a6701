//! Labelled counts to a reference.
pub mod by_gene;
pub mod random;
pub mod sctransform;
