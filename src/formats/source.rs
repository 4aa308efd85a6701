//! A cached, positioned view of the bytes that a [`Source`] holds.

use super::Source;
use crate::error::{Error, Result};
use std::io::{ErrorKind, SeekFrom};
use std::sync::{Mutex, MutexGuard};

/// Small reads are served from blocks of this size.
pub const BLOCK: u64 = 1 << 20;
/// Blocks that are kept, the most recently used last.
const KEPT: usize = 16;

/// A source behind a small cache of blocks of 1 MiB. Reads of a block or more go past the cache.
///
/// A browser's `File` is asked for whole blocks, because each request costs far more than its bytes.
/// Only the thread that calls reads: nothing here hands the source to another thread.
pub struct BlockCache {
    size: u64,
    state: Mutex<State>,
}

struct State {
    source: Box<dyn Source>,
    blocks: Vec<(u64, Vec<u8>)>,
}

impl BlockCache {
    /// # Errors
    /// When the source cannot tell its length.
    pub fn new(mut source: Box<dyn Source>) -> Result<Self> {
        let size = source.seek(SeekFrom::End(0)).map_err(|cause| {
            Error::input(format!(
                "the file cannot be read: {cause}. Check that it is still where it was and may be read."
            ))
            .because(cause)
        })?;
        Ok(BlockCache { size, state: Mutex::new(State { source, blocks: Vec::new() }) })
    }

    /// Bytes in the source.
    pub fn len(&self) -> u64 {
        self.size
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl State {
    fn read(&mut self, position: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        self.source.seek(SeekFrom::Start(position))?;
        self.source.read_exact(bytes)
    }

    /// Moves the block to the end of the list, reading it when it is not there.
    fn load(&mut self, block: u64, size: u64) -> std::io::Result<()> {
        if let Some(kept) = self.blocks.iter().position(|(number, _)| *number == block) {
            let hit = self.blocks.remove(kept);
            self.blocks.push(hit);
            return Ok(());
        }
        let start = block * BLOCK;
        let mut bytes = vec![0; BLOCK.min(size - start) as usize];
        self.read(start, &mut bytes)?;
        if self.blocks.len() >= KEPT {
            self.blocks.remove(0);
        }
        self.blocks.push((block, bytes));
        Ok(())
    }
}

impl BlockCache {
    /// As [`Self::read_exact_at`], past the cache: for files of which there are thousands, each read once.
    ///
    /// # Errors
    /// When the source ends before (`UnexpectedEof`) or fails.
    pub fn read_past(&self, position: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        let end = position.checked_add(buffer.len() as u64).filter(|&end| end <= self.size);
        end.ok_or(ErrorKind::UnexpectedEof)?;
        self.lock().read(position, buffer)
    }

    /// Gives back the blocks that are kept.
    pub fn forget(&self) {
        self.lock().blocks = Vec::new();
    }

    /// Fills the buffer with the bytes from `position` on.
    ///
    /// # Errors
    /// When the source ends before (`UnexpectedEof`) or fails.
    pub fn read_exact_at(&self, position: u64, buffer: &mut [u8]) -> std::io::Result<()> {
        let end = position
            .checked_add(buffer.len() as u64)
            .filter(|&end| end <= self.size)
            .ok_or(ErrorKind::UnexpectedEof)?;
        let mut state = self.lock();
        if buffer.len() as u64 >= BLOCK {
            return state.read(position, buffer);
        }
        let mut at = position;
        let mut rest = buffer;
        while at < end {
            let (block, within) = (at / BLOCK, (at % BLOCK) as usize);
            state.load(block, self.size)?;
            let (_, bytes) = state.blocks.last().ok_or(ErrorKind::UnexpectedEof)?;
            let count = rest.len().min(bytes.len().saturating_sub(within));
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let (head, tail) = rest.split_at_mut(count);
            head.copy_from_slice(&bytes[within..within + count]);
            rest = tail;
            at += count as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn reads_across_blocks_and_past_the_cache() {
        let bytes: Vec<u8> = (0..(2 * BLOCK + 77)).map(|i| (i % 251) as u8).collect();
        let cache = BlockCache::new(Box::new(Cursor::new(bytes.clone()))).unwrap();
        for (start, length) in [(0, 10), (BLOCK as usize - 3, 9), (5, BLOCK as usize + 9), (2 * BLOCK as usize, 77)] {
            let mut read = vec![0; length];
            cache.read_exact_at(start as u64, &mut read).unwrap();
            assert_eq!(read, bytes[start..start + length]);
        }
        let mut beyond = [0; 2];
        let end = cache.read_exact_at(2 * BLOCK + 76, &mut beyond).unwrap_err();
        assert_eq!(end.kind(), ErrorKind::UnexpectedEof);
        assert!(cache.read_exact_at(u64::MAX, &mut beyond).is_err());
    }
}
