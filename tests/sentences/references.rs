//! What is said of references: of bundles that were changed on the way, and of numbers that make no sense.

use half::f16;
use ndarray::Array2;
use sextant::error::Result;
use sextant::formats::Feature;
use sextant::reference::columns::CellColumn;
use sextant::reference::expression::{ClassExpression, Expression};
use sextant::reference::proteins::Proteins;
use sextant::reference::zip::{Archive, Writer};
use sextant::reference::{
    About, Class, Clusters, ExpressionModel, Level, LogModel, Reference, ResidualModel, UmapModel, UmapParameters,
    VarianceFloor, bundle, npy,
};
use std::io::Cursor;

/// Five cells, four features and two dimensions.
fn reference() -> Reference {
    let class = |name: &str| Class { name: name.into(), color: "#0072b2".into(), ontology: None };
    let numbers = vec![1.0; 4];
    Reference {
        about: About { name: "small".into(), ..Default::default() },
        features: ["A", "B", "C", "D"].map(|name| Feature { id: None, symbol: name.into() }).to_vec(),
        model: ResidualModel {
            theta: numbers.clone(),
            intercept: numbers.clone(),
            slope: numbers.clone(),
            residual_mean: numbers,
            clip: (-2.0, 2.0),
            variance_floor: VarianceFloor::None,
        }
        .into(),
        loadings: Array2::ones((4, 2)),
        embedding: Array2::ones((5, 2)),
        neighbors: Array2::zeros((5, 2)),
        levels: vec![Level { name: "type".into(), classes: vec![class("B"), class("T")], codes: vec![0, 1, 0, 1, 1] }],
        umap: UmapModel {
            layout: Array2::ones((5, 2)),
            rows: (0..5).collect(),
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
        cells: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
        columns: Vec::new(),
        proteins: None,
        expression: None,
    }
}

fn residuals(reference: &mut Reference) -> &mut ResidualModel {
    match &mut reference.model {
        ExpressionModel::Residuals(model) => model,
        ExpressionModel::LogNormalized(_) => panic!("the model is of residuals"),
    }
}

fn sentence<T>(result: Result<T>) -> String {
    result.err().map(|error| error.message).unwrap_or_default()
}

/// A part that is changed so that it makes no sense.
type Change = fn(&mut Reference);

#[test]
fn parts_that_do_not_fit_are_named() {
    assert_eq!(sentence(reference().check()), "");
    let changes: [(Change, &str); 22] = [
        (|r| r.embedding = Array2::ones((0, 2)), "it is empty"),
        (|r| r.loadings = Array2::ones((3, 2)), "features and loadings differ in number"),
        (|r| r.embedding = Array2::ones((5, 3)), "loadings and embedding differ in dimensions"),
        (
            |r| (r.loadings, r.embedding) = (Array2::ones((4, 1_001)), Array2::ones((5, 1_001))),
            "it has more than 1,000 dimensions",
        ),
        (
            |r| r.loadings[(0, 0)] = f32::NAN,
            "loadings or embedding hold values that are no numbers, or larger than any that are computed",
        ),
        (
            |r| r.embedding[(0, 0)] = 1e30,
            "loadings or embedding hold values that are no numbers, or larger than any that are computed",
        ),
        (|r| residuals(r).slope.truncate(3), "features and model differ in number"),
        (
            |r| residuals(r).theta[1] = -1.0,
            "the model holds values that are no numbers, or larger than any that are fitted",
        ),
        (
            |r| residuals(r).slope[1] = 1e300,
            "the model holds values that are no numbers, or larger than any that are fitted",
        ),
        (|r| residuals(r).clip = (2.0, 2.0), "its clip range is empty"),
        (
            |r| residuals(r).variance_floor = VarianceFloor::Fixed(-1.0),
            "its smallest variance is negative or impossibly large",
        ),
        (|r| r.neighbors = Array2::zeros((4, 2)), "it lacks neighbours"),
        (|r| r.neighbors = Array2::zeros((5, 1_001)), "it has more than 1,000 neighbours of each cell"),
        (|r| r.neighbors[(0, 0)] = 5, "a neighbour is no cell"),
        (|r| r.levels[0].codes[0] = 2, "a level does not label its cells"),
        (|r| r.levels.clear(), "a level does not label its cells"),
        (|r| r.levels = vec![r.levels[0].clone(); 101], "it has more than 100 levels"),
        (|r| r.umap.layout = Array2::ones((5, 3)), "its UMAP is not a map"),
        (|r| r.umap.layout[(0, 0)] = f32::INFINITY, "its UMAP is not a map"),
        (|r| r.umap.rows[0] = 5, "its UMAP does not place every cell"),
        (|r| r.umap.rows.truncate(4), "its UMAP does not place every cell"),
        (|r| r.cells.truncate(4), "names and embedding differ in number"),
    ];
    for (change, what) in changes {
        let mut changed = reference();
        change(&mut changed);
        assert_eq!(
            sentence(changed.check()),
            format!("The reference 'small' cannot be used: {what}. Build or download it again.")
        );
    }
}

fn with_logarithms() -> Reference {
    let clusters = Clusters {
        centroids: ndarray::array![[1.0, 0.0], [0.6, 0.8], [0.0, -1.0]],
        sizes: vec![2.0, 2.5, 0.5],
        sums: Array2::ones((3, 2)),
    };
    let (mean, stddev) = (vec![0.5; 4], vec![0.25, 0.5, 1.0, 2.0]);
    let model = LogModel { mean, stddev, scale: 10_000.0, clip: 10.0, clusters: Some(clusters) };
    Reference { model: model.into(), ..reference() }
}

#[test]
fn logarithms_and_clusters_that_do_not_fit_are_named() {
    type Change = fn(&mut LogModel);
    fn clusters(model: &mut LogModel) -> &mut Clusters {
        model.clusters.as_mut().expect("clusters")
    }
    assert_eq!(sentence(with_logarithms().check()), "");
    let no_numbers =
        "the model holds means or standard deviations that are no numbers, or that logarithms of counts cannot have";
    let unfit = "the parts of its clusters do not fit each other";
    let beyond = "its clusters have sizes or sums that are no numbers, or larger than any that are computed";
    let changes: [(Change, &str); 16] = [
        (|m| m.mean.truncate(3), "features and model differ in number"),
        (|m| m.stddev.truncate(3), "features and model differ in number"),
        (|m| m.mean[1] = f64::NAN, no_numbers),
        (|m| m.mean[1] = 1e4, no_numbers),
        (|m| m.stddev[1] = 0.0, no_numbers),
        (|m| m.stddev[1] = f64::INFINITY, no_numbers),
        (|m| m.scale = 0.0, "its scale or its clip is no positive number"),
        (|m| m.clip = f64::NAN, "its scale or its clip is no positive number"),
        (|m| clusters(m).sizes.truncate(2), unfit),
        (|m| clusters(m).sums = Array2::ones((3, 3)), unfit),
        (|m| clusters(m).centroids = Array2::ones((2, 2)), unfit),
        (
            |m| {
                let (sizes, centroids) = (vec![1.0; 10_001], Array2::ones((10_001, 2)));
                m.clusters = Some(Clusters { sums: centroids.clone(), centroids, sizes });
            },
            "it has more than 10,000 clusters",
        ),
        (|m| clusters(m).centroids[(0, 0)] = 2.0, "the centroids of its clusters are not of length 1"),
        (|m| clusters(m).centroids[(0, 0)] = f32::NAN, "the centroids of its clusters are not of length 1"),
        (|m| clusters(m).sizes[0] = -1.0, beyond),
        (|m| clusters(m).sums[(0, 0)] = f32::NAN, beyond),
    ];
    for (change, what) in changes {
        let mut changed = with_logarithms();
        if let ExpressionModel::LogNormalized(model) = &mut changed.model {
            change(model);
        }
        assert_eq!(
            sentence(changed.check()),
            format!("The reference 'small' cannot be used: {what}. Build or download it again.")
        );
    }
}

/// Readers that know only residuals have to refuse what they would misread, and to read all else.
#[test]
fn only_bundles_of_another_model_are_of_the_second_version() {
    let manifest = |reference: &Reference| -> serde_json::Value {
        let written = bundle::write(reference).expect("a bundle");
        let mut archive = Archive::open(Cursor::new(&written)).expect("an archive");
        serde_json::from_slice(&archive.read("manifest.json").expect("a manifest")).expect("JSON")
    };
    let residuals = manifest(&reference());
    assert_eq!((&residuals["schema"], residuals.get("model")), (&1.into(), None));
    let logarithms = manifest(&with_logarithms());
    assert_eq!(logarithms["schema"], 2);
    assert_eq!(logarithms["model"], serde_json::json!({ "kind": "log_normalized", "scale": 10_000.0 }));
    let names: Vec<&String> = logarithms["sha256"].as_object().expect("entries").keys().collect();
    let of_model: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("model/")).collect();
    assert_eq!(
        of_model,
        ["clusters/centroids.npy", "clusters/sizes.npy", "clusters/sums.npy", "mean.npy", "stddev.npy"]
    );
    let mut uncorrected = with_logarithms();
    if let ExpressionModel::LogNormalized(model) = &mut uncorrected.model {
        model.clusters = None;
    }
    for written in [reference(), with_logarithms(), uncorrected] {
        let read = bundle::read(&bundle::write(&written).expect("a bundle")).expect("a reference");
        assert_eq!(read.model, written.model);
    }
}

