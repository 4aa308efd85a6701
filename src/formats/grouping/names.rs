//! What folders and files of counts are called, and which part of that is the sample.

/// Names that Cell Ranger, STARsolo, kallisto, alevin and Parse give to every sample alike; longer ones first.
const GENERIC: [&str; 34] = [
    "sample_filtered_feature_bc_matrix",
    "sample_raw_feature_bc_matrix",
    "filtered_gene_bc_matrices_h5",
    "raw_gene_bc_matrices_h5",
    "filtered_gene_bc_matrices",
    "raw_gene_bc_matrices",
    "filtered_feature_bc_matrix",
    "raw_feature_bc_matrix",
    "filtered_feature_bc",
    "raw_feature_bc",
    "filtered_peak_bc_matrix",
    "counts_unfiltered",
    "counts_filtered",
    "per_sample_outs",
    "dge_unfiltered",
    "dge_filtered",
    "cells_x_genes",
    "quants_mat",
    "unfiltered",
    "filtered",
    "raw",
    "outs",
    "count",
    "multi",
    "solo.out",
    "genefull_ex50pas",
    "genefull",
    "gene",
    "velocyto",
    "matrix",
    "quants",
    "dge",
    "unspliced",
    "spliced",
];
/// Endings of files and folders, also of packed ones.
const ENDINGS: [&str; 29] = [
    "h5ad", "h5mu", "h5", "hdf5", "h5seurat", "loom", "rds", "rda", "rdata", "robj", "mtx", "csv", "tsv", "txt", "tab",
    "mex", "zarr", "zip", "tar", "tgz", "tbz", "tbz2", "txz", "tzst", "gz", "bz2", "xz", "zst", "dge",
];
/// Folders that are named for a genome or a program.
const GENERIC_FOLDERS: [&str; 9] = ["hg19", "hg38", "grch37", "grch38", "mm10", "mm39", "grcm38", "grcm39", "alevin"];

/// Whether barcodes without cells were left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Filtered,
    Raw,
}

/// The form, when the path tells it.
pub fn form(path: &str) -> Option<Form> {
    let lower = path.to_ascii_lowercase();
    let part = |name: &str| lower.split(['/', '.']).any(|part| part == name);
    if lower.contains("raw_feature_bc") || lower.contains("raw_gene_bc") || lower.contains("unfiltered") || part("raw")
    {
        return Some(Form::Raw);
    }
    (lower.contains("filtered_feature_bc")
        || lower.contains("filtered_gene_bc")
        || part("filtered")
        || part("counts_filtered"))
    .then_some(Form::Filtered)
}

/// What the forms of the same counts have in common.
pub fn form_key(path: &str) -> String {
    let parts: Vec<String> = path.split('/').filter_map(own_part).collect();
    parts.join("/")
}

pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The innermost part of a path that is the sample's own, without extensions.
pub fn sample_name(path: &str) -> String {
    path.rsplit('/').find_map(own_part).unwrap_or_else(|| stem(file_name(path)).to_owned())
}

/// A name without the endings that say of what kind it is; other dots are the person's own.
fn stem(name: &str) -> &str {
    let mut stem = name;
    while let Some((before, ending)) = stem.rsplit_once('.') {
        if before.is_empty() || !ENDINGS.contains(&ending.to_ascii_lowercase().as_str()) {
            break;
        }
        stem = before;
    }
    stem
}

/// What is left of a name without what every sample is called.
fn own_part(part: &str) -> Option<String> {
    let part = if part.to_ascii_lowercase().ends_with("solo.out") {
        part[..part.len() - 8].trim_end_matches(['_', '-', '.'])
    } else {
        stem(part)
    };
    let lower = part.to_ascii_lowercase();
    if GENERIC_FOLDERS.contains(&lower.as_str()) {
        return None;
    }
    let end = |name: &&str| lower.strip_suffix(*name).filter(|rest| rest.is_empty() || rest.ends_with(['_', '-', '.']));
    let own = match GENERIC.iter().find_map(end) {
        Some(rest) => part[..rest.len()].trim_end_matches(['_', '-', '.']),
        None => part,
    };
    (!own.is_empty()).then(|| own.to_owned())
}
