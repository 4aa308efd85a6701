//! Right and wrong labels of cells that were held out, counted by class and by stated confidence.

use crate::reference::Level;
use crate::reference::held_out::{BINS, HeldOutClass, HeldOutLevel, HeldOutPart, ReliabilityBin};

/// Classes with fewer judged cells do not count in the macro-F1.
const FEW_OF_CLASS: usize = 10;

/// Counts of one level.
#[derive(Debug, Clone)]
pub struct Tally {
    missing: usize,
    /// For each class its judged cells, those called it, and those of both.
    classes: Vec<[usize; 3]>,
    /// For each bin its cells, the sum of their confidence, and those that are right.
    bins: Vec<(usize, f64, usize)>,
    parts: Vec<HeldOutPart>,
}

impl Tally {
    /// Of a level of so many classes.
    pub fn new(classes: usize) -> Self {
        Tally { missing: 0, classes: vec![[0; 3]; classes], bins: vec![(0, 0.0, 0); BINS], parts: Vec::new() }
    }

    /// Counts a cell; one whose class cannot be found is not judged.
    pub fn add(&mut self, truth: usize, can_be_right: bool, called: usize, confidence: f32) {
        if !can_be_right {
            self.missing += 1;
            return;
        }
        self.classes[truth][0] += 1;
        self.classes[called][1] += 1;
        self.classes[truth][2] += usize::from(truth == called);
        let bin = &mut self.bins[((f64::from(confidence) * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += f64::from(confidence);
        bin.2 += usize::from(truth == called);
    }

    /// Judged cells, and those of them that are right.
    pub fn judged_and_right(&self) -> (usize, usize) {
        self.bins.iter().fold((0, 0), |(cells, right), bin| (cells + bin.0, right + bin.2))
    }

    /// Notes what was added since it had judged so many cells, so many of them right.
    pub fn end_part(&mut self, name: &str, before: (usize, usize)) {
        let (cells, right) = self.judged_and_right();
        let (cells, right) = (cells - before.0, right - before.1);
        self.parts.push(HeldOutPart { name: name.to_owned(), cells, accuracy: share(right as f64, cells as f64) });
    }

    /// What it comes to.
    pub fn figures(self, level: &Level) -> HeldOutLevel {
        let (cells, right) = self.judged_and_right();
        let apart = self.bins.iter().fold(0.0, |sum, bin| sum + (bin.1 - bin.2 as f64).abs());
        let classes: Vec<HeldOutClass> = (level.classes.iter().zip(&self.classes))
            .map(|(class, &[cells, called, both])| HeldOutClass {
                name: class.name.clone(),
                cells,
                called,
                accuracy: share(both as f64, cells as f64),
                f1: share(2.0 * both as f64, (cells + called) as f64),
            })
            .collect();
        let counted = || classes.iter().filter(|class| class.cells >= FEW_OF_CLASS);
        let sum = counted().fold(0.0, |sum, class| sum + class.f1);
        HeldOutLevel {
            name: level.name.clone(),
            cells,
            cells_of_missing_classes: self.missing,
            accuracy: share(right as f64, cells as f64),
            macro_f1: (counted().count() > 0).then(|| share(sum, counted().count() as f64)),
            calibration_error: share(apart, cells as f64),
            reliability: (self.bins.iter())
                .map(|&(cells, confidence, right)| ReliabilityBin {
                    cells,
                    confidence: share(confidence, cells as f64),
                    right: share(right as f64, cells as f64),
                })
                .collect(),
            classes,
            parts: self.parts,
        }
    }
}

/// To six digits; zero of nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { libm::round(1e6 * part / whole) / 1e6 } else { 0.0 }
}
