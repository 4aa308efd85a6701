//! Arrays as `numpy` writes them: NPY 1.0, C order, little-endian.

use crate::error::{Error, Result};
use ndarray::Array2;

/// An element that an array may hold.
pub trait Element: bytemuck::Pod {
    /// numpy's name of the type.
    const DESCRIPTION: &'static str;
}

impl Element for u8 {
    const DESCRIPTION: &'static str = "|u1";
}
impl Element for half::f16 {
    const DESCRIPTION: &'static str = "<f2";
}
impl Element for f32 {
    const DESCRIPTION: &'static str = "<f4";
}
impl Element for f64 {
    const DESCRIPTION: &'static str = "<f8";
}
impl Element for u16 {
    const DESCRIPTION: &'static str = "<u2";
}
impl Element for u32 {
    const DESCRIPTION: &'static str = "<u4";
}

/// The bytes of an array of that shape.
pub fn write<T: Element>(shape: &[usize], values: &[T]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(|size| format!("{size},")).collect();
    let shape = if shape.len() == 1 { sizes.concat() } else { sizes.join(" ").trim_end_matches(',').to_owned() };
    let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({shape}), }}", T::DESCRIPTION);
    // The data begin at a multiple of 64 bytes.
    let padding = 63 - (10 + header.len()) % 64;
    header.push_str(&" ".repeat(padding));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(bytemuck::cast_slice(values));
    bytes
}

/// Shape and values of an array of type `T`.
///
/// # Errors
/// Another type or order, or a length that does not fit the shape.
pub fn read<T: Element>(name: &str, bytes: &[u8]) -> Result<(Vec<usize>, Vec<T>)> {
    let wrong = |what: &str| Error::reference(format!("The reference bundle is damaged: '{name}' {what}."));
    if !bytes.starts_with(b"\x93NUMPY\x01") || bytes.len() < 10 {
        return Err(wrong("is not an NPY 1.0 array"));
    }
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = bytes.get(10..10 + length).ok_or_else(|| wrong("is cut off"))?;
    let header = std::str::from_utf8(header).map_err(|_| wrong("has an unreadable header"))?;
    if !header.contains(&format!("'{}'", T::DESCRIPTION)) || header.contains("'fortran_order': True") {
        return Err(wrong(&format!("should hold '{}' in C order", T::DESCRIPTION)));
    }
    let shape = header.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(shape, _)| shape);
    let shape: Option<Vec<usize>> = shape.and_then(|shape| {
        shape.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect()
    });
    let shape = shape.ok_or_else(|| wrong("has an unreadable shape"))?;
    let count = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
    let data = &bytes[10 + length..];
    if count.and_then(|count| count.checked_mul(size_of::<T>())) != Some(data.len()) {
        return Err(wrong("is not as long as its shape says"));
    }
    let mut values = vec![T::zeroed(); data.len() / size_of::<T>()];
    bytemuck::cast_slice_mut::<T, u8>(&mut values).copy_from_slice(data);
    Ok((shape, values))
}

/// An array of one dimension.
pub fn read_vector<T: Element>(name: &str, bytes: &[u8]) -> Result<Vec<T>> {
    match read(name, bytes)? {
        (shape, values) if shape.len() == 1 => Ok(values),
        (shape, _) => {
            Err(Error::reference(format!("The reference bundle is damaged: '{name}' has the shape {shape:?}.")))
        }
    }
}

/// An array of two dimensions.
pub fn read_matrix<T: Element>(name: &str, bytes: &[u8]) -> Result<Array2<T>> {
    let (shape, values) = read(name, bytes)?;
    let wrong = || Error::reference(format!("The reference bundle is damaged: '{name}' has the shape {shape:?}."));
    let &[rows, columns] = shape.as_slice() else { return Err(wrong()) };
    Array2::from_shape_vec((rows, columns), values).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_refusal() {
        let bytes = write(&[2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, f32::INFINITY]);
        assert_eq!(bytes.len() % 64, 24);
        let matrix: Array2<f32> = read_matrix("m.npy", &bytes).expect("a matrix");
        assert_eq!(matrix.dim(), (2, 3));
        assert_eq!(matrix[(1, 2)], f32::INFINITY);
        assert!(read_vector::<f32>("m.npy", &bytes).is_err());
        assert!(read_matrix::<f64>("m.npy", &bytes).is_err());
        for length in 0..bytes.len() {
            assert!(read::<f32>("m.npy", &bytes[..length]).is_err());
        }
        assert_eq!(read_vector::<u16>("v.npy", &write(&[3], &[7u16, 8, 9])).expect("a vector"), [7, 8, 9]);
    }
}
