//! Annotation levels of a reference: classes, colours, and what is wrong with them.

use crate::error::{Error, Result, Warning};
use crate::formats::{is_no_name, some};
use crate::reference::hierarchy::classes_of;
use crate::reference::{Class, Level};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Colours of the first classes, from the palettes of Okabe and Ito 2008 and of Tol 2021 (bright, muted, light), which
/// stay apart for most people with impaired colour vision; neighbours in the list differ in lightness too.
const PALETTE: [&str; 24] = [
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#332288", "#ccbb44", "#882255", "#44bb99",
    "#aa4499", "#999933", "#4477aa", "#ee8866", "#117733", "#ffaabb", "#661100", "#77aadd", "#cc6677", "#bbcc33",
    "#aa3377", "#66ccee", "#ee6677", "#eedd88",
];

/// Fewer cells of a class than this are hardly found again in a query.
const SMALL_CLASS: usize = 10;

/// Turns labels into levels, the classes in the order of their first cell.
///
/// # Shapes
/// Each level: its name, and one label a cell.
///
/// # Errors
/// No level; as many labels as there are cells are missing or too many; cells without a label; fewer than 2 or more
/// than 65,535 classes.
pub fn levels(labels: &[(String, Vec<String>)], cells: usize) -> Result<(Vec<Level>, Vec<Warning>)> {
    if labels.is_empty() {
        return Err(Error::usage(
            "a reference needs at least one level of labels: name a column of the table of cells",
        ));
    }
    let mut warnings = Vec::new();
    let mut levels: Vec<Level> = Vec::with_capacity(labels.len());
    for (name, labels) in labels {
        let level = level(name, labels, cells)?;
        if levels.iter().any(|other| other.name == level.name) {
            return Err(Error::usage(format!("the level `{name}` is named twice")));
        }
        warnings.extend(small_classes(&level));
        levels.push(level);
    }
    for pair in levels.windows(2) {
        warnings.extend(crossing(&pair[0], &pair[1]));
    }
    Ok((levels, warnings))
}

fn level(name: &str, labels: &[String], cells: usize) -> Result<Level> {
    if labels.len() != cells {
        return Err(Error::input(format!(
            "level `{name}` has {} labels, but the file has {cells} cells",
            labels.len()
        )));
    }
    let missing = labels.iter().filter(|label| is_no_name(label)).count();
    if missing > 0 {
        return Err(Error::input(format!(
            "{missing} of {cells} cells have no label in level `{name}`: every reference cell needs one; take these cells \
             out of the file, or give them a label such as `unknown`"
        )));
    }
    let mut codes = Vec::with_capacity(cells);
    let mut known: BTreeMap<&str, u16> = BTreeMap::new();
    let mut classes = Vec::new();
    for label in labels {
        let label = label.trim();
        if let Some(&code) = known.get(label) {
            codes.push(code);
            continue;
        }
        let code = u16::try_from(classes.len()).ok().filter(|&code| code < u16::MAX).ok_or_else(|| {
            Error::input(format!(
                "level `{name}` has more than 65,535 classes: it looks like a column of names, not of labels"
            ))
        })?;
        known.insert(label, code);
        classes.push(Class { name: label.to_string(), color: color(classes.len()), ontology: None });
        codes.push(code);
    }
    if classes.len() < 2 {
        return Err(Error::input(format!(
            "level `{name}` has only the class `{}`: at least two are needed to tell cells apart",
            classes.first().map_or("", |class| class.name.as_str())
        )));
    }
    Ok(Level { name: name.to_string(), classes, codes })
}

fn small_classes(level: &Level) -> Option<Warning> {
    let mut sizes = vec![0usize; level.classes.len()];
    level.codes.iter().for_each(|&code| sizes[usize::from(code)] += 1);
    let small: Vec<String> = (level.classes.iter().zip(&sizes))
        .filter(|(_, size)| **size < SMALL_CLASS)
        .map(|(class, size)| format!("{} ({size})", class.name))
        .collect();
    if small.is_empty() {
        return None;
    }
    Some(Warning::new(
        "small_classes",
        format!(
            "Level `{}` has classes of fewer than {SMALL_CLASS} cells, which a query will hardly be assigned to: {}.",
            level.name,
            some(&small)
        ),
    ))
}

/// Whether some class of the finer level lies in several classes of the coarser one.
fn crossing(one: &Level, other: &Level) -> Option<Warning> {
    let (coarse, fine) = if one.classes.len() <= other.classes.len() { (one, other) } else { (other, one) };
    let crossing = classes_of(fine, coarse).err()?;
    let names: Vec<String> = crossing.into_iter().map(|class| fine.classes[usize::from(class)].name.clone()).collect();
    Some(Warning::new(
        "levels_do_not_nest",
        format!(
            "Level `{}` is no refinement of `{}`: cells of {} lie in several classes of it, so each of the two is labelled by itself, and they can contradict each other.",
            fine.name,
            coarse.name,
            some(&names)
        ),
    ))
}

