//! Filters that put bytes in another order.

use super::Decoded;

/// Puts the bytes of each element together again; bytes beyond the last whole element stay as they are.
pub fn unshuffle(input: &[u8], width: usize, output: &mut Vec<u8>) {
    output.clear();
    output.resize(input.len(), 0);
    unshuffle_into(input, width, output);
}

/// [`unshuffle`] into a slice of the same length.
pub fn unshuffle_into(input: &[u8], width: usize, output: &mut [u8]) {
    let elements = input.len() / width.max(1);
    let whole = elements * width;
    match width {
        2 => interleave::<2>(&input[..whole], output),
        4 => interleave::<4>(&input[..whole], output),
        8 => interleave::<8>(&input[..whole], output),
        _ => {
            for (plane, bytes) in input[..whole].chunks_exact(elements.max(1)).enumerate() {
                for (element, &byte) in bytes.iter().enumerate() {
                    output[element * width + plane] = byte;
                }
            }
        }
    }
    output[whole..].copy_from_slice(&input[whole..]);
}

/// [`unshuffle`] for a width that the compiler knows.
fn interleave<const WIDTH: usize>(input: &[u8], output: &mut [u8]) {
    let elements = input.len() / WIDTH;
    let planes: [&[u8]; WIDTH] = std::array::from_fn(|plane| &input[plane * elements..(plane + 1) * elements]);
    let (slots, _) = output.as_chunks_mut::<WIDTH>();
    for (element, slot) in slots.iter_mut().take(elements).enumerate() {
        *slot = std::array::from_fn(|plane| planes[plane][element]);
    }
}

/// Turns columns one behind the other (Fortran's order) into rows one behind the other.
pub fn transpose(input: &[u8], rows: usize, columns: usize, width: usize, output: &mut Vec<u8>) -> Decoded<()> {
    let bytes = rows.checked_mul(columns).and_then(|elements| elements.checked_mul(width));
    if bytes != Some(input.len()) {
        return Err("a chunk has not the size that was announced");
    }
    output.clear();
    output.resize(input.len(), 0);
    for (position, element) in input.chunks_exact(width.max(1)).enumerate() {
        let (column, row) = (position / rows.max(1), position % rows.max(1));
        let start = (row * columns + column) * width;
        output[start..start + width].copy_from_slice(element);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shuffle(input: &[u8], width: usize) -> Vec<u8> {
        let elements = input.len() / width;
        let mut output: Vec<u8> =
            (0..width).flat_map(|plane| (0..elements).map(move |element| input[element * width + plane])).collect();
        output.extend_from_slice(&input[elements * width..]);
        output
    }

    #[test]
    fn unshuffle_undoes_shuffle() {
        let bytes: Vec<u8> = (0..203u32).map(|i| (i * 37 % 256) as u8).collect();
        for width in [1, 2, 3, 4, 8, 16, 300] {
            let mut output = Vec::new();
            unshuffle(&shuffle(&bytes, width), width, &mut output);
            assert_eq!(output, bytes, "width {width}");
        }
    }

    #[test]
    fn columns_become_rows() {
        let mut output = Vec::new();
        assert_eq!(transpose(&[1, 4, 2, 5, 3, 6], 2, 3, 1, &mut output), Ok(()));
        assert_eq!(output, [1, 2, 3, 4, 5, 6]);
        assert_eq!(transpose(&[1, 1, 3, 3, 2, 2, 4, 4], 2, 2, 2, &mut output), Ok(()));
        assert_eq!(output, [1, 1, 2, 2, 3, 3, 4, 4]);
        assert!(transpose(&[1, 2, 3], 2, 2, 1, &mut output).is_err());
    }
}