#[test]
fn what_has_no_residuals_is_not_exported_for_azimuth() {
    assert_eq!(
        sentence(sextant::export::azimuth(&with_logarithms())),
        "'small' cannot be exported for Azimuth, which normalises by a negative binomial model (SCTransform): this reference has \
         logarithms of normalised counts, as Symphony's. Export one that Sextant built or that came from Azimuth."
    );
}

#[test]
fn proteins_that_do_not_fit_are_named() {
    type Change = fn(&mut Proteins);
    let proteins = || Proteins { names: ["CD3", "CD4"].map(str::to_owned).to_vec(), values: Array2::ones((5, 2)) };
    let said = |change: Change| {
        let mut changed = proteins();
        change(&mut changed);
        sentence(Reference { proteins: Some(changed), ..reference() }.check())
    };
    assert_eq!(said(|_| ()), "");
    let values = "the values of its proteins are negative, no numbers, or larger than any that are normalised";
    let changes: [(Change, &str); 8] = [
        (
            |p| *p = Proteins { names: Vec::new(), values: Array2::ones((5, 0)) },
            "it has a table of proteins without proteins",
        ),
        (|p| p.names = vec!["x".to_owned(); 10_001], "it has more than 10,000 proteins"),
        (|p| p.names[1] = "CD3".into(), "two of its proteins have the same name"),
        (|p| p.values = Array2::ones((4, 2)), "its proteins are not those of its cells"),
        (|p| p.names.push("CD8".into()), "the names and the values of its proteins differ in number"),
        (|p| p.values[(0, 0)] = -0.5, values),
        (|p| p.values[(0, 0)] = f32::NAN, values),
        (|p| p.values[(0, 0)] = 1e4, values),
    ];
    for (change, what) in changes {
        assert_eq!(said(change), format!("The reference 'small' cannot be used: {what}. Build or download it again."));
    }
    // Half of them is no table of proteins, and neither is one that was changed.
    let written = bundle::write(&Reference { proteins: Some(proteins()), ..reference() }).expect("a bundle");
    let mut archive = Archive::open(Cursor::new(&written)).expect("an archive");
    let manifest = String::from_utf8(archive.read("manifest.json").expect("a manifest")).expect("text");
    let names: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\": \""))
        .map(|pair| pair.0)
        .filter(|name| name.contains('.'))
        .collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("proteins/")).count(), 2);
    let mut without = |lost: &str| {
        let mut writer = Writer::default();
        for name in ["manifest.json"].iter().chain(&names).filter(|name| **name != lost) {
            writer.add(name, &archive.read(name).expect("an entry"));
        }
        sentence(bundle::read(&writer.finish()))
    };
    assert_eq!(without(""), "");
    assert!(without("proteins/data.npy").contains("'proteins/data.npy'"), "{}", without("proteins/data.npy"));
    assert!(without("proteins/names.json").contains("'proteins/names.json'"));
}

