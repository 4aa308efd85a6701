//! References that others publish, told apart by their content: Azimuth's and Symphony's.

pub use crate::azimuth::Options;
use crate::azimuth::{self, of_reference};
use crate::error::{Error, Result, Warning};
use crate::formats::{RObjects, Source};
use crate::progress::Progress;
use crate::reference::{About, Reference};
use crate::symphony;

/// Imports the object of an R file: of [`crate::azimuth`] or of [`crate::symphony`]. `about` is what its card says; what the object
/// tells of itself is added.
///
/// # Errors
/// When it is neither, or lacks a part: a sentence that names it.
pub fn import(
    source: Box<dyn Source>,
    options: &Options,
    about: About,
    progress: &Progress<'_>,
) -> Result<(Reference, Vec<Warning>)> {
    of_reference(import_object(source, options, about, progress))
}

fn import_object(
    source: Box<dyn Source>,
    options: &Options,
    about: About,
    progress: &Progress<'_>,
) -> Result<(Reference, Vec<Warning>)> {
    progress.report("Reading", 0.0);
    let objects = RObjects::open(source)?.ok_or_else(|| fault("it is no file that R's saveRDS() wrote"))?;
    let all = objects.all();
    if all.iter().any(|(_, object)| object.is_a("Seurat")) {
        return azimuth::import_objects(&objects, options, about, progress);
    }
    if let Some(list) = symphony::of_objects(&objects) {
        return symphony::import_object(list, options, about, progress);
    }
    Err(match all.first() {
        Some((_, other)) => fault(format!("its object is of the class {}", other.class())),
        None => fault("there is no object in it"),
    })
}

fn fault(what: impl AsRef<str>) -> Error {
    Error::reference(format!(
        "This cannot be imported as a reference: {}. Give the file ref.Rds of a reference that Azimuth publishes, or what \
         buildReference() of the R package symphony returns, saved with saveRDS().",
        what.as_ref()
    ))
}
