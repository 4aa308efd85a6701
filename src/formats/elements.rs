//! The numeric types that files store, and their conversion.

mod values;

pub use values::Values;

use half::f16;
use hdf5rs::Datatype;
use hdf5rs::format::messages::datatype::{ByteOrder, DatatypeClass};

/// A stored numeric type, of either byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    kind: Kind,
    big_endian: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    F32,
    F64,
}

impl Element {
    /// The element of an integer, floating-point or enumerated (boolean) type; `None` for any other.
    pub fn of(datatype: &Datatype) -> Option<Element> {
        Element::of_type(datatype, false)
    }

    /// The numbers of an enumeration may have fewer bits than their bytes: R stores factors so, with zeros before them.
    fn of_type(datatype: &Datatype, padded: bool) -> Option<Element> {
        let (kind, order) = match &datatype.class {
            DatatypeClass::FixedPoint(integer) => {
                let whole = datatype.size.checked_mul(8) == Some(u32::from(integer.bit_precision));
                if integer.bit_offset != 0 || !(whole || padded && !integer.signed) {
                    return None;
                }
                let kind = match (integer.signed, datatype.size) {
                    (false, 1) => Kind::U8,
                    (false, 2) => Kind::U16,
                    (false, 4) => Kind::U32,
                    (false, 8) => Kind::U64,
                    (true, 1) => Kind::I8,
                    (true, 2) => Kind::I16,
                    (true, 4) => Kind::I32,
                    (true, 8) => Kind::I64,
                    _ => return None,
                };
                (kind, integer.byte_order)
            }
            DatatypeClass::FloatingPoint(float) if float.is_ieee(datatype.size) => {
                let kind = match datatype.size {
                    2 => Kind::F16,
                    4 => Kind::F32,
                    8 => Kind::F64,
                    _ => return None,
                };
                (kind, float.byte_order)
            }
            DatatypeClass::Enumeration { base, .. } if base.size == datatype.size => {
                return Element::of_type(base, true);
            }
            _ => return None,
        };
        let big_endian = match order {
            ByteOrder::LittleEndian => false,
            ByteOrder::BigEndian => true,
            ByteOrder::Vax => return None,
        };
        Some(Element { kind, big_endian })
    }

    /// The element that NumPy calls by this letter ('i', 'u' or 'f') and number of bytes.
    pub fn of_numpy(letter: char, size: usize, big_endian: bool) -> Option<Element> {
        let kind = match (letter, size) {
            ('u', 1) => Kind::U8,
            ('u', 2) => Kind::U16,
            ('u', 4) => Kind::U32,
            ('u', 8) => Kind::U64,
            ('i', 1) => Kind::I8,
            ('i', 2) => Kind::I16,
            ('i', 4) => Kind::I32,
            ('i', 8) => Kind::I64,
            ('f', 2) => Kind::F16,
            ('f', 4) => Kind::F32,
            ('f', 8) => Kind::F64,
            _ => return None,
        };
        Some(Element { kind, big_endian })
    }

    /// The same element with its most significant byte first.
    pub fn big_endian(self) -> Element {
        Element { big_endian: true, ..self }
    }

    /// The bytes of a value.
    pub fn encode(self, value: f64) -> Vec<u8> {
        let mut bytes = match self.kind {
            Kind::U8 => (value as u8).to_le_bytes().to_vec(),
            Kind::U16 => (value as u16).to_le_bytes().to_vec(),
            Kind::U32 => (value as u32).to_le_bytes().to_vec(),
            Kind::U64 => (value as u64).to_le_bytes().to_vec(),
            Kind::I8 => (value as i8).to_le_bytes().to_vec(),
            Kind::I16 => (value as i16).to_le_bytes().to_vec(),
            Kind::I32 => (value as i32).to_le_bytes().to_vec(),
            Kind::I64 => (value as i64).to_le_bytes().to_vec(),
            Kind::F16 => f16::from_f64(value).to_le_bytes().to_vec(),
            Kind::F32 => (value as f32).to_le_bytes().to_vec(),
            Kind::F64 => value.to_le_bytes().to_vec(),
        };
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    /// Whether it is an integer.
    fn is_whole(self) -> bool {
        !matches!(self.kind, Kind::F16 | Kind::F32 | Kind::F64)
    }

    /// Bytes that one value takes.
    pub fn size(self) -> usize {
        match self.kind {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 | Kind::F16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 => 8,
        }
    }

    /// Hands the values of `bytes` to the visitor, in their own type.
    pub fn visit<V: Visit>(self, bytes: &[u8], visitor: V) -> V::Output {
        macro_rules! walk {
            ($type:ty, $size:literal) => {{
                let chunks = bytes.as_chunks::<$size>().0;
                if self.big_endian {
                    visitor.visit(chunks.iter().map(|b| <$type>::from_be_bytes(*b)))
                } else {
                    visitor.visit(chunks.iter().map(|b| <$type>::from_le_bytes(*b)))
                }
            }};
        }
        match self.kind {
            Kind::U8 => walk!(u8, 1),
            Kind::U16 => walk!(u16, 2),
            Kind::U32 => walk!(u32, 4),
            Kind::U64 => walk!(u64, 8),
            Kind::I8 => walk!(i8, 1),
            Kind::I16 => walk!(i16, 2),
            Kind::I32 => walk!(i32, 4),
            Kind::I64 => walk!(i64, 8),
            Kind::F16 => walk!(f16, 2),
            Kind::F32 => walk!(f32, 4),
            Kind::F64 => walk!(f64, 8),
        }
    }
}

/// Something done with values of whichever type the file stores.
pub trait Visit {
    type Output;
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N> + Clone) -> Self::Output;
}