/// A bundle that says how long each cell is moved about must not make the mapping hang.
#[test]
fn parameters_of_the_map_are_bounded() {
    let said = |change: fn(&mut UmapParameters)| {
        let mut changed = reference();
        change(&mut changed.umap.parameters);
        let written = bundle::write(&changed).expect("a bundle");
        sentence(bundle::read(&written))
    };
    type Adjust = fn(&mut UmapParameters);
    let cases: [(Adjust, &str); 9] = [
        (|p| p.epochs = u32::MAX, "its UMAP has 4294967295 epochs, where 1 to 2000 make sense"),
        (|p| p.epochs = 0, "its UMAP has 0 epochs, where 1 to 2000 make sense"),
        (|p| p.neighbors = 201, "its UMAP has 201 neighbours, where 1 to 200 make sense"),
        (|p| p.negative_samples = 101, "its UMAP has 101 negative samples, where 1 to 100 make sense"),
        (|p| p.a = -1.0, "the a of its UMAP is -1, where more than 0 and up to 1000 make sense"),
        (|p| p.b = 101.0, "the b of its UMAP is 101, where more than 0 and up to 100 make sense"),
        (|p| p.learning_rate = 0.0, "the learning rate of its UMAP is 0, where more than 0 and up to 100 make sense"),
        (|p| p.repulsion = 1e9, "the repulsion of its UMAP is 1000000000, where more than 0 and up to 100 make sense"),
        (|p| p.epochs = 2_001, "its UMAP has 2001 epochs, where 1 to 2000 make sense"),
    ];
    for (change, what) in cases {
        assert_eq!(said(change), format!("The reference 'small' cannot be used: {what}. Build or download it again."));
    }
    assert_eq!(said(|p| (p.epochs, p.neighbors, p.negative_samples) = (2_000, 200, 100)), "");
}

