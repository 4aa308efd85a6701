//! What a reference says of itself on its card, and how its classes come to their ids.

use ndarray::Array2;
use sextant::build::{labels, ontology};
use sextant::formats::Feature;
use sextant::reference::held_out::{HeldOut, HeldOutLevel, HeldOutPart};
use sextant::reference::{
    About, Level, MissingType, Reference, ResidualModel, UmapModel, UmapParameters, VarianceFloor, bundle,
};
use std::collections::BTreeMap;

/// 40 T, 25 B and 15 NK cells, the T cells in two classes of the finer level.
fn levels() -> Vec<Level> {
    let of = |sizes: &[(&str, usize)]| {
        sizes.iter().flat_map(|(name, cells)| vec![(*name).to_owned(); *cells]).collect::<Vec<String>>()
    };
    let coarse = of(&[("T", 40), ("B", 25), ("NK", 15)]);
    let fine = of(&[("CD4", 30), ("CD8", 10), ("B", 25), ("NK", 15)]);
    labels::levels(&[("coarse".into(), coarse), ("fine".into(), fine)], 80).expect("levels").0
}

fn reference(about: About) -> Reference {
    let numbers = vec![1.0; 2];
    Reference {
        about,
        features: ["A", "B"].map(|name| Feature { id: None, symbol: name.into() }).to_vec(),
        model: ResidualModel {
            theta: numbers.clone(),
            intercept: numbers.clone(),
            slope: numbers.clone(),
            residual_mean: numbers,
            clip: (-2.0, 2.0),
            variance_floor: VarianceFloor::None,
        }
        .into(),
        loadings: Array2::ones((2, 2)),
        embedding: Array2::ones((80, 2)),
        neighbors: Array2::zeros((80, 2)),
        levels: levels(),
        umap: UmapModel {
            layout: Array2::ones((80, 2)),
            rows: (0..80).collect(),
            parameters: UmapParameters {
                a: 1.0,
                b: 1.0,
                epochs: 200,
                neighbors: 30,
                negative_samples: 5,
                learning_rate: 1.0,
                repulsion: 1.0,
            },
        },
        cells: (0..80).map(|cell| format!("c{cell}")).collect(),
        columns: Vec::new(),
        proteins: None,
        expression: None,
    }
}

fn starter() -> About {
    let missing = |name: &str, id: &str, within: Option<&str>| MissingType {
        name: name.into(),
        ontology: id.into(),
        within: within.map(str::to_owned),
    };
    let part = |name: &str, cells, accuracy| HeldOutPart { name: name.into(), cells, accuracy };
    let level = |name: &str, accuracy, macro_f1| HeldOutLevel {
        name: name.into(),
        cells: 80,
        parts: vec![part("d1", 60, 0.9333), part("none judged", 0, 0.0), part("others", 20, 0.857)],
        accuracy,
        macro_f1: Some(macro_f1),
        ..Default::default()
    };
    About {
        name: "small".into(),
        starter: true,
        donors: "8".into(),
        healthy: Some(true),
        caveats: vec!["Few cells.".into()],
        does_not_contain: vec![
            missing("plasma cells", "CL:0000786", None),
            missing("regulatory T cells", "CL:0000792", Some("CD4")),
            missing("monocytes", "CL:0000576", None),
        ],
        held_out: Some(HeldOut {
            column: Some("donor".into()),
            folds: 8,
            levels: vec![level("coarse", 0.99, 0.98), level("fine", 0.914, 0.876)],
        }),
        ..About::default()
    }
}

#[test]
fn a_starter_reference_says_what_it_is_good_for() {
    let card = reference(starter()).card();
    assert_eq!(
        card.summary.as_deref(),
        Some(
            "Starter reference: 80 cells, 8 donors. Held out by 'donor': accuracy 0.91, macro-F1 0.88 at fine. Does not \
             contain: plasma cells, monocytes. For publication, import the Azimuth reference or build your own."
        )
    );
    assert_eq!(
        card.parts.as_deref(),
        Some("Accuracy at fine of what was held out: d1 0.93 (60 cells), others 0.86 (20 cells).")
    );
    assert_eq!(card.undivided.as_deref(), Some("Has no class of its own for: regulatory T cells (in CD4)."));
    assert_eq!(
        card.not_validated.as_deref(),
        Some("Not validated, as they have fewer than 20 cells: CD8 (10), NK (15).")
    );
    assert_eq!(
        card.healthy.as_deref(),
        Some(
            "Healthy tissue: malignant, inflamed or activated cells are given the name of the healthy type that they are most like."
        )
    );
}

