//! `assays$refAssay@SCTModel.list$refmodel`: the regularised negative binomial model that Azimuth normalises a query with.

use super::{column, fault, missing};
use crate::error::{Result, Warning};
use crate::formats::{Column, Object, Texts, some};
use crate::reference::{ResidualModel, VarianceFloor};
use std::sync::Arc;

const MODEL: &str = "assays$refAssay@SCTModel.list$refmodel";
const FORMULA: &str = "y ~ log_umi";

/// The model of the features that can be used.
pub struct Model {
    /// Rows of the loadings, ascending.
    pub rows: Vec<u32>,
    /// Of these rows.
    pub parameters: ResidualModel,
}

/// Reads the model of the features of the loadings.
///
/// # Errors
/// When it is missing, of another formula, or lacks a column.
pub fn read(seurat: Object<'_>, genes: &Arc<Texts>, warnings: &mut Vec<Warning>) -> Result<Model> {
    let assay = seurat.at(&["assays", "refAssay"]).ok_or_else(|| missing("assays$refAssay"))?;
    let list = assay.at(&["SCTModel.list"]).ok_or_else(|| missing("assays$refAssay@SCTModel.list"))?;
    let model = match (list.at(&["refmodel"]), list.elements().as_slice()) {
        (Some(model), _) => model,
        (None, [(_, model)]) => *model,
        (None, []) => return Err(missing(MODEL)),
        (None, several) => {
            return Err(fault(format!(
                "assays$refAssay@SCTModel.list holds {} models and none is called refmodel",
                several.len()
            )));
        }
    };
    let formula = model.at(&["model"]).and_then(|formula| formula.text()).unwrap_or("nothing");
    if formula != FORMULA {
        return Err(fault(format!("{MODEL}@model is \"{formula}\", where \"{FORMULA}\" is expected")));
    }
    let table = model.at(&["feature.attributes"]).ok_or_else(|| missing(&format!("{MODEL}@feature.attributes")))?;
    let column = |name: &str| -> Result<Vec<f64>> {
        match column(table, &format!("{MODEL}@feature.attributes"), name, genes)? {
            Some(Column::Number(values)) => Ok(values),
            Some(_) => Err(fault(format!("{MODEL}@feature.attributes${name} holds no numbers"))),
            None => Err(missing(&format!("{MODEL}@feature.attributes${name}"))),
        }
    };
    let [theta, intercept, slope, residual_mean] =
        [column("theta")?, column("(Intercept)")?, column("log_umi")?, column("residual_mean")?];
    let usable = |&row: &usize| {
        theta[row] > 0.0 && [&intercept, &slope, &residual_mean].iter().all(|values| values[row].is_finite())
    };
    let (rows, others): (Vec<usize>, Vec<usize>) = (0..genes.len()).partition(usable);
    if rows.is_empty() {
        return Err(fault(format!("{MODEL}@feature.attributes has parameters for none of the features of refDR")));
    }
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|&row| genes.get(row).unwrap_or("NA").to_owned()).collect();
        warnings.push(Warning::new(
            "features_without_model",
            format!(
                "{} of the {} features of refDR have no parameters in {MODEL}@feature.attributes and are left out: {}.",
                others.len(),
                genes.len(),
                some(&names)
            ),
        ));
    }
    let of = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
    let parameters = ResidualModel {
        theta: of(&theta),
        intercept: of(&intercept),
        slope: of(&slope),
        residual_mean: of(&residual_mean),
        clip: clip(model, warnings)?,
        variance_floor: variance_floor(model)?,
    };
    Ok(Model { rows: rows.into_iter().map(|row| row as u32).collect(), parameters })
}

/// What residuals are clipped to once they are centred.
fn clip(model: Object<'_>, warnings: &mut Vec<Warning>) -> Result<(f64, f64)> {
    for path in [["arguments", "sct.clip.range"], ["clips", "sct"]] {
        if let Some(range) = model.at(&path) {
            return match range.numbers()?.as_deref() {
                Some(&[low, high]) if low < high => Ok((low, high)),
                _ => Err(fault(format!("{MODEL}@{} is no range of two numbers", path.join("$")))),
            };
        }
    }
    let cells = model.at(&["cell.attributes"]).and_then(|table| table.row_names()).map_or(0, |names| names.len());
    if cells == 0 {
        return Err(missing(&format!("{MODEL}@arguments$sct.clip.range")));
    }
    warnings.push(Warning::new(
        "clip_range_missing",
        format!(
            "{MODEL}@arguments$sct.clip.range is missing; residuals are clipped at ±√({cells} / 30), as SCTransform does it for the cells \
             of the model."
        ),
    ));
    let high = (cells as f64 / 30.0).sqrt();
    Ok((-high, high))
}

fn variance_floor(model: Object<'_>) -> Result<VarianceFloor> {
    let Some(told) = model.at(&["arguments", "min_variance"]) else {
        return Ok(VarianceFloor::None);
    };
    match (told.number(), told.text()) {
        (Some(floor), _) if floor > 0.0 && floor.is_finite() => Ok(VarianceFloor::Fixed(floor)),
        (Some(floor), _) if floor <= 0.0 => Ok(VarianceFloor::None),
        (None, Some("umi_median")) => Ok(VarianceFloor::MedianCount),
        (None, Some(text)) => {
            Err(fault(format!("{MODEL}@arguments$min_variance is \"{text}\", which is not known here")))
        }
        _ => Err(fault(format!("{MODEL}@arguments$min_variance is no number"))),
    }
}
