//! Whether counts fit the memory that is there for them.

use crate::error::{Error, Kind, Result};
use crate::formats::choice::Choice;
use crate::formats::{droplets, grouped};

/// Bytes of memory that counts take.
pub fn counts_bytes(nonzeros: u64, genes: usize, cells: usize) -> u64 {
    nonzeros.saturating_mul(entry_bytes(genes)).saturating_add(8 * cells as u64)
}

fn entry_bytes(genes: usize) -> u64 {
    if genes <= 1 << 16 { 4 } else { 6 }
}

/// Asks for the room that the counts will take, in pieces of at most `piece` bytes, and gives it back: in a browser a request
/// that fails later would end the engine without a word.
///
/// # Errors
/// When there is not so much.
pub fn check_memory(entries: u64, genes: usize, piece: u64) -> Result<()> {
    let bytes = entries.saturating_mul(entry_bytes(genes));
    let mut room = Vec::<Vec<u8>>::new();
    let mut rest = bytes;
    while rest > 0 {
        let size = rest.min(piece);
        let mut part = Vec::new();
        if !usize::try_from(size).is_ok_and(|size| part.try_reserve_exact(size).is_ok()) {
            return Err(Error::new(
                Kind::Memory,
                format!(
                    "its {} counts need {} MB of memory, more than there is here. Use the command on a machine with more \
                     memory, or split the file.",
                    grouped(entries as f64),
                    grouped(bytes as f64 / 1e6)
                ),
            ));
        }
        room.push(part);
        rest -= size;
    }
    // Without this the compiler may decide that the room is not needed, and granted.
    std::hint::black_box(&room);
    Ok(())
}

/// Refuses what cannot fit before anything is read. Unfiltered files keep far less than they hold, and of a selection
/// of genes the size is known by reading only.
pub fn check_budget(choice: &Choice, genes: usize, selected: bool, budget: Option<u64>) -> Result<()> {
    let (Some(budget), Some(nonzeros), Some(shape)) = (budget, choice.nonzeros(), choice.shape()) else {
        return Ok(());
    };
    let bytes = counts_bytes(nonzeros, genes, shape[0]);
    if bytes <= budget || selected || droplets::suspected(shape, Some(nonzeros)) {
        return Ok(());
    }
    Err(too_large(bytes, false, budget, selected))
}

/// Where only what is made of each cell is kept.
pub fn too_many_cells(bytes: u64, budget: u64) -> Error {
    let amount = |bytes: u64| grouped(bytes as f64 / 1e6);
    Error::new(
        Kind::Memory,
        format!(
            "its cells need more than {} MB of memory even where they are mapped in batches, and {} MB are there for them. \
             Use the command on a machine with more memory, or split the file by sample.",
            amount(bytes),
            amount(budget)
        ),
    )
}

/// `at_least`: they need more than `bytes`. `selected`: they are those of the reference's genes already.
pub fn too_large(bytes: u64, at_least: bool, budget: u64, selected: bool) -> Error {
    let amount = |bytes: u64| grouped(bytes as f64 / 1e6);
    let advice = if selected {
        "Use the command on a machine with more memory, or split the file by sample."
    } else {
        "Read the counts of the reference's genes only (labels stay the same; markers beyond those genes are lost), use \
         the command on a machine with more memory, or split the file by sample."
    };
    Error::new(
        Kind::Memory,
        format!(
            "its counts need {}{} MB of memory and {} MB are there for them. {advice}",
            if at_least { "more than " } else { "" },
            amount(bytes),
            amount(budget)
        ),
    )
}
