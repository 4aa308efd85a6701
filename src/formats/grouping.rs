//! Which of the files that were dropped together belong together, and what each dataset is called.

mod names;
mod triples;

use super::archive::{Member, is_litter};
use super::content::{Content, bare};
use super::mex;
use super::table;
use crate::error::{Error, Result, Warning};
use names::{Form, sample_name};

/// Files of an open-ended kind that stand beside counts and are not read.
const BESIDE_NAMES: [&str; 10] = [
    "molecule_info",
    "web_summary",
    "metrics",
    "readme",
    "license",
    "feature_reference",
    "tissue_positions",
    "scalefactors_json",
    "probe_set",
    "summary",
];
/// Folders of Cell Ranger and Space Ranger with results that are no counts.
const BESIDE_FOLDERS: [&str; 4] = ["analysis", "spatial", "crispr_analysis", "deconvolution"];
/// Extensions of files that can be a dataset of their own, `.gz` left out.
const DATASETS: [&str; 15] = [
    "h5", "hdf5", "h5ad", "h5mu", "loom", "h5seurat", "rds", "rda", "rdata", "robj", "csv", "tsv", "txt", "tab", "dge",
];
/// Those of them that are text, and often describe cells instead of counting.
const TEXTS: [&str; 5] = ["csv", "tsv", "txt", "tab", "dge"];
/// Names in a message.
const NAMED: usize = 5;

/// One dataset.
pub struct Group {
    /// The file or folder, for messages.
    pub path: String,
    pub sample: String,
    pub files: Files,
}

/// What a dataset consists of.
pub enum Files {
    Single(Content),
    Mex(mex::Files),
    /// A Zarr store, with paths as they were dropped; `path` of the group is its root.
    Folder(Vec<Member>),
}

/// Sorts files into datasets, in the order in which they were dropped. Of several forms of the same counts the best is taken;
/// what is left over is named in a warning.
///
/// # Errors
/// When there is nothing among them that could be a dataset.
pub fn group(members: Vec<Member>) -> Result<(Vec<Group>, Vec<Warning>)> {
    let (mut members, litter): (Vec<Member>, Vec<Member>) =
        members.into_iter().partition(|member| !is_litter(&member.path));
    if members.is_empty() {
        members = litter;
    }
    let listed: Vec<String> = members.iter().map(|member| member.path.clone()).collect();
    let (mut groups, rest) = folders(members);
    let (triples, rest) = triples::collect(rest);
    groups.extend(triples);
    let mut warnings = Vec::new();
    let (mut possible, mut left): (Vec<Member>, Vec<Member>) =
        rest.into_iter().partition(|member| is_dataset(&member.path));
    // A table beside other data describes it, unless it looks like counts.
    if possible.len() + groups.len() > 1 {
        let counts = |member: &Member| !is_text(&member.path) || table::has_genes(&member.content);
        let (taken, other): (Vec<Member>, Vec<Member>) = possible.into_iter().partition(counts);
        match taken.is_empty() && groups.is_empty() {
            true => possible = other,
            false => {
                possible = taken;
                left.extend(other);
            }
        }
    }
    if possible.is_empty() && groups.is_empty() {
        match left.len() {
            // Whoever opens it says what it is.
            1 => possible = std::mem::take(&mut left),
            _ => return Err(nothing(&listed)),
        }
    }
    groups.extend(possible.into_iter().map(|member| {
        let sample = sample_name(&member.path);
        Group { path: member.path, sample, files: Files::Single(member.content) }
    }));
    let place = |group: &Group| listed.iter().position(|path| path.starts_with(&group.path)).unwrap_or(usize::MAX);
    groups.sort_by_key(place);
    choose_forms(&mut groups, &mut warnings);
    make_unique(&mut groups);
    warnings.extend(ignored(&left));
    Ok((groups, warnings))
}

/// Takes Zarr stores out: folders with `.zgroup` or `zarr.json` in them.
fn folders(members: Vec<Member>) -> (Vec<Group>, Vec<Member>) {
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let marks =
        |member: &&Member| [".zgroup", ".zattrs", ".zmetadata", "zarr.json"].contains(&names::file_name(&member.path));
    let mut roots: Vec<String> = members.iter().filter(marks).map(|member| folder(&member.path)).collect();
    roots.sort();
    // Sorted, so that a root comes before the groups in it.
    let within = |path: &str, root: &str| {
        root.is_empty() || path == root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
    };
    roots.dedup_by(|inner, outer| within(inner, outer));
    let mut groups: Vec<Group> = roots
        .iter()
        .map(|root| Group { path: root.clone(), sample: sample_name(root), files: Files::Folder(Vec::new()) })
        .collect();
    let mut rest = Vec::new();
    for member in members {
        match groups.iter_mut().find(|group| within(&member.path, &group.path)) {
            Some(Group { files: Files::Folder(members), .. }) => members.push(member),
            _ => rest.push(member),
        }
    }
    (groups, rest)
}

