//! The reference by itself, for the page: what its classes express, and where its cells come from.

use super::{Engine, thrown, to_object};
use crate::error::{Error, Result};
use crate::reference::expression::{ClassExpression, Expression, Marker};
use js_sys::{Float32Array, Uint16Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

#[derive(Serialize)]
struct MarkerOfClass<'a> {
    gene: usize,
    symbol: &'a str,
    difference: f32,
    fraction: f32,
    fraction_of_others: f32,
}

/// A gene in the classes of a level.
#[derive(Serialize)]
struct InClasses {
    means: Vec<f32>,
    fractions: Vec<f32>,
}

#[wasm_bindgen]
impl Engine {
    /// The symbols of the genes whose expression the reference tells, a line each; nothing where it tells none.
    pub fn reference_genes(&self) -> std::result::Result<Option<String>, JsValue> {
        let expression = self.reference()?.expression.as_ref();
        let symbols = |expression: &Expression| {
            expression.genes.iter().map(|gene| gene.symbol.as_str()).collect::<Vec<_>>().join("\n")
        };
        Ok(expression.map(symbols))
    }

    /// For each of these genes, `{ means, fractions }` of the classes of a level.
    pub fn reference_expression(&self, level: usize, genes: Vec<usize>) -> std::result::Result<JsValue, JsValue> {
        let (expression, of_level) = self.expression(level).map_err(thrown)?;
        let in_classes = |gene: usize| {
            let classes = 0..of_level.mean.nrows();
            (gene < expression.genes.len()).then(|| InClasses {
                means: classes.clone().map(|class| of_level.mean(class, gene)).collect(),
                fractions: classes.map(|class| of_level.fraction(class, gene)).collect(),
            })
        };
        to_object(&genes.into_iter().filter_map(in_classes).collect::<Vec<_>>())
    }

    /// The `most` genes that tell each class of a level from the others: for each class `[{ gene, symbol, difference, fraction,
    /// fraction_of_others }]`.
    pub fn reference_markers(&self, level: usize, most: usize) -> std::result::Result<JsValue, JsValue> {
        let (expression, of_level) = self.expression(level).map_err(thrown)?;
        let told = |marker: &Marker| MarkerOfClass {
            gene: marker.gene,
            symbol: &expression.genes[marker.gene].symbol,
            difference: marker.difference,
            fraction: marker.fraction,
            fraction_of_others: marker.fraction_of_others,
        };
        let of_class = |class| expression.markers(level, class, most).iter().map(told).collect::<Vec<_>>();
        to_object(&(0..of_level.mean.nrows()).map(of_class).collect::<Vec<_>>())
    }

    /// A gene in every reference cell, as far as the reference tells: of a feature what the components keep of its residuals, else
    /// nothing.
    pub fn reference_feature(&self, symbol: &str) -> std::result::Result<Option<Float32Array>, JsValue> {
        let values = self.reference()?.reconstructed(symbol);
        Ok(values.map(|values| Float32Array::from(values.as_slice())))
    }

    /// The symbols of the genes of the query, a line each; nothing where its counts were not kept.
    pub fn query_genes(&self) -> Option<String> {
        let query = self.query.as_ref().filter(|query| !query.consumed)?;
        Some(query.features.iter().map(|gene| gene.symbol.as_str()).collect::<Vec<_>>().join("\n"))
    }

    /// log1p(10,000 × count / total) of a gene in every mapped cell, of the first gene of that symbol.
    pub fn query_gene(&self, symbol: &str) -> Option<Float32Array> {
        let query = self.query.as_ref().filter(|query| !query.consumed)?;
        let gene = query.features.iter().position(|gene| gene.symbol == symbol)?;
        Some(Float32Array::from(query.log_normalised(gene).as_slice()))
    }

    /// Of each reference cell the value of a column, by the column's number.
    pub fn reference_column(&self, column: usize) -> std::result::Result<Uint16Array, JsValue> {
        let column =
            self.reference()?.columns.get(column).ok_or_else(|| thrown(Error::usage("There is no such column.")))?;
        Ok(Uint16Array::from(column.codes.as_slice()))
    }
}

impl Engine {
    fn expression(&self, level: usize) -> Result<(&Expression, &ClassExpression)> {
        let reference = self.reference.as_ref().ok_or_else(|| Error::usage("Choose a reference first."))?;
        let expression = reference.expression.as_ref();
        let expression =
            expression.ok_or_else(|| Error::usage("This reference does not tell what its classes express."))?;
        let of_level = expression.levels.get(level).ok_or_else(|| Error::usage("There is no such level."))?;
        Ok((expression, of_level))
    }
}
