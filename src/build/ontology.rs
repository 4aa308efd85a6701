//! Ids of the Cell Ontology for the classes of a reference.

use crate::error::{Error, Result};
use crate::reference::Level;
use std::collections::BTreeMap;

/// For each level the id of each class, by name.
pub type Ids = BTreeMap<String, BTreeMap<String, String>>;

/// Gives the classes their ids. A class that is not named has none.
///
/// # Errors
/// A level or a class that the reference has not; an id that is none.
pub fn name_classes(levels: &mut [Level], ids: &Ids) -> Result<()> {
    for (name, ids) in ids {
        let known: Vec<String> = levels.iter().map(|level| level.name.clone()).collect();
        let Some(level) = levels.iter_mut().find(|level| level.name == *name) else {
            return Err(Error::usage(format!(
                "Ids of the Cell Ontology are given for the level `{name}`, which the reference has not. Its levels are: {}.",
                known.join(", ")
            )));
        };
        for (class, id) in ids {
            if !is_id(id) {
                return Err(Error::usage(format!(
                    "`{id}`, given for the class `{class}`, is no id of the Cell Ontology: those are CL: and seven digits, as \
                     in CL:0000236."
                )));
            }
            let Some(class) = level.classes.iter_mut().find(|other| other.name == *class) else {
                return Err(Error::usage(format!(
                    "An id of the Cell Ontology is given for the class `{class}`, which level `{name}` has not. Leave it out, or \
                     correct its name."
                )));
            };
            class.ontology = Some(id.clone());
        }
    }
    Ok(())
}

/// Gives the classes the ids that stood beside their labels in the file. Classes that are no longer there do not matter.
pub fn take_over(levels: &mut [Level], ids: &Ids) {
    for level in levels {
        let Some(ids) = ids.get(&level.name) else { continue };
        for class in &mut level.classes {
            if let Some(id) = ids.get(&class.name) {
                class.ontology = Some(id.clone());
            }
        }
    }
}

/// Whether it is an id as those of the Cell Ontology are.
pub fn is_id(text: &str) -> bool {
    text.strip_prefix("CL:")
        .is_some_and(|digits| digits.len() == 7 && digits.bytes().all(|digit| digit.is_ascii_digit()))
}
