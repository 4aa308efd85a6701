//! Matrices in MatrixMarket form and the lists that go with them, found by their names.

use super::super::archive::Member;
use super::super::content::bare;
use super::super::mex;
use super::super::table;
use super::names::{file_name, sample_name};
use super::{Files, Group};

/// Words for the list of cells and for that of features, compared without regard to case.
const CELLS: [&str; 7] = ["barcodes", "barcode", "cells", "cell", "cellnames", "cellids", "rows"];
const FEATURES: [&str; 6] = ["features", "feature", "genes", "gene", "genenames", "cols"];
/// Words that a matrix has in its name and its lists have not.
const MATRIX: [&str; 5] = ["matrix", "counts", "count", "mtx", "mat"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Matrix,
    Cells,
    Features,
}

struct Named {
    member: Member,
    folder: String,
    role: Role,
    /// The words of the name besides the role's.
    key: String,
    /// Words behind the role's: "genes.names" is no better than "genes".
    behind: usize,
    taken: bool,
}

/// Finds the groups of three; the rest is handed back.
pub fn collect(members: Vec<Member>) -> (Vec<Group>, Vec<Member>) {
    let mut rest = Vec::new();
    let mut named: Vec<Named> = Vec::new();
    for member in members {
        match role(&member.path) {
            Some((role, key, behind)) => {
                let folder = member.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
                named.push(Named { member, folder, role, key, behind, taken: false });
            }
            None => rest.push(member),
        }
    }
    let mut sets: Vec<(Option<usize>, Option<usize>, Vec<usize>)> = Vec::new();
    for matrix in 0..named.len() {
        if named[matrix].role == Role::Matrix {
            let [cells, features] = [Role::Cells, Role::Features].map(|role| partner(&named, matrix, role));
            match sets.iter_mut().find(|set| cells.is_some() && (set.0, set.1) == (cells, features)) {
                Some(set) => set.2.push(matrix),
                None => sets.push((cells, features, vec![matrix])),
            }
        }
    }
    // Beside other data a list is only a list.
    if sets.is_empty() && !rest.iter().any(|member| super::is_dataset(&member.path)) {
        sets.extend(lists_alone(&named));
    }
    let mut groups = Vec::new();
    for (cells, features, mut matrices) in sets {
        // "matrix" before its variants.
        matrices.sort_by_key(|&matrix| !file_name(&named[matrix].member.path).to_ascii_lowercase().contains("matrix"));
        for &place in matrices.iter().chain(&cells).chain(&features) {
            named[place].taken = true;
        }
        let take = |place: usize| named[place].member.clone();
        let Some(&first) = matrices.first().or(cells.as_ref()).or(features.as_ref()) else {
            continue;
        };
        let Named { member, folder, key, .. } = &named[first];
        let own = if key.is_empty() { folder.clone() } else { format!("{folder}/{key}") };
        let sample = sample_name(if own.is_empty() { &member.path } else { &own });
        let path = if folder.is_empty() || !key.is_empty() { member.path.clone() } else { folder.clone() };
        let files = mex::Files {
            matrices: matrices.iter().map(|&matrix| take(matrix)).collect(),
            cells: cells.map(take),
            features: features.map(take),
        };
        groups.push(Group { path, sample, files: Files::Mex(files) });
    }
    rest.extend(named.into_iter().filter(|named| !named.taken).map(|named| named.member));
    (groups, rest)
}

/// Lists without any matrix, so that what is missing can be named.
fn lists_alone(named: &[Named]) -> Option<(Option<usize>, Option<usize>, Vec<usize>)> {
    let list = |role: Role| {
        named.iter().position(|named| {
            let lower = named.member.path.to_ascii_lowercase();
            let list = named.role == role && named.behind == 0 && bare(&lower).ends_with(".tsv");
            list && !table::has_numbers(&named.member.content)
        })
    };
    let (cells, features) = (list(Role::Cells), list(Role::Features));
    (cells.is_some() || features.is_some()).then(|| (cells, features, Vec::new()))
}

/// The list in the matrix's folder whose name fits best.
fn partner(named: &[Named], matrix: usize, role: Role) -> Option<usize> {
    let Named { folder, key, .. } = &named[matrix];
    let candidates: Vec<usize> =
        (0..named.len()).filter(|&place| named[place].role == role && named[place].folder == *folder).collect();
    let alone = candidates.len() == 1;
    let fit = |place: &usize| {
        let own = &named[*place].key;
        let shared = key.starts_with(own.as_str()) || own.starts_with(key.as_str());
        let fit = match () {
            () if own == key => usize::MAX,
            () if shared && !own.is_empty() && !key.is_empty() => 1 + own.len().min(key.len()),
            () if own.is_empty() || alone => 1,
            () => 0,
        };
        (fit, usize::MAX - named[*place].behind, usize::MAX - *place)
    };
    candidates.into_iter().filter(|place| fit(place).0 > 0).max_by_key(fit)
}

/// What a file is by its name, the other words of the name, and how many of them stand behind the role's.
fn role(path: &str) -> Option<(Role, String, usize)> {
    let name = file_name(path);
    let lower = name.to_ascii_lowercase();
    let bare = bare(&lower);
    let (stem, extension) = bare.rsplit_once('.')?;
    let words: Vec<&str> = name.get(..stem.len())?.split(['.', '_', '-']).collect();
    let place = |known: &[&str]| words.iter().rposition(|word| known.contains(&word.to_ascii_lowercase().as_str()));
    let without = |place: Option<usize>| {
        let others = words.iter().enumerate().filter(|(at, word)| Some(*at) != place && !word.is_empty());
        others.map(|(_, word)| *word).collect::<Vec<_>>().join("_")
    };
    match extension {
        "mtx" => {
            let place = place(&MATRIX);
            Some((Role::Matrix, without(place), 0))
        }
        "tsv" | "txt" | "csv" => {
            let (cells, features) = (place(&CELLS), place(&FEATURES));
            let (role, place) = match (cells, features) {
                (cells, Some(features)) if cells.is_none_or(|cells| cells < features) => (Role::Features, features),
                (Some(cells), _) => (Role::Cells, cells),
                _ => return None,
            };
            let behind = words.len() - 1 - place;
            let mut key = without(Some(place));
            if behind > 0 {
                key = words[..place].join("_");
            }
            Some((role, key, behind))
        }
        _ => None,
    }
}
