//! How right the labels of held-out cells are: against an implementation without any care for speed, and by known figures.

#![allow(clippy::disallowed_methods)]

use sextant::build::held_out::{By, Parts, judge, parts};
use sextant::formats::Column;
use sextant::matrix::Dense;
use sextant::progress::Progress;
use sextant::random::Random;
use sextant::reference::held_out::{HeldOut, HeldOutLevel};
use sextant::reference::{About, Class, Level};

const CELLS: usize = 400;
const DIMENSIONS: usize = 6;

/// The table of cells.
type Metadata = Vec<(String, Column)>;

/// Five fine classes in two coarse ones, around centres that are not quite apart; a sixth class that only donor d0 has.
/// A level of its own crosses the others. Donors are shifted.
fn synthetic() -> (Dense, Vec<Level>, Vec<String>, Metadata) {
    let mut random = Random::new(11);
    let centres: Vec<Vec<f64>> =
        (0..6).map(|_| (0..DIMENSIONS).map(|_| 3.0 * (random.uniform() - 0.5)).collect()).collect();
    let (mut places, mut fine, mut donors) = (Vec::new(), Vec::new(), Vec::new());
    for cell in 0..CELLS {
        let donor = cell % 4;
        let class = if donor == 0 && cell % 40 == 0 { 5 } else { (random.uniform() * random.uniform() * 5.0) as usize };
        for (axis, centre) in centres[class].iter().enumerate() {
            let noise = (0..4).map(|_| random.uniform() - 0.5).sum::<f64>();
            let shift = if axis == donor { 0.4 } else { 0.0 };
            places.push((centre + 1.2 * noise + shift) as f32);
        }
        fine.push(class as u16);
        donors.push(format!("d{donor}"));
    }
    let coarse: Vec<u16> = fine.iter().map(|&class| u16::from(class > 2)).collect();
    let crossing: Vec<u16> = (0..CELLS).map(|cell| u16::from(places[cell * DIMENSIONS] > 0.3)).collect();
    let level = |name: &str, codes: Vec<u16>| {
        let classes = codes.iter().max().map_or(0, |&last| last + 1);
        let class = |code| Class { name: format!("{name}{code}"), color: "#000000".into(), ontology: None };
        Level { name: name.into(), classes: (0..classes).map(class).collect(), codes }
    };
    let levels = vec![level("coarse", coarse), level("fine", fine), level("crossing", crossing)];
    let names = (0..CELLS).map(|cell| format!("cell{cell}")).collect();
    let places = Dense::from_shape_vec((CELLS, DIMENSIONS), places).expect("a row a cell");
    (places, levels, names, vec![("donor".into(), Column::Text(donors))])
}

/// Held out by donor, or randomly where the donors are not known.
fn found(with_donors: bool) -> (Dense, Vec<Level>, Parts, HeldOut) {
    let (places, levels, names, mut metadata) = synthetic();
    if !with_donors {
        metadata.clear();
    }
    let parts = parts(&names, &metadata, &By::Usual).expect("it divides").expect("some");
    let held_out = judge(&places, &places, &levels, &parts, &Progress::silent());
    (places, levels, parts, held_out)
}

/// The inverse of a positive definite matrix by Gauss and Jordan.
fn inverse(mut m: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let size = m.len();
    for (at, row) in m.iter_mut().enumerate() {
        row.extend((0..size).map(|column| f64::from(u8::from(column == at))));
    }
    for at in 0..size {
        let pivot = m[at][at];
        m[at].iter_mut().for_each(|value| *value /= pivot);
        let of_pivot = m[at].clone();
        for (_, row) in m.iter_mut().enumerate().filter(|(other, _)| *other != at) {
            let factor = row[at];
            row.iter_mut().zip(&of_pivot).for_each(|(value, pivot)| *value -= factor * pivot);
        }
    }
    m.into_iter().map(|row| row[size..].to_vec()).collect()
}

