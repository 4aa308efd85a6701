//! What is said of references that a query is not like.

use sextant::formats::Feature;
use sextant::likeness::{Likeness, advice};

fn likeness(name: &str, organ: &str, species: &str, fit: f64) -> Likeness {
    let (name, organ, species) = (name.to_owned(), organ.to_owned(), species.to_owned());
    Likeness { title: name.to_uppercase(), name, organ, species, fit, genes: 1_000 }
}

#[test]
fn another_tissue_or_species_is_said() {
    let human = ["CD3E", "LYZ", "MS4A1"].map(|symbol| Feature { id: None, symbol: symbol.into() });
    let mouse = ["Cd3e", "Lyz2", "Ms4a1"].map(|symbol| Feature { id: None, symbol: symbol.into() });
    let all = [
        likeness("pbmc", "blood", "human", 0.31),
        likeness("brain", "brain", "human", 0.86),
        likeness("marrow", "bone marrow", "mouse", 0.40),
        likeness("lupus", "blood", "human", 0.80),
    ];
    let said =
        |chosen: &str, features: &[Feature]| advice(&all, chosen, features).map(|(warning, at)| (warning.message, at));
    let tissue = "Your cells look like brain, and the reference is of blood: what its classes express explains yours less well \
                  (0.31) than what those of “BRAIN” do (0.86). Cells of another tissue are given names of this one.";
    assert_eq!(said("pbmc", &human), Some((tissue.to_owned(), 1)));
    assert_eq!(said("brain", &human), None);
    // Not by enough to speak of.
    assert_eq!(said("lupus", &human), None);
    let blood = [all[0].clone(), all[3].clone()];
    let closer = "What the classes of “LUPUS” express explains your cells better (0.80) than what those of this reference do \
                  (0.31): it is closer to them in tissue or technology.";
    assert_eq!(advice(&blood, "pbmc", &human).map(|(warning, at)| (warning.message, at)), Some((closer.to_owned(), 1)));
    let species = "The genes of your file are those of mouse, and the reference is of human: genes are matched by \
                   orthologues, and fewer of them. “MARROW” is of mouse.";
    assert_eq!(said("brain", &mouse), Some((species.to_owned(), 2)));
    assert_eq!(said("marrow", &mouse), None);
    assert_eq!(said("absent", &human), None);
}