/// The bundle again, with one entry changed and its checksum put right when that is wanted.
fn with_entry(name: &str, content: &[u8], checked: bool) -> Vec<u8> {
    let written = bundle::write(&reference()).expect("a bundle");
    let mut archive = Archive::open(Cursor::new(&written)).expect("an archive");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&archive.read("manifest.json").expect("a manifest")).expect("JSON");
    let names: Vec<String> = manifest["sha256"].as_object().expect("names").keys().cloned().collect();
    let mut writer = Writer::default();
    for entry in &names {
        let known = archive.read(entry).expect("an entry");
        writer.add(entry, if entry == name { content } else { &known });
    }
    if checked {
        manifest["sha256"][name] = bundle::sha256(content).into();
    }
    let manifest = serde_json::to_vec(&manifest).expect("JSON");
    writer.add("manifest.json", if name == "manifest.json" { content } else { &manifest });
    writer.finish()
}

#[test]
fn bundles_that_were_changed_are_refused() {
    let said = |name: &str, content: &[u8], checked: bool| sentence(bundle::read(&with_entry(name, content, checked)));
    assert_eq!(
        said("cells.json", b"[]", false),
        "The reference bundle was changed: the SHA-256 of 'cells.json' is not the one in its manifest. Download it again."
    );
    assert_eq!(said("cells.json", b"[", true), "The reference bundle is damaged: 'cells.json' cannot be read.");
    assert_eq!(said("manifest.json", b"{}", false), "The reference bundle is damaged: 'manifest.json' cannot be read.");
    let newer = r#"{"schema": 3, "about": {}, "clip": [0, 1], "variance_floor": "none", "levels": [], "umap": {"a": 1.0,
        "b": 1.0, "epochs": 9, "neighbors": 2, "negative_samples": 5, "learning_rate": 1.0, "repulsion": 1.0},
        "sha256": {}}"#;
    assert_eq!(
        said("manifest.json", newer.as_bytes(), false),
        "The reference bundle is written in version 3 of the format; this Sextant reads versions 1 and 2. Update Sextant, \
         or build the bundle again."
    );
    let damaged = |what: &str| format!("The reference bundle is damaged: 'loadings.npy' {what}.");
    let array = npy::write(&[4, 2], &[1f32; 8]);
    let changed = |from: &str, to: &str| {
        let text = array.iter().map(|&byte| char::from(byte)).collect::<String>().replace(from, to);
        text.chars().map(|character| character as u8).collect::<Vec<u8>>()
    };
    for (content, what) in [
        (b"no array".to_vec(), "is not an NPY 1.0 array"),
        (array[..40].to_vec(), "is cut off"),
        (changed("descr", "\u{e9}escr"), "has an unreadable header"),
        (changed("<f4", "<i4"), "should hold '<f4' in C order"),
        (changed("(4", "(x"), "has an unreadable shape"),
        (changed("(4", "(5"), "is not as long as its shape says"),
        (changed("(4, 2)", "(8,)  "), "has the shape [8]"),
    ] {
        assert_eq!(said("loadings.npy", &content, true), damaged(what));
    }
    let square = npy::write(&[2, 2], &[1f64; 4]);
    assert_eq!(
        said("model/theta.npy", &square, true),
        "The reference bundle is damaged: 'model/theta.npy' has the shape [2, 2]."
    );
}