/// Probabilities of the classes of a place by the cells of `rest`, written from the formulas.
fn naive_probabilities(places: &Dense, codes: &[u16], rest: &[usize], cell: usize) -> Vec<f64> {
    let place = |cell: usize| -> Vec<f64> { places.row(cell).iter().map(|&value| f64::from(value)).collect() };
    let classes = usize::from(*codes.iter().max().expect("classes")) + 1;
    let of = |class: usize| rest.iter().copied().filter(move |&cell| usize::from(codes[cell]) == class);
    let means: Vec<Vec<f64>> = (0..classes)
        .map(|class| {
            let size = of(class).count().max(1) as f64;
            (0..DIMENSIONS).map(|axis| of(class).map(|cell| place(cell)[axis]).sum::<f64>() / size).collect()
        })
        .collect();
    let mut covariance = vec![vec![0.0; DIMENSIONS]; DIMENSIONS];
    for &other in rest {
        let apart: Vec<f64> =
            place(other).iter().zip(&means[usize::from(codes[other])]).map(|(value, mean)| value - mean).collect();
        for (a, row) in covariance.iter_mut().enumerate() {
            row.iter_mut().zip(&apart).for_each(|(sum, b)| *sum += apart[a] * b / rest.len() as f64);
        }
    }
    let trace: f64 = (0..DIMENSIONS).map(|axis| covariance[axis][axis]).sum();
    for (axis, row) in covariance.iter_mut().enumerate() {
        row.iter_mut().for_each(|value| *value *= 0.95);
        row[axis] += 0.05 * trace / DIMENSIONS as f64;
    }
    let inverse = inverse(covariance);
    let densities: Vec<f64> = (0..classes)
        .map(|class| {
            let size = of(class).count() as f64;
            let apart: Vec<f64> = place(cell).iter().zip(&means[class]).map(|(value, mean)| value - mean).collect();
            let inflation = 1.0 + 1.0 / size.max(1.0);
            let squared: f64 = (0..DIMENSIONS * DIMENSIONS)
                .map(|at| (at / DIMENSIONS, at % DIMENSIONS))
                .map(|(a, b)| apart[a] * inverse[a][b] * apart[b])
                .sum();
            let density = size * inflation.powf(-0.5 * DIMENSIONS as f64) * (-0.5 * squared / inflation).exp();
            density.sqrt()
        })
        .collect();
    let cosine = |other: usize| {
        let (a, b) = (place(cell), place(other));
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
    };
    let mut near: Vec<(f64, usize)> = rest.iter().map(|&other| (-cosine(other), other)).collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    let sum: f64 = densities.iter().sum();
    let vote = |class: usize| near[..20].iter().filter(|(_, other)| usize::from(codes[*other]) == class).count() as f64;
    (0..classes).map(|class| 0.5 * densities[class] / sum + 0.5 * vote(class) / 20.0).collect()
}

/// Class and probability at the coarse and the fine level.
fn naive_labels(probabilities: &[f64]) -> [(usize, f64); 2] {
    let coarse = [probabilities[..3].iter().sum::<f64>(), probabilities[3..].iter().sum()];
    let best = usize::from(coarse[1] > coarse[0]);
    let inside = if best == 0 { 0..3 } else { 3..probabilities.len() };
    let fine = inside.max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b])).expect("a class");
    [(best, coarse[best]), (fine, probabilities[fine])]
}

#[test]
fn equals_the_plain_way() {
    for with_donors in [true, false] {
        let (places, levels, parts, held_out) = found(with_donors);
        assert_eq!(parts.column.is_some(), with_donors);
        // Per level: judged, missing, right, and per bin cells and the sum of their confidence.
        let mut expected = [(0, 0, 0, [0; 10], [0.0; 10]), (0, 0, 0, [0; 10], [0.0; 10])];
        for held in &parts.cells {
            let rest: Vec<usize> = (0..CELLS).filter(|cell| !held.contains(cell)).collect();
            for &cell in held {
                let labels = naive_labels(&naive_probabilities(&places, &levels[1].codes, &rest, cell));
                for (at, (called, confidence)) in labels.into_iter().enumerate() {
                    let truth = levels[at].codes[cell];
                    let tally = &mut expected[at];
                    if rest.iter().all(|&other| levels[at].codes[other] != truth) {
                        tally.1 += 1;
                        continue;
                    }
                    tally.0 += 1;
                    tally.2 += usize::from(called == usize::from(truth));
                    let bin = ((confidence * 10.0) as usize).min(9);
                    tally.3[bin] += 1;
                    tally.4[bin] += confidence;
                }
            }
        }
        for (level, (cells, missing, right, bins, sums)) in held_out.levels.iter().zip(expected) {
            assert_eq!((level.cells, level.cells_of_missing_classes), (cells, missing));
            assert!((level.accuracy - right as f64 / cells as f64).abs() < 1e-6, "{} {right}", level.accuracy);
            for ((found, cells), sum) in level.reliability.iter().zip(bins).zip(sums) {
                assert_eq!(found.cells, cells);
                assert!((found.confidence - sum / f64::from(cells.max(1) as u32)).abs() < 2e-6);
            }
        }
    }
}

