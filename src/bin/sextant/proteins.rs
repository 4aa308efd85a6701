//! `--proteins`: of `sextant reference build`, where they come from; of `sextant map`, that they are imputed.

use crate::Failure;
use crate::arguments::Arguments;
use crate::map::{write_or_remove, write_pieces};
use crate::markers::OfMapping;
use serde::Serialize;
use sextant::export;
use sextant::formats::{OpenFile, ProteinTable};
use sextant::map::Mapping;
use sextant::map::proteins::Imputed;
use sextant::markers::{Markers, find_protein_markers};
use sextant::progress::Progress;
use sextant::query::Query;
use sextant::reference::Reference;
use std::path::Path;

/// The counts of proteins of a reference that is built: those of a table that was named, of an entry of `obsm`, or
/// of a usual one where there is any.
pub fn of_build(arguments: &Arguments, file: &OpenFile, cells: &[String]) -> Result<Option<ProteinTable>, Failure> {
    match arguments.value("proteins") {
        Some("none") => Ok(None),
        Some(path) if Path::new(path).is_file() => {
            let path = Path::new(path);
            let text = std::fs::read_to_string(path).map_err(|error| Failure::io("Cannot read", path, &error))?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Ok(Some(ProteinTable::of_text(&text, &name, cells)?))
        }
        key => Ok(file.proteins(key)?),
    }
}

/// Whether `sextant map` was asked for them.
///
/// # Errors
/// The reference has none.
pub fn wanted(arguments: &Arguments, reference: &Reference) -> Result<bool, Failure> {
    let wanted = arguments.flag("proteins");
    if wanted && reference.proteins.is_none() {
        return Err(Failure::usage(format!(
            "The reference '{}' has no proteins to impute any from: leave --proteins out, or build it from a file with counts of \
             proteins.",
            reference.about.name
        )));
    }
    Ok(wanted)
}

/// What stands in `summary.json`.
#[derive(Serialize)]
pub struct Summary {
    proteins: usize,
    values: &'static str,
}

/// Writes `proteins.tsv` and, of the levels whose marker genes were asked for, `protein_markers.tsv`; takes those of another
/// mapping away.
pub fn write_tables(
    out: &Path,
    wanted: bool,
    query: &Query,
    (mapping, reference): (&Mapping, &Reference),
    markers: &OfMapping,
    progress: &Progress<'_>,
) -> Result<Option<Summary>, Failure> {
    let imputed = Imputed::of(mapping, reference).filter(|_| wanted);
    let found: Option<Vec<Markers>> = imputed.as_ref().and_then(|imputed| {
        let groupings = markers.groupings(mapping, reference);
        (!groupings.is_empty()).then(|| find_protein_markers(imputed, &groupings, &Default::default(), progress))
    });
    write_pieces(out, "proteins.tsv", imputed.is_some(), |write| match &imputed {
        Some(imputed) => export::proteins(query, imputed, write),
        None => Ok(()),
    })?;
    let table = imputed.as_ref().zip(found).map(|(imputed, found)| export::protein_markers(&found, imputed.names()));
    write_or_remove(out, "protein_markers.tsv", table)?;
    Ok(imputed
        .map(|imputed| Summary { proteins: imputed.names().len(), values: "imputed from the reference, not measured" }))
}