#[test]
fn donors_are_counted_where_they_are_known() {
    let said = |donors: &str| {
        let about = About { donors: donors.into(), held_out: None, does_not_contain: Vec::new(), ..starter() };
        reference(about).card().summary.expect("a sentence")
    };
    for (donors, expected) in [
        ("1", "80 cells, 1 donor."),
        ("8 (pooled)", "80 cells, 8 donors (pooled)."),
        ("not recorded", "80 cells, donors not recorded."),
        ("", "80 cells, donors not recorded."),
    ] {
        assert_eq!(
            said(donors),
            format!("Starter reference: {expected} For publication, import the Azimuth reference or build your own.")
        );
    }
    let random = HeldOut { column: None, ..starter().held_out.expect("figures") };
    let card = reference(About { held_out: Some(random), ..starter() }).card();
    assert!(card.summary.expect("a sentence").contains("Held out within the sample, optimistic: accuracy 0.91"));
}

#[test]
fn other_references_say_what_they_lack() {
    let about = About { starter: false, healthy: Some(false), ..starter() };
    let card = reference(about).card();
    assert_eq!(card.summary.as_deref(), Some("Does not contain: plasma cells, monocytes."));
    assert_eq!(card.healthy, None);
    let card = reference(About::default()).card();
    assert_eq!((card.summary, card.undivided, card.healthy), (None, None, None));
}

#[test]
fn the_bundle_keeps_what_the_card_says() {
    let mut written = reference(starter());
    let ids = BTreeMap::from([("fine".to_owned(), BTreeMap::from([("B".to_owned(), "CL:0000236".to_owned())]))]);
    ontology::name_classes(&mut written.levels, &ids).expect("ids");
    let read = bundle::read(&bundle::write(&written).expect("a bundle")).expect("the reference");
    assert_eq!((&read.about, &read.levels), (&written.about, &written.levels));
    let ids: Vec<_> = read.levels[1].classes.iter().map(|class| class.ontology.as_deref()).collect();
    assert_eq!(ids, [None, None, Some("CL:0000236"), None]);
    // A bundle that knows nothing of all this is read.
    let old = "{\"name\": \"old\", \"title\": \"Old\"}";
    let about: About = serde_json::from_str(old).expect("JSON");
    assert_eq!(about, About { name: "old".into(), title: "Old".into(), ..About::default() });
    let class: sextant::reference::Class =
        serde_json::from_str("{\"name\": \"B\", \"color\": \"#000000\"}").expect("JSON");
    assert_eq!(class.ontology, None);
}

#[test]
fn ids_that_fit_nothing_are_refused() {
    let said = |level: &str, class: &str, id: &str| {
        let ids = BTreeMap::from([(level.to_owned(), BTreeMap::from([(class.to_owned(), id.to_owned())]))]);
        ontology::name_classes(&mut levels(), &ids).expect_err("refused").message
    };
    assert_eq!(
        said("l3", "B", "CL:0000236"),
        "Ids of the Cell Ontology are given for the level `l3`, which the reference has not. Its levels are: coarse, fine."
    );
    assert_eq!(
        said("fine", "DC", "CL:0000451"),
        "An id of the Cell Ontology is given for the class `DC`, which level `fine` has not. Leave it out, or correct its name."
    );
    for id in ["CL:236", "CL:00002360", "CL:000023x", "UBERON:0000236", ""] {
        assert_eq!(
            said("fine", "B", id),
            format!(
                "`{id}`, given for the class `B`, is no id of the Cell Ontology: those are CL: and seven digits, as in \
                 CL:0000236."
            )
        );
    }
}
