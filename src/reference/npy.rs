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

/// What the head of an array says, and its data.
struct Stored<'a> {
    header: &'a str,
    shape: Vec<usize>,
    data: &'a [u8],
}

fn wrong(name: &str, what: &str) -> Error {
    Error::reference(format!("The reference bundle is damaged: '{name}' {what}."))
}

/// # Errors
/// No array, or one that is cut off.
fn open<'a>(name: &str, bytes: &'a [u8]) -> Result<Stored<'a>> {
    if !bytes.starts_with(b"\x93NUMPY\x01") || bytes.len() < 10 {
        return Err(wrong(name, "is not an NPY 1.0 array"));
    }
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = bytes.get(10..10 + length).ok_or_else(|| wrong(name, "is cut off"))?;
    let header = std::str::from_utf8(header).map_err(|_| wrong(name, "has an unreadable header"))?;
    let shape = header.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(shape, _)| shape);
    let shape: Option<Vec<usize>> = shape.and_then(|shape| {
        shape.split(',').map(str::trim).filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect()
    });
    let shape = shape.ok_or_else(|| wrong(name, "has an unreadable shape"))?;
    Ok(Stored { header, shape, data: &bytes[10 + length..] })
}

impl<'a> Stored<'a> {
    fn holds<T: Element>(&self) -> bool {
        self.header.contains(&format!("'{}'", T::DESCRIPTION)) && !self.header.contains("'fortran_order': True")
    }

    /// The data, if it is of the type and as long as the shape says.
    fn elements<T: Element>(&self, name: &str) -> Result<&'a [u8]> {
        if !self.holds::<T>() {
            return Err(wrong(name, &format!("should hold '{}' in C order", T::DESCRIPTION)));
        }
        let count = self.shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
        match count.and_then(|count| count.checked_mul(size_of::<T>())) == Some(self.data.len()) {
            true => Ok(self.data),
            false => Err(wrong(name, "is not as long as its shape says")),
        }
    }
}

/// Shape and values of an array of type `T`.
///
/// # Errors
/// Another type or order, or a length that does not fit the shape.
pub fn read<T: Element>(name: &str, bytes: &[u8]) -> Result<(Vec<usize>, Vec<T>)> {
    let stored = open(name, bytes)?;
    let data = stored.elements::<T>(name)?;
    let mut values = vec![T::zeroed(); data.len() / size_of::<T>()];
    bytemuck::cast_slice_mut::<T, u8>(&mut values).copy_from_slice(data);
    Ok((stored.shape, values))
}

/// An array of two dimensions that is stored as `T` or, to save room, as `Short`, which is made long as it is read: there
/// are never both of them in memory.
///
/// # Errors
/// As [`read`] of `T`.
pub fn read_matrix_of<T: Element + From<Short>, Short: Element>(name: &str, bytes: &[u8]) -> Result<Array2<T>> {
    let stored = open(name, bytes)?;
    if !stored.holds::<Short>() {
        return read_matrix(name, bytes);
    }
    let data = stored.elements::<Short>(name)?;
    let values =
        data.chunks_exact(size_of::<Short>()).map(|bytes| T::from(bytemuck::pod_read_unaligned::<Short>(bytes)));
    in_rows(name, stored.shape, values.collect())
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
    in_rows(name, shape, values)
}

fn in_rows<T>(name: &str, shape: Vec<usize>, values: Vec<T>) -> Result<Array2<T>> {
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
        let halves = write(&[1, 2], &[half::f16::from_f32(0.5), half::f16::from_f32(-2.0)]);
        for (stored, found) in [(halves, vec![0.5f32, -2.0]), (write(&[1, 2], &[3.5f32, 0.1]), vec![3.5, 0.1])] {
            let read: Array2<f32> = read_matrix_of::<f32, half::f16>("m.npy", &stored).expect("a matrix");
            assert_eq!(read.into_raw_vec_and_offset().0, found);
            assert!(read_matrix_of::<f32, half::f16>("m.npy", &stored[..stored.len() - 1]).is_err());
        }
        assert!(read_matrix_of::<f32, half::f16>("m.npy", &write(&[1, 1], &[1u8])).is_err());
        assert_eq!(read_vector::<u16>("v.npy", &write(&[3], &[7u16, 8, 9])).expect("a vector"), [7, 8, 9]);
    }
}
