//! Which levels of annotation refine which.

use super::Level;

/// Levels of which each is a coarser or finer view of the same classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Place of the finest level among the levels of the reference.
    pub finest: usize,
    /// All levels of the family, the coarsest first and the finest last.
    pub levels: Vec<Nested>,
}

/// A level that the finest one of its family refines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested {
    /// Place among the levels of the reference.
    pub level: usize,
    /// For each class of the finest level the class of this level that it lies in.
    pub class_of: Vec<u16>,
}

/// Divides levels into families. A level belongs to a family if each class of the family's finest level lies in a single
/// class of it; a level that crosses all others stands alone.
pub fn families(levels: &[Level]) -> Vec<Family> {
    let mut left: Vec<usize> = (0..levels.len()).collect();
    // The finest first; of equally fine ones the later one, since people list levels from coarse to fine.
    left.sort_by(|&a, &b| levels[b].classes.len().cmp(&levels[a].classes.len()).then(b.cmp(&a)));
    let mut families = Vec::new();
    while let Some(&finest) = left.first() {
        let mut nested: Vec<Nested> = Vec::new();
        left.retain(|&level| match classes_of(&levels[finest], &levels[level]) {
            Ok(class_of) => {
                nested.push(Nested { level, class_of });
                false
            }
            Err(_) => true,
        });
        nested.reverse();
        families.push(Family { finest, levels: nested });
    }
    families
}

/// For each class of the finer level the class of the coarser one that it lies in. A class without cells lies in the first.
///
/// # Errors
/// The classes of the finer level that lie in several classes of the coarser one.
pub fn classes_of(fine: &Level, coarse: &Level) -> Result<Vec<u16>, Vec<u16>> {
    let mut found: Vec<Option<u16>> = vec![None; fine.classes.len()];
    let mut crossing = vec![false; fine.classes.len()];
    for (&class, &coarser) in fine.codes.iter().zip(&coarse.codes) {
        let class = usize::from(class);
        crossing[class] |= *found[class].get_or_insert(coarser) != coarser;
    }
    let crossing: Vec<u16> =
        (0..).zip(crossing).filter(|&(_, crosses)| crosses).map(|(class, _): (u16, bool)| class).collect();
    if crossing.is_empty() { Ok(found.into_iter().map(Option::unwrap_or_default).collect()) } else { Err(crossing) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Class;

    fn level(name: &str, codes: &[u16]) -> Level {
        let classes = codes.iter().max().map_or(0, |&code| code + 1);
        let class = |code| Class { name: format!("{name}{code}"), color: "#000000".into(), ontology: None };
        Level { name: name.into(), classes: (0..classes).map(class).collect(), codes: codes.to_vec() }
    }

    #[test]
    fn nested_levels_are_a_family_and_crossing_ones_stand_alone() {
        let levels = [
            level("donor", &[0, 1, 0, 1, 0, 1]),
            level("l1", &[0, 0, 0, 0, 1, 1]),
            level("l2", &[0, 0, 1, 1, 2, 2]),
            level("l3", &[0, 0, 1, 1, 2, 3]),
        ];
        let families = families(&levels);
        assert_eq!(families.len(), 2);
        assert_eq!(families[0].finest, 3);
        let members: Vec<(usize, &[u16])> =
            families[0].levels.iter().map(|nested| (nested.level, nested.class_of.as_slice())).collect();
        assert_eq!(members, [(1, &[0, 0, 1, 1][..]), (2, &[0, 1, 2, 2]), (3, &[0, 1, 2, 3])]);
        assert_eq!((families[1].finest, families[1].levels.len()), (0, 1));
        assert_eq!(classes_of(&levels[3], &levels[0]), Err(vec![0, 1]));
    }

    #[test]
    fn of_two_names_for_the_same_classes_one_is_the_finest() {
        let families = families(&[level("a", &[0, 1, 1]), level("b", &[1, 0, 0])]);
        assert_eq!(families.len(), 1);
        let members: Vec<(usize, &[u16])> =
            families[0].levels.iter().map(|nested| (nested.level, nested.class_of.as_slice())).collect();
        assert_eq!(members, [(0, &[1, 0][..]), (1, &[0, 1])]);
    }
}
