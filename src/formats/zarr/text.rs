//! Strings in Zarr arrays.

use super::types::Type;
use crate::error::Result;
use crate::formats::chunks::Chunks;
use crate::formats::hdf5::damaged;

/// Every string of an array of one dimension; those that were never written are empty. Bytes that are not UTF-8 are
/// replaced.
///
/// # Errors
/// When the data is damaged or the source fails.
pub fn strings(chunks: &Chunks, kind: Type) -> Result<Vec<String>> {
    let short = || damaged(&chunks.path, "it is shorter than its shape");
    chunks.check_size()?;
    if chunks.grid.columns != 1 {
        return Err(damaged(&chunks.path, "it should have one dimension"));
    }
    let numbers = (0..chunks.grid.bands()).map(|number| (number, ())).collect();
    let read = chunks.visit(numbers, &mut |_| {}, |number, (), bytes| {
        let rows = chunks.grid.band_rows(number);
        let count = (rows.end - rows.start) as usize;
        match kind {
            Type::Text if bytes.is_empty() => Some(vec![String::new(); count]),
            Type::Text => of_any_length(bytes, count),
            _ => of_fixed_length(bytes, kind, count),
        }
    })?;
    let mut strings = Vec::with_capacity(chunks.grid.rows as usize);
    for part in read {
        strings.extend(part.ok_or_else(short)?);
    }
    Ok(strings)
}

/// The number of strings (4 bytes, least significant first), then each behind its length.
///
/// # Source
/// numcodecs' VLenUTF8 and VLenBytes, <https://numcodecs.readthedocs.io/en/stable/other/vlen.html>.
fn of_any_length(bytes: &[u8], count: usize) -> Option<Vec<String>> {
    let (stored, mut rest) = bytes.split_first_chunk::<4>()?;
    // Chunks at the end may hold more than the array needs.
    if (u32::from_le_bytes(*stored) as usize) < count || rest.len() / 4 < count {
        return None;
    }
    let mut strings = Vec::with_capacity(count);
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        strings.push(String::from_utf8_lossy(text).into_owned());
        rest = after;
    }
    Some(strings)
}

fn of_fixed_length(bytes: &[u8], kind: Type, count: usize) -> Option<Vec<String>> {
    let values = bytes.chunks_exact(kind.width()).take(count);
    let strings: Vec<String> = match kind {
        Type::FixedText { big_endian, .. } => values.map(|value| of_characters(value, big_endian)).collect(),
        _ => values
            .map(|value| {
                let end = value.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
                String::from_utf8_lossy(&value[..end]).into_owned()
            })
            .collect(),
    };
    (strings.len() == count).then_some(strings)
}

fn of_characters(value: &[u8], big_endian: bool) -> String {
    let codes = value.as_chunks::<4>().0.iter();
    let codes = codes.map(|bytes| if big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) });
    let text: String = codes.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.trim_end_matches('\0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_every_kind() {
        let mut bytes = 2u32.to_le_bytes().to_vec();
        for text in ["né", ""] {
            bytes.extend((text.len() as u32).to_le_bytes());
            bytes.extend(text.as_bytes());
        }
        assert_eq!(of_any_length(&bytes, 2), Some(vec![String::from("né"), String::new()]));
        assert_eq!((of_any_length(&bytes, 3), of_any_length(&bytes[..9], 2)), (None, None));
        assert_eq!(of_any_length(&[255; 8], 1 << 30), None);
        let two = Some(vec![String::from("ab"), String::from("c")]);
        assert_eq!(of_fixed_length(b"ab\0c\0\0", Type::FixedBytes(3), 2), two);
        let wide: Vec<u8> = "ab\0c\0\0".chars().flat_map(|c| (c as u32).to_be_bytes()).collect();
        assert_eq!(of_fixed_length(&wide, Type::FixedText { characters: 3, big_endian: true }, 2), two);
        assert_eq!(of_fixed_length(&wide, Type::FixedBytes(20), 2), None);
    }
}