#[test]
fn archives_that_were_cut_or_changed_are_refused() {
    let mut writer = Writer::default();
    writer.add("a.txt", b"hello");
    writer.add("zeros", &[0; 10_000]);
    let whole = writer.finish();
    let damaged = |what: &str| {
        format!(
            "The reference bundle is damaged ({what}). Download it again; a bundle is a ZIP file whose name ends in \
             .sextant.zip."
        )
    };
    let said = |bytes: &[u8], name: &str| {
        sentence(Archive::open(Cursor::new(bytes)).and_then(|mut archive| archive.read(name)))
    };
    assert_eq!(said(&whole, "b.txt"), damaged("'b.txt' is missing"));
    assert_eq!(said(b"PK", "a.txt"), damaged("it is no complete ZIP file"));
    let lines: Vec<usize> =
        whole.windows(4).enumerate().filter(|(_, bytes)| *bytes == b"PK\x01\x02").map(|(place, _)| place).collect();
    let changed = |at: usize, bytes: &[u8], name: &str| {
        let mut changed = whole.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        said(&changed, name)
    };
    assert_eq!(changed(lines[0], b"no", "a.txt"), damaged("its table of contents is cut off"));
    assert_eq!(changed(lines[0] + 42, &[9], "a.txt"), damaged("'a.txt' is cut off"));
    assert_eq!(changed(lines[0] + 16, &[9], "a.txt"), damaged("the checksum of 'a.txt' does not fit"));
    assert_eq!(changed(lines[0] + 10, &[12], "a.txt"), damaged("'a.txt' is packed in an unknown way"));
    assert_eq!(changed(lines[1] + 24, &[0, 0, 1], "zeros"), damaged("'zeros' claims to hold 65536 bytes"));
    assert_eq!(changed(lines[1] + 24, &[0, 0x28], "zeros"), damaged("'zeros' cannot be inflated"));
    assert_eq!(
        changed(lines[1] + 24, &[0xff; 4], "zeros"),
        damaged("it claims to hold 4294 MB, and a reference has at most 1,073")
    );
}

