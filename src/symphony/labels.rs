//! Columns of `meta_data` as levels.

use super::{fault, missing};
use crate::azimuth::column_of;
use crate::build::labels::{UNLABELLED, coded, color};
use crate::error::{Error, Result, Warning};
use crate::formats::{Column, Object, Texts, grouped, some};
use crate::reference::Level;
use std::sync::Arc;

/// Words in the names of columns that label types, as people call them.
const WORDS: [&str; 9] = ["type", "label", "annot", "cluster", "class", "lineage", "subset", "celltype", "compartment"];

/// The levels, from coarse to fine. Without names those whose name says that they label types; where there is none, all factors, or
/// else all columns of text.
///
/// # Errors
/// When no column can be one, or one that was asked for is none.
pub fn read(
    object: Object<'_>,
    cells: &Arc<Texts>,
    wanted: Option<&[String]>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Level>> {
    let table = object.at(&["meta_data"]).ok_or_else(|| missing("meta_data"))?;
    let columns = table.column_names();
    let mut levels: Vec<Level> = match wanted {
        Some(wanted) => of_names(table, &columns, wanted, cells, warnings)?,
        None => found(table, &columns, cells, warnings)?,
    };
    if levels.is_empty() {
        return Err(fault("no column of meta_data labels the cells with at least two classes"));
    }
    levels.sort_by_key(|level| level.classes.len());
    for level in &mut levels {
        level.classes.iter_mut().enumerate().for_each(|(place, class)| class.color = color(place));
    }
    Ok(levels)
}

fn of_names(
    table: Object<'_>,
    columns: &[String],
    wanted: &[String],
    cells: &Arc<Texts>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Level>> {
    let mut levels: Vec<Level> = Vec::new();
    for name in wanted {
        if !columns.contains(name) {
            return Err(Error::usage(format!(
                "meta_data has no column \"{name}\" to take for a level. Its columns are: {}.",
                columns.join(", ")
            )));
        }
        let column = column_of(table, name, cells);
        let column = column.map_err(|error| fault(format!("of meta_data${name}, {error}")))?;
        let Some((categories, codes)) = column.and_then(labels) else {
            return Err(fault(format!("meta_data${name} holds numbers, not labels")));
        };
        let level = level(name, &categories, &codes, warnings)?;
        if level.classes.len() < 2 {
            return Err(fault(format!("meta_data${name} has the same label for all cells")));
        }
        if levels.iter().all(|known| known.name != level.name) {
            levels.push(level);
        }
    }
    Ok(levels)
}

/// Categories and the code of each cell.
fn labels(column: Column) -> Option<(Vec<String>, Vec<u32>)> {
    match column {
        Column::Categorical { categories, codes } => Some((categories, codes)),
        Column::Text(labels) => {
            let codes = (0..labels.len() as u32).collect();
            Some((labels, codes))
        }
        Column::Number(_) => None,
    }
}

/// The columns that become levels where nobody says which.
fn found(table: Object<'_>, columns: &[String], cells: &Arc<Texts>, warnings: &mut Vec<Warning>) -> Result<Vec<Level>> {
    let mut candidates: Vec<(Level, bool, Vec<Warning>)> = Vec::new();
    for name in columns {
        let Ok(Some(column)) = column_of(table, name, cells) else {
            continue;
        };
        let is_factor = matches!(column, Column::Categorical { .. });
        let mut said = Vec::new();
        if let Some((categories, codes)) = labels(column)
            && let Ok(level) = level(name, &categories, &codes, &mut said)
            && (2..=(cells.len() / 2).max(2)).contains(&level.classes.len())
            && candidates.iter().all(|(known, ..)| known.name != level.name)
        {
            candidates.push((level, is_factor, said));
        }
    }
    let is_named = |level: &Level| {
        let name = level.name.to_lowercase();
        WORDS.iter().any(|word| name.contains(word))
    };
    let any_named = candidates.iter().any(|(level, ..)| is_named(level));
    let any_factor = candidates.iter().any(|(_, is_factor, _)| *is_factor);
    let (taken, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|(level, is_factor, _)| match any_named {
        true => is_named(level),
        false => *is_factor || !any_factor,
    });
    if !others.is_empty() {
        let name = |candidate: &(Level, bool, Vec<Warning>)| candidate.0.name.clone();
        warnings.push(Warning::new(
            "levels_chosen",
            format!(
                "Of meta_data, {} became levels. These columns could be, too, if --levels names them: {}.",
                some(&taken.iter().map(name).collect::<Vec<String>>()),
                some(&others.iter().map(name).collect::<Vec<String>>())
            ),
        ));
    }
    Ok(taken
        .into_iter()
        .map(|(level, _, said)| {
            warnings.extend(said);
            level
        })
        .collect())
}

fn level(name: &str, categories: &[String], codes: &[u32], warnings: &mut Vec<Warning>) -> Result<Level> {
    let (level, without) = coded(name, categories, codes).ok_or_else(|| {
        fault(format!(
            "meta_data${name} has more than 65,535 different values, as a column of names has and not one of labels"
        ))
    })?;
    if without > 0 {
        warnings.push(Warning::new(
            "cells_without_label",
            format!(
                "meta_data${name} has no label for {} of the {} cells; they are of the class `{UNLABELLED}`.",
                grouped(without as f64),
                grouped(codes.len() as f64)
            ),
        ));
    }
    Ok(level)
}
