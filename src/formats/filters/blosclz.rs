//! BloscLZ, Blosc's own compressor.

use super::Decoded;

const WHY: &str = "a BloscLZ chunk does not decompress";
/// Distances that need two more bytes begin here.
const FAR: usize = 8191;

/// Decodes one stream, which fills `output`.
///
/// A stream is a row of instructions. A first byte below 32 is followed by that many literals and one more.
/// Otherwise its upper three bits are the length of a match (seven: further bytes are added, up to the
/// first that is not 255) less two, and its lower five bits with the next byte are how far back it begins,
/// less one; when those thirteen bits are all set, two more bytes are added to them. The first instruction
/// is always literals.
///
/// # Source
/// The format as c-blosc's `blosclz.c` describes it, a descendant of FastLZ level 2.
pub fn decode(input: &[u8], output: &mut [u8]) -> Decoded<()> {
    let mut bytes = input.iter();
    let mut written = 0;
    let mut next = bytes.next().map(|&first| first & 31);
    while let Some(first) = next {
        if first < 32 {
            let count = usize::from(first) + 1;
            let slots = output.get_mut(written..written + count).ok_or(WHY)?;
            let literals = bytes.as_slice().get(..count).ok_or(WHY)?;
            slots.copy_from_slice(literals);
            bytes = bytes.as_slice()[count..].iter();
            written += count;
        } else {
            let mut length = usize::from(first >> 5) + 2;
            if first >> 5 == 7 {
                loop {
                    let &more = bytes.next().ok_or(WHY)?;
                    length += usize::from(more);
                    if more != 255 {
                        break;
                    }
                }
            }
            let mut distance = usize::from(first & 31) << 8 | usize::from(*bytes.next().ok_or(WHY)?);
            if distance == FAR {
                let (&high, &low) = (bytes.next().ok_or(WHY)?, bytes.next().ok_or(WHY)?);
                distance += usize::from(u16::from_be_bytes([high, low]));
            }
            repeat(output, written, distance + 1, length)?;
            written += length;
        }
        next = bytes.next().copied();
    }
    if written == output.len() { Ok(()) } else { Err(WHY) }
}

/// Copies what stands `distance` back; where the two overlap, what was just written repeats.
fn repeat(output: &mut [u8], written: usize, distance: usize, length: usize) -> Decoded<()> {
    let start = written.checked_sub(distance).ok_or(WHY)?;
    if length > output.len() - written {
        return Err(WHY);
    }
    if distance >= length {
        output.copy_within(start..start + length, written);
    } else {
        for slot in 0..length {
            output[written + slot] = output[start + slot];
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_matches_and_nonsense() {
        let mut output = [0; 10];
        // "ab", then eight bytes from two back.
        assert_eq!(decode(&[1, b'a', b'b', 6 << 5, 1], &mut output), Ok(()));
        assert_eq!(&output, b"ababababab");
        // One "a", then nine more: a length of seven with nothing added.
        assert_eq!(decode(&[0, b'a', 7 << 5, 0, 0], &mut output), Ok(()));
        assert_eq!(&output, b"aaaaaaaaaa");
        for bad in [&[][..], &[1, b'a'], &[0, b'a', 6 << 5], &[0, b'a', 6 << 5, 1], &[0, b'a', 7 << 5, 255, 255], &[31]]
        {
            assert!(decode(bad, &mut output).is_err(), "{bad:?}");
        }
        assert!(decode(&[0, b'a', 7 << 5, 3, 0], &mut output).is_err(), "more than there is room for");
    }
}