/// What classes express and where cells are from has to fit the rest.
#[test]
fn expression_and_columns_fit_the_reference() {
    let feature = |symbol: &str| Feature { id: None, symbol: symbol.into() };
    let level = |classes: usize| ClassExpression {
        mean: Array2::from_elem((classes, 2), f16::from_f32(1.5)),
        fraction: Array2::from_elem((classes, 2), 128),
    };
    let whole = || {
        let small = reference();
        let levels = small.levels.iter().map(|each| level(each.classes.len())).collect();
        let expression = Some(Expression { genes: vec![feature("CD3E"), feature("LYZ")], levels });
        let codes = (0..small.cells.len()).map(|cell| (cell % 2) as u16).collect();
        let columns = vec![CellColumn { name: "donor".into(), values: vec!["a".into(), "b".into()], codes }];
        Reference { expression, columns, ..small }
    };
    let read = bundle::read(&bundle::write(&whole()).expect("a bundle")).expect("a reference");
    assert_eq!((read.expression, read.columns), (whole().expression, whole().columns));

    let said = |change: fn(&mut Expression)| {
        let mut changed = whole();
        change(changed.expression.as_mut().expect("expression"));
        sentence(changed.check())
    };
    let shape = "the expression of its classes is not that of its levels and genes";
    let value = "the expression of its classes is negative, no number, or larger than any that is normalised";
    type Change = fn(&mut Expression);
    let changes: [(Change, &str); 6] = [
        (|e| e.genes.clear(), "it tells the expression of no genes, or of more than a million"),
        (|e| drop(e.genes.pop()), shape),
        (|e| drop(e.levels.pop()), shape),
        (|e| e.levels[0].fraction = Array2::zeros((1, 1)), shape),
        (|e| e.levels[0].mean[(0, 0)] = f16::NAN, value),
        (|e| e.levels[0].mean[(0, 0)] = f16::from_f32(-0.5), value),
    ];
    for (change, what) in changes {
        assert_eq!(said(change), format!("The reference 'small' cannot be used: {what}. Build or download it again."));
    }
    for change in [|column: &mut CellColumn| column.codes.truncate(1), |column: &mut CellColumn| column.codes[0] = 7] {
        let mut changed = whole();
        change(&mut changed.columns[0]);
        let what = "a column about its cells does not tell of each of them";
        assert_eq!(
            sentence(changed.check()),
            format!("The reference 'small' cannot be used: {what}. Build or download it again.")
        );
    }
}

#[test]
fn columns_are_bounded() {
    let small = reference();
    let column = || CellColumn { name: "donor".into(), values: vec!["a".into()], codes: vec![0; small.cells.len()] };
    let many = Reference { columns: (0..101).map(|_| column()).collect(), ..reference() };
    let what = "it has more than 100 columns about its cells";
    assert_eq!(
        sentence(many.check()),
        format!("The reference 'small' cannot be used: {what}. Build or download it again.")
    );
}

/// From 50,000 cells on the embedding is kept in halves, which is what is read back.
#[test]
fn large_embeddings_are_halves() {
    let small = reference();
    let cells = 50_001;
    let many = |values: &Array2<f32>| {
        Array2::from_shape_fn((cells, values.ncols()), |(row, column)| values[(row % values.nrows(), column)] + 0.0001)
    };
    let large = Reference {
        embedding: many(&small.embedding),
        neighbors: Array2::from_shape_fn((cells, 3), |(row, _)| row as u32),
        levels: small
            .levels
            .iter()
            .map(|level| Level { codes: level.codes.iter().copied().cycle().take(cells).collect(), ..level.clone() })
            .collect(),
        umap: UmapModel { layout: many(&small.umap.layout), rows: (0..cells as u32).collect(), ..small.umap.clone() },
        cells: (0..cells).map(|cell| format!("cell{cell}")).collect(),
        ..small
    };
    let written = bundle::write(&large).expect("a bundle");
    let read = bundle::read(&written).expect("a reference");
    let halves = large.embedding.mapv(|value| f16::from_f32(value).to_f32());
    assert_eq!(read.embedding, halves);
    assert_eq!(read.neighbors, large.neighbors);
    // A value that halves cannot hold keeps all of them whole.
    let mut beyond = large;
    beyond.embedding[(7, 0)] = 7e4;
    let read = bundle::read(&bundle::write(&beyond).expect("a bundle")).expect("a reference");
    assert_eq!(read.embedding, beyond.embedding);
}