/// What a cell without a label is called, in references that others made.
pub const UNLABELLED: &str = "unlabelled";

/// A level of the labels that `codes` name, any other code being a missing one, and how many cells have none; nothing where there
/// are more than 65,535 classes. The classes are in the order of their first cell, and have no colours yet.
pub fn coded(name: &str, categories: &[String], codes: &[u32]) -> Option<(Level, usize)> {
    let mut code_of: FxHashMap<&str, u16> = FxHashMap::default();
    let mut classes: Vec<Class> = Vec::new();
    let mut without = 0;
    let mut found = Vec::with_capacity(codes.len());
    for &code in codes {
        let label = categories.get(code as usize).map_or("", String::as_str);
        let label = if label.is_empty() { UNLABELLED } else { label };
        without += usize::from(label == UNLABELLED);
        let new = classes.len();
        let code = *code_of.entry(label).or_insert_with(|| {
            classes.push(Class { name: label.to_owned(), color: String::new(), ontology: None });
            new.min(usize::from(u16::MAX)) as u16
        });
        if code == u16::MAX {
            return None;
        }
        found.push(code);
    }
    Some((Level { name: name.to_owned(), classes, codes: found }, without))
}

/// `#rrggbb` of the class at that place: from the palette, then around the colour circle by the golden angle.
pub fn color(index: usize) -> String {
    if let Some(color) = PALETTE.get(index) {
        return (*color).to_string();
    }
    let turn = index - PALETTE.len();
    let hue = turn as f64 * 0.381_966_011_250_105 % 1.0;
    let lightness = [0.45, 0.65, 0.33][turn % 3];
    let chroma = (1.0 - (2.0 * lightness - 1.0f64).abs()) * 0.6;
    let channel = |offset: f64| {
        // Trapezoid of the hue circle: 1 over a third of it, 0 over another, linear between.
        let distance = ((hue - offset).abs()).min(1.0 - (hue - offset).abs()) * 6.0;
        let level = (2.0 - distance).clamp(0.0, 1.0);
        ((lightness + chroma * (level - 0.5)) * 255.0 + 0.5) as u8
    };
    format!("#{:02x}{:02x}{:02x}", channel(0.0), channel(1.0 / 3.0), channel(2.0 / 3.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, labels: &[&str]) -> (String, Vec<String>) {
        (name.into(), labels.iter().map(|label| (*label).to_string()).collect())
    }

    #[test]
    fn classes_come_in_the_order_of_their_first_cell() {
        let (levels, warnings) = levels(&[named("l1", &["T", "B", "T", "NK"])], 4).unwrap();
        assert_eq!(levels[0].codes, [0, 1, 0, 2]);
        assert_eq!(levels[0].classes[1].name, "B");
        assert_eq!(warnings[0].code, "small_classes");
        assert!(warnings[0].message.contains("T (2), B (1), NK (1)"));
    }

    #[test]
    fn levels_that_cross_are_noticed() {
        let coarse = named("l1", &["T", "B", "T", "B"]);
        let nested = named("l2", &["T.1", "B", "T.2", "B"]);
        let crossed = named("l2", &["T.1", "x", "x", "B"]);
        let codes = |pair: &[(String, Vec<String>)]| -> Vec<&str> {
            levels(pair, 4).unwrap().1.iter().map(|warning| warning.code).collect()
        };
        assert!(!codes(&[coarse.clone(), nested]).contains(&"levels_do_not_nest"));
        assert!(codes(&[coarse, crossed]).contains(&"levels_do_not_nest"));
    }

    #[test]
    fn bad_labels_get_a_sentence() {
        let message = |labels: &[(String, Vec<String>)], cells| levels(labels, cells).unwrap_err().message;
        assert!(message(&[named("l1", &["T", "nan", "B"])], 3).contains("1 of 3 cells have no label"));
        assert!(message(&[named("l1", &["T", "T"])], 2).contains("only the class `T`"));
        assert!(message(&[named("l1", &["T", "B"])], 3).contains("2 labels, but the file has 3 cells"));
        assert!(message(&[named("a", &["T", "B"]), named("a", &["T", "B"])], 2).contains("twice"));
        assert!(message(&[], 3).contains("at least one level"));
        let many: Vec<String> = (0..65_536).map(|class| format!("c{class}")).collect();
        assert!(message(&[("l1".into(), many)], 65_536).contains("more than 65,535"));
    }

    #[test]
    fn colors_differ() {
        let mut colors: Vec<String> = (0..200).map(color).collect();
        assert!(colors.iter().all(|color| color.len() == 7 && color.starts_with('#')));
        colors.sort();
        colors.dedup();
        assert!(colors.len() >= 198, "{}", colors.len());
    }
}
