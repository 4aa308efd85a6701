//! Good, medium or poor: the bounds that Azimuth colours its figures by.

use serde::Serialize;

/// What a figure of a mapping as a whole says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Good,
    Medium,
    Poor,
}

/// Bounds between poor, medium and good, in per cent of cells with anchors (`Azimuth.map.panchorscolors`).
pub const PERCENT_WITH_ANCHORS: (f64, f64) = (5.0, 15.0);
/// The same of the cluster preservation score, of 5 (`Azimuth.map.postmapqccolors`).
pub const PRESERVATION: (f64, f64) = (2.0, 3.75);

impl Grade {
    pub fn of_percent_with_anchors(percent: f64) -> Self {
        Grade::between(percent, PERCENT_WITH_ANCHORS)
    }

    pub fn of_preservation(score: f64) -> Self {
        Grade::between(score, PRESERVATION)
    }

    fn between(value: f64, (medium, good): (f64, f64)) -> Self {
        if value >= good {
            Grade::Good
        } else if value >= medium {
            Grade::Medium
        } else {
            Grade::Poor
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_azimuths() {
        let anchors = [4.99, 5.0, 14.99, 15.0].map(Grade::of_percent_with_anchors);
        assert_eq!(anchors, [Grade::Poor, Grade::Medium, Grade::Medium, Grade::Good]);
        let preserved = [1.99, 2.0, 3.74, 3.75].map(Grade::of_preservation);
        assert_eq!(preserved, [Grade::Poor, Grade::Medium, Grade::Medium, Grade::Good]);
    }
}
