//! What a reference's card says: how far it can be trusted, in words.

use super::hierarchy::families;
use super::{MissingType, Reference};
use crate::formats::grouped;
use serde::Serialize;

/// Figures of held-out cells say little of a class with fewer cells.
pub const FEWEST_VALIDATED: usize = 20;

/// More parts are not told one by one.
const MOST_PARTS: usize = 8;

/// A sentence each, where there is something to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Card {
    /// What it is good for: its size, how right its labels are, and which types it lacks.
    pub summary: Option<String>,
    /// How right its labels are of each study, donor or condition that was held out.
    pub parts: Option<String>,
    /// Types that are in it but in a broader class.
    pub undivided: Option<String>,
    /// Classes with so few cells that nothing is known of how well they are found.
    pub not_validated: Option<String>,
    /// What becomes of diseased cells.
    pub healthy: Option<String>,
}

impl Reference {
    /// The sentences of its card.
    pub fn card(&self) -> Card {
        let about = &self.about;
        let (undivided, missing): (Vec<&MissingType>, Vec<&MissingType>) =
            about.does_not_contain.iter().partition(|kind| kind.within.is_some());
        let missing = (!missing.is_empty()).then(|| {
            let names: Vec<&str> = missing.iter().map(|kind| kind.name.as_str()).collect();
            format!("Does not contain: {}.", names.join(", "))
        });
        let undivided =
            undivided.iter().map(|kind| format!("{} (in {})", kind.name, kind.within.as_deref().unwrap_or_default()));
        let not_validated = self.not_validated().into_iter().map(|(class, cells)| format!("{class} ({cells})"));
        let said = [self.size(), self.accuracy().filter(|_| about.starter), missing, self.advice()];
        Card {
            summary: sentence("", &said.into_iter().flatten().collect::<Vec<_>>(), " ", ""),
            parts: self.accuracy_of_parts(),
            undivided: sentence("Has no class of its own for: ", &undivided.collect::<Vec<_>>(), ", ", "."),
            not_validated: sentence(
                &format!("Not validated, as they have fewer than {FEWEST_VALIDATED} cells: "),
                &not_validated.collect::<Vec<_>>(),
                ", ",
                ".",
            ),
            healthy: about.healthy.filter(|&healthy| healthy).map(|_| {
                "Healthy tissue: malignant, inflamed or activated cells are given the name of the healthy type that they are \
                 most like."
                    .to_owned()
            }),
        }
    }

    /// The classes of the finest levels with few cells, and how many those are.
    pub fn not_validated(&self) -> Vec<(&str, usize)> {
        let mut found = Vec::new();
        for family in families(&self.levels) {
            let level = &self.levels[family.finest];
            let mut cells = vec![0; level.classes.len()];
            level.codes.iter().for_each(|&code| cells[usize::from(code)] += 1);
            let few = level.classes.iter().zip(cells).filter(|(_, cells)| *cells < FEWEST_VALIDATED);
            found.extend(few.map(|(class, cells)| (class.name.as_str(), cells)));
        }
        found
    }

    fn size(&self) -> Option<String> {
        let cells = grouped(self.embedding.nrows() as f64);
        let donors = match self.about.donors.as_str() {
            "" => "donors not recorded".to_owned(),
            "1" => "1 donor".to_owned(),
            // A number may have more behind it, as in "8 (pooled)".
            donors if donors.starts_with(|first: char| first.is_ascii_digit()) => match donors.split_once(' ') {
                Some((number, rest)) => format!("{number} donors {rest}"),
                None => format!("{donors} donors"),
            },
            donors => format!("donors {donors}"),
        };
        self.about.starter.then(|| format!("Starter reference: {cells} cells, {donors}."))
    }

    /// At the finest level.
    fn accuracy(&self) -> Option<String> {
        let held_out = self.about.held_out.as_ref()?;
        let finest = families(&self.levels).first()?.finest;
        let level = held_out.levels.get(finest).filter(|level| level.cells > 0)?;
        let how = match &held_out.column {
            Some(column) => format!("Held out by '{column}'"),
            None => "Held out within the sample, optimistic".to_owned(),
        };
        let macro_f1 = level.macro_f1.map(|f1| format!(", macro-F1 {f1:.2}")).unwrap_or_default();
        Some(format!("{how}: accuracy {:.2}{macro_f1} at {}.", level.accuracy, level.name))
    }

    /// At the finest level, where there are few parts.
    fn accuracy_of_parts(&self) -> Option<String> {
        let held_out = self.about.held_out.as_ref()?;
        let finest = families(&self.levels).first()?.finest;
        let level = held_out.levels.get(finest).filter(|level| (1..=MOST_PARTS).contains(&level.parts.len()))?;
        let parts = level.parts.iter().filter(|part| part.cells > 0);
        let parts: Vec<String> = parts
            .map(|part| format!("{} {:.2} ({} cells)", part.name, part.accuracy, grouped(part.cells as f64)))
            .collect();
        let before = format!("Accuracy at {} of what was held out: ", level.name);
        sentence(&before, &parts, ", ", ".")
    }

    fn advice(&self) -> Option<String> {
        self.about.starter.then(|| "For publication, import the Azimuth reference or build your own.".to_owned())
    }
}

/// The parts as one sentence; none of no parts.
fn sentence(before: &str, parts: &[String], between: &str, after: &str) -> Option<String> {
    (!parts.is_empty()).then(|| format!("{before}{}{after}", parts.join(between)))
}
