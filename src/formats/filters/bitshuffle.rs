//! Bitshuffle: bits of equal significance stand together, alone or before LZ4 or Zstandard.

use super::blocks::{lz4_into, split_u32, split_u64};
use super::{Decoded, Streams};

const WHY: &str = "a bitshuffle chunk does not decode";

/// The settings of HDF5's filter 32008.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bitshuffle {
    /// Bytes of an element.
    width: usize,
    /// Elements of a block, a multiple of eight.
    block: usize,
    compression: Compression,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Lz4,
    Zstandard,
}

impl Bitshuffle {
    /// The settings in the pipeline: two version numbers, the element's size, the block's size, the
    /// compression. `None` when they make no sense.
    ///
    /// # Source
    /// bitshuffle's README, "Usage for HDF5"; blocks of about 8 KiB when no size is given.
    pub fn of_hdf5(client: &[u32], size: usize) -> Option<Self> {
        let width = client.get(2).map_or(size, |&width| width as usize);
        let compression = match client.get(4).copied().unwrap_or(0) {
            0 => Compression::None,
            2 => Compression::Lz4,
            3 => Compression::Zstandard,
            _ => return None,
        };
        let block = match client.get(3).copied().unwrap_or(0) as usize {
            0 => (8192 / width.max(1) / 8 * 8).max(128),
            block => block,
        };
        (width > 0 && width <= 1 << 16 && block % 8 == 0).then_some(Bitshuffle { width, block, compression })
    }

    /// Undoes the filter. Compressed chunks begin with their length (8 bytes) and that of a block (4), most
    /// significant byte first; each block stands behind its stored length. The last block is rounded down
    /// to eight elements, and what remains is stored as it is.
    ///
    /// # Errors
    /// When the chunk is damaged.
    pub fn decode(self, input: &[u8], output: &mut Vec<u8>, streams: &mut Streams, limit: usize) -> Decoded<()> {
        let (length, block, mut rest) = match self.compression {
            Compression::None => (input.len(), self.block.checked_mul(self.width).ok_or(WHY)?, input),
            _ => {
                let (length, rest) = split_u64(input).ok_or(WHY)?;
                let (block, rest) = split_u32(rest, u32::from_be_bytes).ok_or(WHY)?;
                (length, block, rest)
            }
        };
        if length > limit || block == 0 || block % (8 * self.width) != 0 {
            return Err(WHY);
        }
        output.clear();
        output.resize(length, 0);
        let shuffled = length / (8 * self.width) * (8 * self.width);
        let (blocks, tail) = output.split_at_mut(shuffled);
        let mut decoded = vec![0; block.min(shuffled)];
        for slot in blocks.chunks_mut(block) {
            let planes = decoded.get_mut(..slot.len()).ok_or(WHY)?;
            rest = match self.compression {
                Compression::None => {
                    let (bytes, after) = rest.split_at_checked(slot.len()).ok_or(WHY)?;
                    planes.copy_from_slice(bytes);
                    after
                }
                compression => {
                    let (stored, after) = split_u32(rest, u32::from_be_bytes).ok_or(WHY)?;
                    let (bytes, after) = after.split_at_checked(stored).ok_or(WHY)?;
                    match compression {
                        Compression::Lz4 => lz4_into(bytes, planes)?,
                        _ => streams.zstandard_into(bytes, planes)?,
                    }
                    after
                }
            };
            unshuffle_bits(planes, self.width, slot);
        }
        if rest.len() != tail.len() {
            return Err(WHY);
        }
        tail.copy_from_slice(rest);
        Ok(())
    }
}

/// Puts the bits of each element together again. Both slices have the same length, a multiple of eight
/// elements: bit `k` of byte `j` of all elements comes as one row of bits, the least significant first.
pub fn unshuffle_bits(input: &[u8], width: usize, output: &mut [u8]) {
    let row = input.len() / width.max(1) / 8;
    for byte in 0..width {
        let planes: [&[u8]; 8] = std::array::from_fn(|bit| &input[(byte * 8 + bit) * row..(byte * 8 + bit + 1) * row]);
        for group in 0..row {
            // Eight bytes, one of each bit, are a square of bits to be mirrored.
            let square = u64::from_le_bytes(std::array::from_fn(|bit| planes[bit][group]));
            for (element, value) in transpose_bits(square).to_le_bytes().into_iter().enumerate() {
                output[(group * 8 + element) * width + byte] = value;
            }
        }
    }
}

/// Mirrors a square of eight by eight bits at its diagonal, in three steps of swaps.
fn transpose_bits(square: u64) -> u64 {
    let mut square = square;
    for (shift, mask) in [(7, 0x00aa_00aa_00aa_00aa_u64), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)] {
        let swapped = (square ^ (square >> shift)) & mask;
        square ^= swapped ^ (swapped << shift);
    }
    square
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffle_bits(input: &[u8], width: usize) -> Vec<u8> {
        let elements = input.len() / width;
        let mut output = vec![0; input.len()];
        for element in 0..elements {
            for bit in 0..8 * width {
                let set = input[element * width + bit / 8] >> (bit % 8) & 1;
                output[bit * elements / 8 + element / 8] |= set << (element % 8);
            }
        }
        output
    }

    #[test]
    fn bits_come_together() {
        for (elements, width) in [(8, 1), (64, 4), (24, 3), (16, 8)] {
            let bytes: Vec<u8> = (0..(elements * width) as u32).map(|i| (i * 73 + i * i) as u8).collect();
            let mut output = vec![0; bytes.len()];
            unshuffle_bits(&shuffle_bits(&bytes, width), width, &mut output);
            assert_eq!(output, bytes, "{elements} of {width}");
        }
    }

    #[test]
    fn settings_and_lengths_are_checked() {
        assert_eq!(Bitshuffle::of_hdf5(&[0, 3, 4, 12, 0], 4), None);
        assert_eq!(Bitshuffle::of_hdf5(&[0, 3, 0, 0, 0], 4), None);
        assert_eq!(Bitshuffle::of_hdf5(&[0, 3, 4, 0, 1], 4), None);
        let plain = Bitshuffle::of_hdf5(&[0, 3, 2], 2).unwrap();
        let (mut output, mut streams) = (Vec::new(), Streams::new());
        // Eight elements of two bytes, and three bytes beyond.
        let bytes: Vec<u8> = (1..20).collect();
        let mut chunk = shuffle_bits(&bytes[..16], 2);
        chunk.extend(&bytes[16..]);
        assert_eq!(plain.decode(&chunk, &mut output, &mut streams, 64), Ok(()));
        assert_eq!(output, bytes);
        let packed = Bitshuffle::of_hdf5(&[0, 3, 2, 0, 2], 2).unwrap();
        for length in [4, 12, 19] {
            assert!(packed.decode(&chunk[..length], &mut output, &mut streams, 64).is_err());
        }
    }
}
