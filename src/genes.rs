//! Query gene names to features of the reference.
