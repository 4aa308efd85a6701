//! The sentences for R files that cannot be read.

use crate::error::Error;

/// The error for a file whose parts contradict each other or cannot be decoded.
pub fn broken(what: &str) -> Error {
    Error::input(format!(
        "its R data cannot be read: {what}. The file is damaged or was not written completely; copy or download it \
         again, or save it again in R with `saveRDS(object, \"file.rds\")`."
    ))
}

/// The error for a file that ends too early.
pub fn truncated() -> Error {
    Error::input(
        "the file is truncated: its R data end before they are complete. Copy or download it again, or save it again \
         in R with `saveRDS(object, \"file.rds\")`.",
    )
}

/// The error for a source that fails.
pub fn unreadable(error: std::io::Error) -> Error {
    Error::input(format!("it cannot be read: {error}. Check that the file is still where it was and may be read."))
        .because(error)
}
