//! LZ4: blocks behind the headers that HDF5 and numcodecs put in front of them.

use super::Decoded;

const WHY: &str = "an LZ4 chunk does not decompress";

/// The first four bytes as a number, and the rest.
pub fn split_u32(input: &[u8], read: fn([u8; 4]) -> u32) -> Option<(usize, &[u8])> {
    let (head, rest) = input.split_first_chunk::<4>()?;
    Some((usize::try_from(read(*head)).ok()?, rest))
}

/// The first eight bytes, most significant first, as a number, and the rest.
pub fn split_u64(input: &[u8]) -> Option<(usize, &[u8])> {
    let (head, rest) = input.split_first_chunk::<8>()?;
    Some((usize::try_from(u64::from_be_bytes(*head)).ok()?, rest))
}

/// Decodes one LZ4 block, which fills `output`.
pub fn lz4_into(input: &[u8], output: &mut [u8]) -> Decoded<()> {
    match lz4_flex::block::decompress_into(input, output) {
        Ok(written) if written == output.len() => Ok(()),
        _ => Err(WHY),
    }
}

/// The LZ4 filter of HDF5: the length of the chunk (8 bytes) and of a block (4), then each block behind its
/// stored length (4); all numbers have their most significant byte first. A block that did not become
/// smaller is stored as it is.
///
/// # Source
/// <https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md>, filter 32004.
pub fn lz4_of_hdf5(input: &[u8], output: &mut Vec<u8>, limit: usize) -> Decoded<()> {
    let (length, rest) = split_u64(input).ok_or(WHY)?;
    let (block, mut rest) = split_u32(rest, u32::from_be_bytes).ok_or(WHY)?;
    if length > limit || length > input.len().saturating_mul(256) || (block == 0 && length > 0) {
        return Err(WHY);
    }
    output.clear();
    output.resize(length, 0);
    for slot in output.chunks_mut(block.max(1)) {
        let (stored, after) = split_u32(rest, u32::from_be_bytes).ok_or(WHY)?;
        let (bytes, after) = after.split_at_checked(stored).ok_or(WHY)?;
        if stored == slot.len() {
            slot.copy_from_slice(bytes);
        } else {
            lz4_into(bytes, slot)?;
        }
        rest = after;
    }
    Ok(())
}

/// One LZ4 block behind its decoded length (4 bytes, least significant first), as numcodecs writes it.
pub fn lz4_sized(input: &[u8], output: &mut Vec<u8>, limit: usize) -> Decoded<()> {
    let (length, rest) = split_u32(input, u32::from_le_bytes).ok_or(WHY)?;
    if length > limit || length > rest.len().saturating_mul(256) {
        return Err(WHY);
    }
    output.clear();
    output.resize(length, 0);
    lz4_into(rest, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_not_believed() {
        let mut output = Vec::new();
        let block = lz4_flex::block::compress(&[7; 100]);
        let mut sized = 100u32.to_le_bytes().to_vec();
        sized.extend(&block);
        assert_eq!(lz4_sized(&sized, &mut output, 100), Ok(()));
        assert_eq!(output, [7; 100]);
        assert!(lz4_sized(&sized, &mut output, 99).is_err());
        sized[..4].copy_from_slice(&101u32.to_le_bytes());
        assert!(lz4_sized(&sized, &mut output, 1000).is_err());
        sized[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(lz4_sized(&sized, &mut output, usize::MAX).is_err());

        let mut chunk = 103u64.to_be_bytes().to_vec();
        chunk.extend(100u32.to_be_bytes());
        chunk.extend((block.len() as u32).to_be_bytes());
        chunk.extend(&block);
        chunk.extend([0, 0, 0, 3, 1, 2, 3]);
        assert_eq!(lz4_of_hdf5(&chunk, &mut output, 200), Ok(()));
        assert_eq!((output.len(), &output[100..]), (103, &[1, 2, 3][..]));
        for end in 0..chunk.len() {
            assert!(lz4_of_hdf5(&chunk[..end], &mut output, 200).is_err(), "{end}");
        }
    }
}