fn extension(path: &str) -> String {
    let lower = names::file_name(path).to_ascii_lowercase();
    let bare = bare(&lower);
    bare.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_owned())
}

fn is_text(path: &str) -> bool {
    TEXTS.contains(&extension(path).as_str())
}

fn is_dataset(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default().to_ascii_lowercase();
    let beside = BESIDE_NAMES.iter().any(|beside| name.contains(beside))
        || parts.iter().any(|part| BESIDE_FOLDERS.contains(&part.to_ascii_lowercase().as_str()));
    !beside && DATASETS.contains(&extension(path).as_str())
}

/// Keeps the best of several forms of the same counts: filtered before raw, HDF5 before MEX.
fn choose_forms(groups: &mut Vec<Group>, warnings: &mut Vec<Warning>) {
    let rank = |group: &Group| {
        let form = match &group.files {
            Files::Single(_) if extension(&group.path) != "h5" => None,
            Files::Folder(_) => None,
            _ => names::form(&group.path),
        };
        let mex = u8::from(matches!(group.files, Files::Mex(_)));
        form.map(|form| (names::form_key(&group.path), 2 * u8::from(form == Form::Raw) + mex))
    };
    let ranks: Vec<Option<(String, u8)>> = groups.iter().map(rank).collect();
    let best = |key: &str| {
        let same =
            ranks.iter().enumerate().filter_map(|(place, rank)| rank.as_ref().map(|(own, rank)| (own, rank, place)));
        same.filter(|(own, ..)| own.as_str() == key)
            .min_by_key(|(_, rank, place)| (**rank, *place))
            .map(|(_, _, place)| place)
    };
    let taken: Vec<usize> = ranks
        .iter()
        .enumerate()
        .map(|(place, rank)| rank.as_ref().and_then(|(key, _)| best(key)).unwrap_or(place))
        .collect();
    for chosen in 0..groups.len() {
        let others: Vec<String> = (0..groups.len())
            .filter(|&other| other != chosen && taken[other] == chosen)
            .map(|other| format!("\"{}\"", groups[other].path))
            .collect();
        if !others.is_empty() {
            warnings.push(Warning::new(
                "chosen_among",
                format!(
                    "Of several forms of the same counts \"{}\" was taken, and not {}.",
                    groups[chosen].path,
                    others.join(", ")
                ),
            ));
        }
    }
    let mut place = 0;
    groups.retain(|_| {
        place += 1;
        taken[place - 1] == place - 1
    });
}

/// Samples of one name get numbers.
fn make_unique(groups: &mut [Group]) {
    let mut known: Vec<String> = Vec::new();
    for group in groups {
        let mut number = 1;
        let mut name = group.sample.clone();
        while known.contains(&name) {
            number += 1;
            name = format!("{}_{number}", group.sample);
        }
        known.push(name.clone());
        group.sample = name;
    }
}

fn quoted(paths: &[String]) -> String {
    let mut quoted: Vec<String> = paths.iter().take(NAMED).map(|path| format!("\"{path}\"")).collect();
    if paths.len() > NAMED {
        quoted.push(format!("{} more", paths.len() - NAMED));
    }
    quoted.join(", ")
}

fn ignored(left: &[Member]) -> Option<Warning> {
    let paths: Vec<String> = left.iter().map(|member| member.path.clone()).collect();
    let were = if paths.len() == 1 { "One file was" } else { "Some files were" };
    (!paths.is_empty()).then(|| {
        Warning::new(
            "ignored_files",
            format!("{were} left out, because Sextant finds no counts there: {}.", quoted(&paths)),
        )
    })
}

fn nothing(paths: &[String]) -> Error {
    let ends = |ending: &str| paths.iter().any(|path| path.ends_with(ending));
    let advice = match () {
        () if ends("xl/workbook.xml") => "It is an Excel workbook: save the sheet with the counts as CSV.",
        () if ends("word/document.xml") || ends("ppt/presentation.xml") => {
            "It is a document of Microsoft Office. Sextant reads files with counts; a table in it can be saved as CSV."
        }
        () if ends("manifest.json") && ends(".npy") => {
            "It is a reference: choose it as that, and load the cells to map."
        }
        () => "Sextant reads 10x HDF5 and MEX, H5AD, R objects, Zarr, and tables as CSV or TSV.",
    };
    Error::input(format!("there are no counts among the {} files: {}. {advice}", paths.len(), quoted(paths)))
}

#[cfg(test)]
#[path = "grouping/tests.rs"]
mod tests;
