//! What the classes of a reference express, of all genes that its study measured: enough to show markers and dot plots, and to
//! tell whether a query is of the same tissue, without the counts of a single cell.

use crate::formats::Feature;
use half::f16;
use ndarray::Array2;

/// Counts of a cell that values are scaled to, as everywhere in the field.
pub const SCALE: f64 = 10_000.0;
/// No study measures more; a table of them is refused before it is looked at.
const MOST_GENES: usize = 1_000_000;
/// log1p(10,000) is what a cell of a single gene would have.
const LARGEST_MEAN: f32 = 9.3;
/// A fraction of 1 as it is kept.
const WHOLE: f32 = 255.0;

/// Means and fractions of `g` genes in the classes of each level.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// `g` genes that at least one cell has a count of, in the order of the study's table.
    pub genes: Vec<Feature>,
    /// One for each level of the reference.
    pub levels: Vec<ClassExpression>,
}

/// What each class of a level expresses.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassExpression {
    /// Classes × genes: mean over the cells of log1p(10,000 × count / total of the cell), to three digits.
    pub mean: Array2<f16>,
    /// Classes × genes: share of the cells with a count, of 255.
    pub fraction: Array2<u8>,
}

impl ClassExpression {
    pub fn mean(&self, class: usize, gene: usize) -> f32 {
        self.mean[(class, gene)].to_f32()
    }

    /// Share of the cells with a count, 0 to 1.
    pub fn fraction(&self, class: usize, gene: usize) -> f32 {
        f32::from(self.fraction[(class, gene)]) / WHOLE
    }

    /// A share, 0 to 1, as it is kept: rounded, but never to 0 where there is some, nor to 1 where it is not all.
    pub fn kept_fraction(cells: u32, of: u32) -> u8 {
        let rounded = (cells as f32 / of.max(1) as f32 * WHOLE + 0.5) as u8;
        match cells {
            0 => 0,
            cells if cells >= of => u8::MAX,
            _ => rounded.clamp(1, u8::MAX - 1),
        }
    }
}

/// A gene that a class has more of than the others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Marker {
    /// Among the genes of [`Expression`].
    pub gene: usize,
    /// Mean of the class above the mean of the others' means, in log1p of counts per 10,000.
    pub difference: f32,
    /// Share of the class's cells with a count, and the mean of the others' shares.
    pub fraction: f32,
    pub fraction_of_others: f32,
}

/// A gene that fewer of its cells show is no marker of a class.
const FEWEST_OF_CLASS: f32 = 0.1;

impl Expression {
    /// The genes that best tell a class of a level from the others: those with the largest product of the difference in mean and
    /// the difference in the share of cells, which is what stands out in a dot plot. Each other class counts alike, whatever its size.
    pub fn markers(&self, level: usize, class: usize, most: usize) -> Vec<Marker> {
        let Some(level) = self.levels.get(level).filter(|level| class < level.mean.nrows() && level.mean.nrows() > 1)
        else {
            return Vec::new();
        };
        let others = (level.mean.nrows() - 1) as f32;
        let marker = |gene: usize| {
            let of_others = |value: &dyn Fn(usize) -> f32| {
                (0..level.mean.nrows()).filter(|&other| other != class).map(value).sum::<f32>() / others
            };
            let fraction = level.fraction(class, gene);
            let difference = level.mean(class, gene) - of_others(&|other| level.mean(other, gene));
            Marker { gene, difference, fraction, fraction_of_others: of_others(&|other| level.fraction(other, gene)) }
        };
        let tells = |marker: &Marker| {
            marker.fraction >= FEWEST_OF_CLASS && marker.difference > 0.0 && marker.fraction > marker.fraction_of_others
        };
        let weight = |marker: &Marker| marker.difference * (marker.fraction - marker.fraction_of_others);
        let mut markers: Vec<Marker> = (0..self.genes.len()).map(marker).filter(tells).collect();
        markers.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a.gene.cmp(&b.gene)));
        markers.truncate(most);
        markers
    }

    /// Whether it fits levels of so many classes each; what does not, if anything.
    pub(crate) fn fault(&self, classes: &[usize]) -> Option<&'static str> {
        let shapes = |level: &ClassExpression, classes: usize| {
            level.mean.dim() == (classes, self.genes.len()) && level.fraction.dim() == level.mean.dim()
        };
        let sensible = |value: &f16| (0.0..=LARGEST_MEAN).contains(&value.to_f32());
        let checks = [
            (
                !self.genes.is_empty() && self.genes.len() <= MOST_GENES,
                "it tells the expression of no genes, or of more than a million",
            ),
            (
                self.levels.len() == classes.len()
                    && self.levels.iter().zip(classes).all(|(level, &classes)| shapes(level, classes)),
                "the expression of its classes is not that of its levels and genes",
            ),
            (
                self.levels.iter().all(|level| level.mean.iter().all(sensible)),
                "the expression of its classes is negative, no number, or larger than any that is normalised",
            ),
        ];
        checks.into_iter().find(|check| !check.0).map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_is_never_none_and_not_all_never_all() {
        let kept = ClassExpression::kept_fraction;
        assert_eq!([kept(0, 9), kept(9, 9), kept(0, 0)], [0, 255, 0]);
        assert_eq!([kept(1, 100_000), kept(99_999, 100_000)], [1, 254]);
        assert_eq!(kept(1, 2), 128);
    }

    #[test]
    fn markers_are_the_genes_that_a_class_has_more_of() {
        let genes =
            ["CD3E", "MS4A1", "ACTB", "rare"].map(|symbol| Feature { id: None, symbol: symbol.into() }).to_vec();
        let mean = [[2.0, 0.1, 3.0, 0.2], [0.1, 2.5, 3.1, 0.0], [0.0, 0.0, 2.9, 0.0]];
        let fraction = [[200, 20, 255, 10], [20, 220, 255, 0], [0, 0, 255, 0]];
        let level = ClassExpression {
            mean: Array2::from_shape_fn((3, 4), |at| f16::from_f32(mean[at.0][at.1])),
            fraction: Array2::from_shape_fn((3, 4), |at| fraction[at.0][at.1]),
        };
        let expression = Expression { genes, levels: vec![level] };
        let found = |class| expression.markers(0, class, 10).iter().map(|marker| marker.gene).collect::<Vec<_>>();
        // ACTB is everywhere, and 4 % of the cells are too few.
        assert_eq!([found(0), found(1), found(2), found(3)], [vec![0], vec![1], vec![], vec![]]);
        let marker = expression.markers(0, 1, 1)[0];
        assert!((marker.difference - (2.5 - 0.05)).abs() < 2e-3 && (marker.fraction - 220.0 / 255.0).abs() < 1e-6);
        assert_eq!(expression.fault(&[3]), None);
        assert!(expression.fault(&[4]).is_some() && expression.fault(&[3, 3]).is_some());
    }
}
