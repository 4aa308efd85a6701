//! What an HDF5 file or a Zarr hierarchy holds, by the names in it.

use super::h5ad::{self, H5ad};
use super::hdf5::Hdf5;
use super::store::{Below, Store};
use super::stored::Format;
use super::tenx_h5;
use super::zarr::Zarr;
use crate::error::{Error, Result};
use std::rc::Rc;

/// What the RNA of a multimodal file is called, in the order in which it is looked for.
const RNA: [&str; 5] = ["rna", "gex", "gene_expression", "gene expression", "mrna"];

/// The format of an HDF5 file.
///
/// # Errors
/// When it is none that is read, or damaged.
pub fn open_hdf5(file: Hdf5) -> Result<Box<dyn Format>> {
    if !h5ad::detect(&file)
        && let Some(layout) = tenx_h5::Layout::detect(&file)?
    {
        return Ok(Box::new(tenx_h5::TenX::new(file, layout)));
    }
    let file: Rc<dyn Store> = Rc::new(file);
    match open(&file, "H5AD", "MuData")? {
        Some(format) => Ok(format),
        None => Err(of_no_kind(&file.members("/")?)),
    }
}

/// The format of a Zarr hierarchy.
///
/// # Errors
/// As [`open_hdf5`].
pub fn open_zarr(file: Zarr) -> Result<Box<dyn Format>> {
    let file: Rc<dyn Store> = Rc::new(file);
    match open(&file, "AnnData (Zarr)", "MuData (Zarr)")? {
        Some(format) => Ok(format),
        None => Err(Error::input(format!(
            "it is a Zarr hierarchy, but not of AnnData: at its top level it has {}. Expected \"X\", \"obs\" and \"var\".",
            listed(&file.members("/")?)
        ))),
    }
}

fn open(file: &Rc<dyn Store>, single: &str, multimodal: &str) -> Result<Option<Box<dyn Format>>> {
    if h5ad::detect(file.as_ref()) {
        return Ok(Some(Box::new(H5ad::new(file.clone(), single)?)));
    }
    if let Some((name, modality)) = rna(file)? {
        return Ok(Some(Box::new(H5ad::new(modality, format!("{multimodal}, modality \"{name}\""))?)));
    }
    if super::loom::detect(file.as_ref()) {
        return Ok(Some(Box::new(super::loom::Loom::new(file.clone())?)));
    }
    if super::h5seurat::detect(file.as_ref()) {
        return Ok(Some(Box::new(super::h5seurat::H5Seurat::new(file.clone())?)));
    }
    let dense = super::dense_h5::open(file)?;
    Ok(dense.map(|dense| Box::new(dense) as Box<dyn Format>))
}

/// The modality of a MuData file that holds gene expression.
fn rna(file: &Rc<dyn Store>) -> Result<Option<(String, Rc<dyn Store>)>> {
    let names = file.members("mod")?;
    let below = |name: &String| Below::new(file.clone(), &format!("mod/{name}"));
    let modalities: Vec<(&String, Below)> =
        names.iter().map(|name| (name, below(name))).filter(|(_, modality)| h5ad::detect(modality)).collect();
    let named = RNA.iter().find_map(|known| modalities.iter().position(|(name, _)| name.eq_ignore_ascii_case(known)));
    let found = match (named, modalities.as_slice()) {
        (Some(place), _) => Some(place),
        (None, [_]) => Some(0),
        (None, []) => None,
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|(name, _)| name.as_str()).collect();
            return Err(Error::input(format!(
                "it is a MuData file with the modalities \"{}\", none of which is called \"rna\". Write the one with gene \
                 expression as H5AD, with `mudata.read(\"in.h5mu\")[\"{}\"].write_h5ad(\"out.h5ad\")`.",
                names.join("\", \""),
                names.first().copied().unwrap_or("rna"),
            )));
        }
    };
    let found = found.and_then(|place| modalities.into_iter().nth(place));
    Ok(found.map(|(name, modality)| (name.clone(), Rc::new(modality) as Rc<dyn Store>)))
}

fn listed(members: &[String]) -> String {
    let mut found: Vec<String> = members.iter().take(8).map(|m| format!("\"{m}\"")).collect();
    if members.len() > found.len() {
        found.push(String::from("…"));
    }
    match found.as_slice() {
        [] => String::from("nothing"),
        found => found.join(", "),
    }
}

/// Says what an HDF5 file is that we do not read.
fn of_no_kind(members: &[String]) -> Error {
    let has = |names: &[&str]| names.iter().all(|name| members.iter().any(|member| member == name));
    let hint = if has(&["barcode_idx", "feature_idx", "umi"]) {
        " It looks like molecule_info.h5: take filtered_feature_bc_matrix.h5 from the same folder."
    } else {
        ""
    };
    Error::input(format!(
        "it is an HDF5 file, but of none of the kinds that Sextant reads (10x Genomics, H5AD, h5Seurat, Loom, MuData): at \
         its top level it has {}. Expected \"matrix\" (10x) or \"X\", \"obs\" and \"var\" (H5AD).{hint}",
        listed(members)
    ))
}
