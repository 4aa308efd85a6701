//! Pearson residuals under the reference model.