#[test]
fn known_figures() {
    let (_, _, _, by_donor) = found(true);
    assert_eq!((by_donor.column.as_deref(), by_donor.folds), (Some("donor"), 4));
    type Figures<'a> = (&'a str, usize, usize, f64, Option<f64>, f64);
    let figures = |held_out: &HeldOut| -> Vec<(String, usize, usize, f64, Option<f64>, f64)> {
        let of = |level: &HeldOutLevel| {
            let missing = level.cells_of_missing_classes;
            (level.name.clone(), level.cells, missing, level.accuracy, level.macro_f1, level.calibration_error)
        };
        held_out.levels.iter().map(of).collect()
    };
    let expected: [Figures<'_>; 3] = [
        ("coarse", 400, 0, 0.96, Some(0.895772), 0.025124),
        ("fine", 390, 10, 0.971795, Some(0.910692), 0.056434),
        ("crossing", 400, 0, 0.935, Some(0.933066), 0.047739),
    ];
    let expected =
        expected.map(|(name, cells, missing, accuracy, f1, error)| (name.into(), cells, missing, accuracy, f1, error));
    assert_eq!(figures(&by_donor), expected);
    let fine = &by_donor.levels[1];
    let bins: Vec<(usize, f64, f64)> =
        fine.reliability.iter().map(|bin| (bin.cells, bin.confidence, bin.right)).collect();
    assert_eq!(bins[..3], [(0, 0.0, 0.0); 3]);
    assert_eq!(
        bins[3..],
        [
            (1, 0.360541, 1.0),
            (2, 0.44696, 0.0),
            (19, 0.550873, 0.631579),
            (12, 0.641259, 1.0),
            (22, 0.758593, 0.909091),
            (36, 0.861403, 1.0),
            (298, 0.978734, 1.0),
        ]
    );
    let classes: Vec<(&str, usize, usize, f64, f64)> = fine
        .classes
        .iter()
        .map(|class| (class.name.as_str(), class.cells, class.called, class.accuracy, class.f1))
        .collect();
    assert_eq!(
        classes,
        [
            ("fine0", 190, 196, 1.0, 0.984456),
            ("fine1", 113, 110, 0.973451, 0.986547),
            ("fine2", 47, 48, 0.978723, 0.968421),
            ("fine3", 28, 29, 0.964286, 0.947368),
            ("fine4", 12, 6, 0.5, 0.666667),
            ("fine5", 0, 1, 0.0, 0.0),
        ]
    );
    // Each donor by itself; together they are the whole.
    assert_eq!(fine.parts.len(), 4);
    assert_eq!(fine.parts.iter().map(|part| part.cells).sum::<usize>(), fine.cells);
    let right = fine.parts.iter().fold(0.0, |sum, part| sum + part.accuracy * part.cells as f64);
    assert!((right / fine.cells as f64 - fine.accuracy).abs() < 1e-5, "{right}");
    let (_, _, parts, random) = found(false);
    assert!(random.levels.iter().all(|level| level.parts.is_empty()));
    assert_eq!(parts.cells.iter().map(Vec::len).collect::<Vec<_>>(), [79, 65, 85, 85, 86]);
    assert_eq!(
        random.sentence(),
        "Held out within the sample (5 random parts), optimistic: the rest of the reference labels 96.2 % at coarse, 94.8 % at \
         fine, 93.0 % at crossing of the cells right."
    );
}

