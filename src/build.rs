//! Labelled counts to a reference.
