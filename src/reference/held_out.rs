//! How right the labels of held-out cells are: what a reference says of itself.

use serde::{Deserialize, Serialize};

/// Bins of the stated confidence, of equal width.
pub const BINS: usize = 10;

/// Cells of the reference, labelled by the rest of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldOut {
    /// The column of cells whose values were held out one by one; nothing where random cells were.
    pub column: Option<String>,
    /// Parts that were held out in turn.
    pub folds: usize,
    /// In the order of the reference's levels.
    pub levels: Vec<HeldOutLevel>,
}

/// Figures of one level.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldOutLevel {
    pub name: String,
    /// Cells whose class the rest of the reference held: those that are judged.
    pub cells: usize,
    /// The others.
    pub cells_of_missing_classes: usize,
    /// Share of the judged cells whose label is right.
    pub accuracy: f64,
    /// Mean F1 of the classes with at least ten cells that are judged.
    pub macro_f1: Option<f64>,
    /// Mean distance between stated confidence and share of right labels, over ten bins weighted by their cells.
    pub calibration_error: f64,
    /// Ten bins of equal width.
    pub reliability: Vec<ReliabilityBin>,
    /// In the order of the level's classes.
    pub classes: Vec<HeldOutClass>,
    /// The values of the column that were held out; none where random cells were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<HeldOutPart>,
}

/// Figures of the cells that were held out together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldOutPart {
    /// Their value of the column; of small values together, "others".
    pub name: String,
    /// Judged cells, and the share of them whose label is right.
    pub cells: usize,
    pub accuracy: f64,
}

/// Cells that were labelled with about the same confidence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReliabilityBin {
    pub cells: usize,
    /// Mean confidence, and share of right labels; zero without cells.
    pub confidence: f64,
    pub right: f64,
}

/// Figures of one class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldOutClass {
    pub name: String,
    /// Judged cells of the class, and those called it.
    pub cells: usize,
    pub called: usize,
    /// Share of the class's cells that are called it, and F1; zero without cells.
    pub accuracy: f64,
    pub f1: f64,
}

impl HeldOut {
    /// The short of it, for people.
    pub fn sentence(&self) -> String {
        let how = match &self.column {
            Some(column) => format!("Held out by '{column}' ({} parts)", self.folds),
            None => format!("Held out within the sample ({} random parts), optimistic", self.folds),
        };
        let level = |level: &HeldOutLevel| format!("{:.1} % at {}", 100.0 * level.accuracy, level.name);
        let levels: Vec<String> = self.levels.iter().filter(|level| level.cells > 0).map(level).collect();
        match levels.is_empty() {
            true => format!("{how}: no class has cells in two parts."),
            false => format!("{how}: the rest of the reference labels {} of the cells right.", levels.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_of_it() {
        let level =
            |name: &str, cells, accuracy| HeldOutLevel { name: name.into(), cells, accuracy, ..Default::default() };
        let mut held_out =
            HeldOut { folds: 5, levels: vec![level("l1", 900, 0.9871), level("l2", 900, 0.93)], column: None };
        assert_eq!(
            held_out.sentence(),
            "Held out within the sample (5 random parts), optimistic: the rest of the reference labels 98.7 % at l1, \
             93.0 % at l2 of the cells right."
        );
        held_out.column = Some("donor".into());
        held_out.folds = 8;
        assert_eq!(
            held_out.sentence(),
            "Held out by 'donor' (8 parts): the rest of the reference labels 98.7 % at l1, 93.0 % at l2 of the cells right."
        );
        held_out.levels.iter_mut().for_each(|level| level.cells = 0);
        assert_eq!(held_out.sentence(), "Held out by 'donor' (8 parts): no class has cells in two parts.");
    }
}