#[test]
fn what_a_reference_says_of_itself_keeps_the_figures() {
    let about = About { name: "small".into(), held_out: Some(found(true).3), ..About::default() };
    let text = serde_json::to_string(&about).expect("JSON");
    assert_eq!(serde_json::from_str::<About>(&text).expect("the same"), about);
    // A bundle without them has no word of them, and is read.
    let text = serde_json::to_string(&About::default()).expect("JSON");
    assert!(!text.contains("held_out"), "{text}");
    assert_eq!(serde_json::from_str::<About>(&text).expect("the same"), About::default());
}

#[test]
fn any_number_of_threads_gives_the_same_figures() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| found(false).3)
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn every_cell_is_in_one_part() {
    for by in [By::Usual, By::Column("lane".into())] {
        let (_, _, names, mut metadata) = synthetic();
        // Three lanes, one with few cells, and some cells without one; missing values of a donor make it no usual column.
        let lane = |cell: usize| if cell < 30 { f64::NAN } else { (cell % 100 / 45) as f64 };
        metadata.push(("lane".into(), Column::Number((0..CELLS).map(lane).collect())));
        let parts = parts(&names, &metadata, &by).expect("it divides").expect("some");
        let mut cells = parts.cells.concat();
        cells.sort_unstable();
        assert_eq!(cells, (0..CELLS).collect::<Vec<_>>());
        assert!(parts.cells.iter().all(|part| part.is_sorted()));
        let sizes: Vec<usize> = parts.cells.iter().map(Vec::len).collect();
        match by {
            By::Usual => assert_eq!((parts.column.as_deref(), sizes), (Some("donor"), vec![100; 4])),
            // 40 cells of the third lane and 30 without a lane together.
            _ => {
                assert_eq!((parts.column.as_deref(), sizes), (Some("lane"), vec![150, 180, 70]));
                assert_eq!(parts.names, ["0", "1", "others"]);
            }
        }
    }
}

#[test]
fn a_part_depends_on_names_and_not_on_rows() {
    let (_, _, names, _) = synthetic();
    let of = |names: &[String]| {
        let parts = parts(names, &[], &By::Usual).expect("no column").expect("some");
        assert_eq!((parts.column, parts.cells.len()), (None, 5));
        let named = |part: Vec<usize>| part.into_iter().map(|cell| names[cell].clone()).collect::<Vec<_>>();
        let mut parts: Vec<Vec<String>> = parts.cells.into_iter().map(named).collect();
        parts.iter_mut().for_each(|part| part.sort());
        parts
    };
    let reversed: Vec<String> = names.iter().rev().cloned().collect();
    assert_eq!(of(&names), of(&reversed));
    assert!(parts(&names, &[], &By::Nothing).expect("no error").is_none());
}

#[test]
fn a_column_that_does_not_divide_is_refused() {
    let (_, _, names, mut metadata) = synthetic();
    metadata.push(("same".into(), Column::Text(vec!["a".into(); CELLS])));
    metadata.push(("own".into(), Column::Text(names.clone())));
    let refusal = |name: &str| parts(&names, &metadata, &By::Column(name.into())).unwrap_err().message;
    assert_eq!(
        refusal("patient"),
        "The file has no cell column 'patient' to hold cells out by. Its columns are: donor, same, own."
    );
    for name in ["same", "own"] {
        assert_eq!(
            refusal(name),
            format!(
                "The cell column '{name}' does not divide the cells well enough to hold some out: 2 to 50 parts of at least 50 \
                 cells are needed, and it has 1. Name a column of donors, samples or studies, or 'none'."
            )
        );
    }
    // Neither is taken unasked, nor one with few cells of some value.
    metadata[0].1 = Column::Text((0..CELLS).map(|cell| (cell % 9).to_string()).collect());
    let random = parts(&names, &metadata, &By::Usual).expect("no error").expect("some");
    assert_eq!(random.column, None);
}
