//! `vargenes` and `loadings`: the features, how they are scaled, and how they are projected.

use super::{fault, matrix, missing};
use crate::error::{Result, Warning};
use crate::formats::{Object, some};
use crate::matrix::Dense;
use ndarray::Axis;

/// The features that can be used.
pub struct Genes {
    pub symbols: Vec<String>,
    pub mean: Vec<f64>,
    pub stddev: Vec<f64>,
    /// Features × dimensions.
    pub loadings: Dense,
}

impl Genes {
    /// Reads them, in the order of `vargenes`.
    ///
    /// # Errors
    /// When a part is missing, or they differ in length.
    pub fn read(object: Object<'_>, warnings: &mut Vec<Warning>) -> Result<Self> {
        let table = object.at(&["vargenes"]).ok_or_else(|| missing("vargenes"))?;
        let symbols = symbols(table)?;
        let [mean, stddev] = ["mean", "stddev"].map(|name| numbers(table, name, symbols.len()));
        let (mean, stddev) = (mean?, stddev?);
        let stored = object.at(&["loadings"]).ok_or_else(|| missing("loadings"))?;
        let loadings = matrix(stored, "loadings")?;
        if loadings.nrows() != symbols.len() {
            return Err(fault(format!(
                "loadings have {} rows, where vargenes has {} genes",
                loadings.nrows(),
                symbols.len()
            )));
        }
        // Those of another order would project every gene by the loadings of another one.
        if let [Some(names), _] = stored.dimnames()
            && names.iter().zip(&symbols).any(|(name, symbol)| name != Some(symbol))
        {
            return Err(fault("the rows of loadings have other names than vargenes$symbol, or another order"));
        }
        Genes { symbols, mean, stddev, loadings }.usable(warnings)
    }

    /// Those that vary: nothing can be divided by a deviation of zero.
    fn usable(self, warnings: &mut Vec<Warning>) -> Result<Self> {
        let varies =
            |&row: &usize| self.mean[row].is_finite() && self.stddev[row].is_finite() && self.stddev[row] > 0.0;
        let (rows, others): (Vec<usize>, Vec<usize>) = (0..self.symbols.len()).partition(varies);
        if rows.is_empty() {
            return Err(fault("vargenes has no gene with a mean and a stddev above 0"));
        }
        if others.is_empty() {
            return Ok(self);
        }
        let names: Vec<String> = others.iter().map(|&row| self.symbols[row].clone()).collect();
        warnings.push(Warning::new(
            "features_without_deviation",
            format!(
                "{} of the {} genes of vargenes have no mean, or no stddev above 0, and are left out: {}.",
                others.len(),
                self.symbols.len(),
                some(&names)
            ),
        ));
        let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        Ok(Genes {
            symbols: rows.iter().map(|&row| self.symbols[row].clone()).collect(),
            mean: of(&self.mean),
            stddev: of(&self.stddev),
            loadings: self.loadings.select(Axis(0), &rows),
        })
    }
}

/// `vargenes$symbol`, text or a factor.
fn symbols(table: Object<'_>) -> Result<Vec<String>> {
    let column = table.at(&["symbol"]).ok_or_else(|| missing("vargenes$symbol"))?;
    let levels = column.at(&["levels"]).and_then(|levels| levels.texts());
    let found = match (column.texts(), levels, column.numbers()?) {
        (Some(texts), _, _) => Some(texts),
        (None, Some(levels), Some(codes)) => {
            let level = |&code: &f64| if code >= 1.0 { levels.get(code as usize - 1).cloned() } else { None };
            codes.iter().map(level).collect()
        }
        _ => None,
    };
    found.filter(|found| !found.is_empty()).ok_or_else(|| fault("vargenes$symbol holds no names of genes"))
}

fn numbers(table: Object<'_>, name: &str, count: usize) -> Result<Vec<f64>> {
    let path = format!("vargenes${name}");
    let column = table.at(&[name]).ok_or_else(|| missing(&path))?;
    let numbers = column.numbers()?.ok_or_else(|| fault(format!("{path} holds no numbers")))?;
    if numbers.len() != count {
        return Err(fault(format!("{path} has {} values, where vargenes has {count} genes", numbers.len())));
    }
    Ok(numbers.to_vec())
}
