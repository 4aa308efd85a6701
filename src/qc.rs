//! Per-cell metrics.
