//! Columns of `meta.data` as levels, and `tools$AzimuthReference@colormap` as their colours.

use super::{column, fault, missing};
use crate::build::labels::{UNLABELLED, coded, color};
use crate::error::{Error, Result, Warning};
use crate::formats::{Column, Object, Texts, grouped, some};
use crate::reference::Level;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Columns that Seurat makes; Azimuth transfers all others that are factors.
const NO_LEVELS: [&str; 2] = ["orig.ident", "ori.index"];

/// The levels, from coarse to fine, the classes of each in the order of their first cell.
///
/// # Errors
/// When no column can be one, or one that was asked for is none.
pub fn read(
    seurat: Object<'_>,
    cells: &Arc<Texts>,
    wanted: Option<&[String]>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Level>> {
    let table = seurat.at(&["meta.data"]).ok_or_else(|| missing("meta.data"))?;
    let colors = Colors::read(seurat);
    let columns = table.column_names();
    let told = || colors.levels.iter().map(|(name, _)| name).filter(|name| columns.contains(name));
    let names: Vec<&String> = match wanted {
        Some(wanted) => {
            if let Some(name) = wanted.iter().find(|name| !columns.contains(name)) {
                return Err(Error::usage(format!(
                    "meta.data has no column \"{name}\" to take for a level. Its columns are: {}.",
                    columns.join(", ")
                )));
            }
            wanted.iter().collect()
        }
        None if told().next().is_some() => told().collect(),
        None => Vec::new(),
    };
    let mut levels: Vec<Level> = Vec::new();
    let mut add = |level: Level, warnings: &mut Vec<Warning>| match level.classes.len() {
        0 | 1 => warnings.push(Warning::new(
            "level_of_one_class",
            format!("meta.data${} has the same label for all cells and becomes no level.", level.name),
        )),
        _ if levels.iter().any(|known| known.name == level.name) => {}
        _ => levels.push(level),
    };
    for name in &names {
        match column(table, "meta.data", name, cells)? {
            Some(Column::Categorical { categories, codes }) => {
                add(level(name, &categories, &codes, warnings)?, warnings)
            }
            Some(Column::Text(labels)) => {
                let codes: Vec<u32> = (0..labels.len() as u32).collect();
                add(level(name, &labels, &codes, warnings)?, warnings);
            }
            _ if wanted.is_some() => return Err(fault(format!("meta.data${name} holds numbers, not labels"))),
            _ => warnings.push(Warning::new(
                "level_of_numbers",
                format!("meta.data${name} has colours, but holds numbers; it becomes no level."),
            )),
        }
    }
    // Where none is named, all factors of several classes, whatever else stands in the table.
    let others = columns.iter().filter(|name| names.is_empty() && !NO_LEVELS.contains(&name.as_str()));
    for name in others {
        if let Ok(Some(Column::Categorical { categories, codes })) = table.column(name, cells)
            && codes.iter().any(|code| *code != codes[0])
        {
            add(level(name, &categories, &codes, warnings)?, warnings);
        }
    }
    if levels.is_empty() {
        return Err(fault("no column of meta.data labels the cells with at least two classes"));
    }
    levels.sort_by_key(|level| level.classes.len());
    levels.iter_mut().for_each(|level| colors.give(level, warnings));
    Ok(levels)
}

/// `codes` name `categories`, any other a missing label.
fn level(name: &str, categories: &[String], codes: &[u32], warnings: &mut Vec<Warning>) -> Result<Level> {
    let (level, without) = coded(name, categories, codes).ok_or_else(|| {
        fault(format!(
            "meta.data${name} has more than 65,535 different values, as a column of names has and not one of labels"
        ))
    })?;
    if without > 0 {
        warnings.push(Warning::new(
            "cells_without_label",
            format!(
                "meta.data${name} has no label for {} of the {} cells; they are of the class `{UNLABELLED}`.",
                grouped(without as f64),
                grouped(codes.len() as f64)
            ),
        ));
    }
    Ok(level)
}

/// For each level the names of its classes and their colours.
struct Colors {
    levels: Vec<(String, FxHashMap<String, String>)>,
}

impl Colors {
    fn read(seurat: Object<'_>) -> Colors {
        let map = seurat.at(&["tools", "AzimuthReference", "colormap"]);
        let levels = map.map(|map| map.elements()).unwrap_or_default().into_iter();
        let read = |(name, colors): (String, Object<'_>)| {
            let classes = colors.names().unwrap_or_default();
            (name, classes.into_iter().zip(colors.texts().unwrap_or_default()).collect())
        };
        Colors { levels: levels.map(read).collect() }
    }

    /// Colours a level; classes without a colour that is written as `#rrggbb` get one of ours.
    fn give(&self, level: &mut Level, warnings: &mut Vec<Warning>) {
        let known = self.levels.iter().find(|(name, _)| *name == level.name).map(|(_, colors)| colors);
        let mut without = Vec::new();
        for (place, class) in level.classes.iter_mut().enumerate() {
            let told = known.and_then(|colors| colors.get(&class.name)).and_then(|color| hexadecimal(color));
            class.color = told.unwrap_or_else(|| {
                without.push(class.name.clone());
                color(place)
            });
        }
        if !without.is_empty() {
            warnings.push(Warning::new(
                "classes_without_color",
                format!(
                    "tools$AzimuthReference@colormap has no colour for {} of {}: Sextant's own are taken.",
                    some(&without),
                    level.name
                ),
            ));
        }
    }
}

/// `#rrggbb` of what R writes as `#RRGGBB` or `#RRGGBBAA`.
fn hexadecimal(color: &str) -> Option<String> {
    let digits = color.strip_prefix('#')?;
    let right = matches!(digits.len(), 6 | 8) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    right.then(|| format!("#{}", digits[..6].to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cells_are_no_labels() {
        let names: Vec<String> = (0..65_536).map(|name| format!("c{name}")).collect();
        let codes: Vec<u32> = (0..65_536).collect();
        let refused = level("barcode", &names, &codes, &mut Vec::new()).expect_err("a sentence").message;
        assert!(refused.starts_with(
            "This cannot be imported as an Azimuth reference: meta.data$barcode has more than 65,535 different values, as a \
             column of names has and not one of labels. Give the file"
        ));
        assert_eq!(level("barcode", &names, &codes[1..], &mut Vec::new()).expect("a level").classes.len(), 65_535);
    }

    #[test]
    fn colors_of_r() {
        assert_eq!(hexadecimal("#A0b1C2").as_deref(), Some("#a0b1c2"));
        assert_eq!(hexadecimal("#A0B1C2FF").as_deref(), Some("#a0b1c2"));
        for odd in ["red", "#fff", "#A0B1C", "#A0B1CG", "#äää", ""] {
            assert_eq!(hexadecimal(odd), None);
        }
    }
}