/// What the reader asks of a stored number.
pub trait Number: Copy {
    /// As a position: negative numbers and fractions become `u64::MAX`, which no limit admits.
    fn position(self) -> u64;
    /// The largest position of all, 0 for none.
    fn largest_position(values: impl Iterator<Item = Self>) -> u64 {
        values.map(Self::position).max().unwrap_or(0)
    }
    fn f64(self) -> f64;
    /// Rounded to single precision, the precision of counts that do not fit two bytes.
    fn f32(self) -> f32;
    /// The value when it is a whole number that two bytes hold.
    fn small(self) -> Option<u16>;
}

/// The largest of numbers that are never negative, found in their own width.
fn largest<N: Copy + Ord + Default + Into<u64>>(values: impl Iterator<Item = N>) -> u64 {
    values.fold(N::default(), N::max).into()
}

macro_rules! whole {
    ($($type:ty $(: $largest:ident)?),*) => {$(
        impl Number for $type {
            $(
                fn largest_position(values: impl Iterator<Item = Self>) -> u64 {
                    $largest(values)
                }
            )?
            #[allow(clippy::unnecessary_cast, unused_comparisons)]
            #[inline]
            fn position(self) -> u64 {
                if self < 0 { u64::MAX } else { self as u64 }
            }
            #[inline]
            fn f64(self) -> f64 {
                self as f64
            }
            #[inline]
            fn f32(self) -> f32 {
                self as f32
            }
            #[inline]
            fn small(self) -> Option<u16> {
                u16::try_from(self).ok()
            }
        }
    )*};
}
whole!(u16: largest, u32: largest, u64: largest, i8, i16, i32, i64);

impl Number for u8 {
    #[inline]
    fn position(self) -> u64 {
        u64::from(self)
    }
    fn largest_position(values: impl Iterator<Item = Self>) -> u64 {
        largest(values)
    }
    #[inline]
    fn f64(self) -> f64 {
        f64::from(self)
    }
    #[inline]
    fn f32(self) -> f32 {
        f32::from(self)
    }
    #[inline]
    fn small(self) -> Option<u16> {
        Some(u16::from(self))
    }
}

macro_rules! fractional {
    ($($type:ty),*) => {$(
        impl Number for $type {
            #[inline]
            fn position(self) -> u64 {
                let value = f64::from(self);
                if value >= 0.0 && value == value.trunc() { value as u64 } else { u64::MAX }
            }
            #[inline]
            fn f64(self) -> f64 {
                f64::from(self)
            }
            #[inline]
            fn f32(self) -> f32 {
                f64::from(self) as f32
            }
            #[inline]
            fn small(self) -> Option<u16> {
                let value = f64::from(self);
                let whole = value as u16;
                (f64::from(whole) == value).then_some(whole)
            }
        }
    )*};
}
fractional!(f16, f32, f64);

/// Writes values as they are, converted to `f64`.
pub struct IntoF64<'a>(pub &'a mut [f64]);

impl Visit for IntoF64<'_> {
    type Output = ();
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N> + Clone) {
        for (slot, value) in self.0.iter_mut().zip(values) {
            *slot = value.f64();
        }
    }
}

/// Writes positions; those that are none become `u64::MAX`.
pub struct IntoPositions<'a>(pub &'a mut [u64]);

impl Visit for IntoPositions<'_> {
    type Output = ();
    fn visit<N: Number>(self, values: impl ExactSizeIterator<Item = N> + Clone) {
        for (slot, value) in self.0.iter_mut().zip(values) {
            *slot = value.position();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_say_what_they_are() {
        assert_eq!((-1i8).position(), u64::MAX);
        assert_eq!(7i64.position(), 7);
        assert_eq!(1.5f32.position(), u64::MAX);
        assert_eq!(f64::NAN.position(), u64::MAX);
        assert_eq!(f64::INFINITY.position(), u64::MAX);
        assert_eq!(3.0f64.position(), 3);
        assert_eq!(70_000u32.small(), None);
        assert_eq!((-1.0f32).small(), None);
        assert_eq!(f32::NAN.small(), None);
        assert_eq!(0.5f64.small(), None);
        assert_eq!(f16::from_f32(12.0).small(), Some(12));
        assert_eq!((-0.0f32).small(), Some(0));
    }
}
