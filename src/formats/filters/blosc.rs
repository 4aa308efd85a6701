//! Blosc 1: a container of blocks, each shuffled and compressed by one of several compressors.

use super::bitshuffle::unshuffle_bits;
use super::blocks::{lz4_into, split_u32};
use super::shuffle::unshuffle_into;
use super::{Decoded, Streams, blosclz};

const WHY: &str = "a Blosc chunk does not decompress";
/// The header's bytes.
const HEADER: usize = 16;
/// Blocks of elements wider than this were never split by their bytes.
const WIDEST_SPLIT: usize = 16;
/// Nor were blocks of fewer elements.
const FEWEST_TO_SPLIT: usize = 128;

/// What the header says.
struct Header {
    flags: u8,
    /// Bytes of an element, 255 at most.
    width: usize,
    /// Decoded bytes.
    length: usize,
    /// Decoded bytes of a block; the last may have fewer.
    block: usize,
}

impl Header {
    /// # Source
    /// c-blosc's `README_CHUNK_FORMAT.rst`.
    fn read(input: &[u8], limit: usize) -> Decoded<Self> {
        let &[version, _, flags, width, ref sizes @ ..] = input else {
            return Err(WHY);
        };
        let (length, sizes) = split_u32(sizes, u32::from_le_bytes).ok_or(WHY)?;
        let (block, sizes) = split_u32(sizes, u32::from_le_bytes).ok_or(WHY)?;
        let (stored, _) = split_u32(sizes, u32::from_le_bytes).ok_or(WHY)?;
        if version == 0 || version > 2 {
            return Err("a chunk is of a version of Blosc that is not known");
        }
        let most = input.len().saturating_mul(super::EXPANSION_OF_RUNS as usize);
        if length > limit.min(most) || stored > input.len() || (block == 0 && length > 0) {
            return Err(WHY);
        }
        Ok(Header { flags, width: usize::from(width).max(1), length, block: block.min(length.max(1)) })
    }

    fn shuffled(&self) -> bool {
        self.flags & 1 != 0 && self.width > 1
    }

    fn stored_as_it_is(&self) -> bool {
        self.flags & 2 != 0
    }

    fn bits_shuffled(&self) -> bool {
        self.flags & 4 != 0
    }

    /// Streams of a block: one for each byte of an element, or one.
    fn streams(&self, block: usize) -> usize {
        let split = self.flags & 16 == 0
            && self.width <= WIDEST_SPLIT
            && self.block / self.width >= FEWEST_TO_SPLIT
            && block == self.block;
        if split { self.width } else { 1 }
    }
}

/// Decodes a chunk.
///
/// # Errors
/// When it is damaged or would have more than `limit` bytes.
pub fn decode(input: &[u8], output: &mut Vec<u8>, streams: &mut Streams, limit: usize) -> Decoded<()> {
    let header = Header::read(input, limit)?;
    output.clear();
    if header.stored_as_it_is() {
        let bytes = input.get(HEADER..).and_then(|bytes| bytes.get(..header.length)).ok_or(WHY)?;
        output.extend_from_slice(bytes);
        return Ok(());
    }
    let starts = input.get(HEADER..).ok_or(WHY)?.as_chunks::<4>().0;
    // Each block has at least an offset: a length is not believed that has fewer.
    if starts.len() < header.length.div_ceil(header.block.max(1)) {
        return Err(WHY);
    }
    output.resize(header.length, 0);
    let mut planes = vec![0; header.block.min(header.length)];
    for (slot, start) in output.chunks_mut(header.block.max(1)).zip(starts) {
        let stored = input.get(u32::from_le_bytes(*start) as usize..).ok_or(WHY)?;
        let planes = planes.get_mut(..slot.len()).ok_or(WHY)?;
        if header.shuffled() {
            decode_block(&header, stored, planes, streams)?;
            unshuffle_into(planes, header.width, slot);
        } else if header.bits_shuffled() {
            decode_block(&header, stored, planes, streams)?;
            // Only whole groups of eight elements are shuffled, and only in blocks of nothing else.
            let elements = planes.len() / header.width;
            let shuffled = if elements % 8 == 0 { elements * header.width } else { 0 };
            unshuffle_bits(&planes[..shuffled], header.width, &mut slot[..shuffled]);
            slot[shuffled..].copy_from_slice(&planes[shuffled..]);
        } else {
            decode_block(&header, stored, slot, streams)?;
        }
    }
    Ok(())
}

/// Decodes the streams of a block, each behind its stored length. A stream that did not become smaller is
/// stored as it is.
fn decode_block(header: &Header, stored: &[u8], slot: &mut [u8], streams: &mut Streams) -> Decoded<()> {
    let count = header.streams(slot.len());
    let part = slot.len() / count;
    let mut rest = stored;
    for slot in slot.chunks_mut(part.max(1)) {
        let (length, after) = split_u32(rest, u32::from_le_bytes).ok_or(WHY)?;
        let (bytes, after) = after.split_at_checked(length).ok_or(WHY)?;
        rest = after;
        if length == slot.len() {
            slot.copy_from_slice(bytes);
            continue;
        }
        match header.flags >> 5 {
            0 => blosclz::decode(bytes, slot)?,
            1 => lz4_into(bytes, slot)?,
            2 => return Err("a chunk is compressed with Blosc and Snappy, which is not read"),
            3 => streams.zlib_into(bytes, slot)?,
            4 => streams.zstandard_into(bytes, slot)?,
            _ => return Err("a chunk is compressed with Blosc in a way that is not known"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(flags: u8, width: u8, length: u32, block: u32, body: &[u8]) -> Vec<u8> {
        let mut chunk = vec![2, 1, flags, width];
        for number in [length, block, (HEADER + body.len()) as u32] {
            chunk.extend(number.to_le_bytes());
        }
        chunk.extend(body);
        chunk
    }

    #[test]
    fn containers_are_checked() {
        let (mut output, mut streams) = (Vec::new(), Streams::new());
        let plain = chunk(2, 4, 3, 3, &[1, 2, 3]);
        assert_eq!(decode(&plain, &mut output, &mut streams, 3), Ok(()));
        assert_eq!(output, [1, 2, 3]);
        assert_eq!(decode(&plain, &mut output, &mut streams, 2), Err(WHY));
        // Two elements of two bytes, shuffled, in one block that is stored as it is.
        let shuffled = chunk(1, 2, 4, 4, &[20, 0, 0, 0, 4, 0, 0, 0, 1, 3, 2, 4]);
        assert_eq!(decode(&shuffled, &mut output, &mut streams, 4), Ok(()));
        assert_eq!(output, [1, 2, 3, 4]);
        for end in 0..shuffled.len() {
            assert!(decode(&shuffled[..end], &mut output, &mut streams, 4).is_err(), "{end}");
        }
        let claims = chunk(1, 2, u32::MAX, 1, &[20, 0, 0, 0]);
        assert_eq!(decode(&claims, &mut output, &mut streams, usize::MAX), Err(WHY));
        let snappy = chunk(2 << 5, 1, 8, 8, &[20, 0, 0, 0, 1, 0, 0, 0, 1]);
        let why = "a chunk is compressed with Blosc and Snappy, which is not read";
        assert_eq!(decode(&snappy, &mut output, &mut streams, 8), Err(why));
        let newer = [&[5][..], &plain[1..]].concat();
        assert_eq!(
            decode(&newer, &mut output, &mut streams, 3),
            Err("a chunk is of a version of Blosc that is not known")
        );
    }
}
