//! Some of the elements of a chunk, side by side or shuffled.

use super::{Element, Visit};
use crate::formats::filters::unshuffle;
use std::ops::Range;

/// Stored values of an array of one dimension: some of the elements of a chunk.
pub struct Values<'a> {
    element: Element,
    /// Of the whole chunk.
    bytes: &'a [u8],
    /// Bytes of equal significance stand together, as the shuffle filter leaves them.
    shuffled: bool,
    range: Range<usize>,
}

impl<'a> Values<'a> {
    /// `range`: the elements that are meant; there are none where the chunk is shorter.
    pub fn new(element: Element, bytes: &'a [u8], shuffled: bool, range: Range<usize>) -> Self {
        let range = if range.end <= bytes.len() / element.size() { range } else { 0..0 };
        Values { element, bytes, shuffled, range }
    }

    /// Hands the values to the visitor.
    pub fn visit<V: Visit>(&self, visitor: V) -> V::Output {
        let size = self.element.size();
        if self.shuffled {
            return self.visit_planes(visitor);
        }
        self.element.visit(self.bytes.get(self.range.start * size..self.range.end * size).unwrap_or(&[]), visitor)
    }

    /// Whole numbers of many bytes are mostly small, so most planes are zeros: those are looked at and not put together,
    /// and the visitor gets narrow numbers.
    fn visit_planes<V: Visit>(&self, visitor: V) -> V::Output {
        let size = self.element.size();
        let elements = self.bytes.len() / size;
        let plane = |significance: usize| {
            let place = if self.element.big_endian { size - 1 - significance } else { significance };
            let start = place * elements;
            self.bytes.get(start + self.range.start..start + self.range.end).unwrap_or(&[])
        };
        let has = |significance: usize| plane(significance).iter().fold(0, |all, byte| all | byte) != 0;
        let bytes = if self.element.is_whole() { (0..size).rev().find(|&p| has(p)).map_or(1, |p| p + 1) } else { size };
        // A number that fills its type may be negative.
        match if bytes < size { bytes } else { 8 } {
            1 => visitor.visit(plane(0).iter().copied()),
            2 => visitor.visit(plane(0).iter().zip(plane(1)).map(|(&a, &b)| u16::from_le_bytes([a, b]))),
            3 | 4 => {
                let [low, high] = [(0, 1), (2, 3)].map(|(a, b)| plane(a).iter().zip(plane(b)));
                visitor.visit(low.zip(high).map(|((&a, &b), (&c, &d))| u32::from_le_bytes([a, b, c, d])))
            }
            _ => {
                let mut together = Vec::new();
                unshuffle(self.bytes, size, &mut together);
                Values { bytes: &together, shuffled: false, range: self.range.clone(), ..*self }.visit(visitor)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::IntoF64;
    use super::*;

    #[test]
    fn shuffled_values_are_those_that_were_shuffled() {
        let numbers: Vec<i64> = (0..203).map(|i| i * i * i * 1_237 % 90_001 - 2).collect();
        // The largest decides how many bytes are looked at: of all, of those from 1 on, and of small ones only.
        let lists = [
            numbers.clone(),
            numbers.iter().map(|n| n.abs()).collect(),
            numbers.iter().map(|n| n.abs() % 300).collect(),
        ];
        let more = [vec![7; 203], vec![0; 203], (0..203).map(|i| i << 34).collect::<Vec<i64>>()];
        for numbers in lists.iter().chain(&more) {
            for (letter, size) in
                [('i', 2), ('u', 2), ('i', 4), ('u', 4), ('i', 8), ('u', 8), ('f', 2), ('f', 4), ('f', 8)]
            {
                for big_endian in [false, true] {
                    let element = Element::of_numpy(letter, size, big_endian).expect("an element");
                    let plain: Vec<u8> = numbers.iter().flat_map(|&n| element.encode(n as f64)).collect();
                    let planes: Vec<u8> =
                        (0..size).flat_map(|plane| plain.iter().copied().skip(plane).step_by(size)).collect();
                    for range in [0..203, 5..200, 7..7, 100..999] {
                        let read = |bytes: &[u8], shuffled: bool| {
                            let mut out = vec![-1.0; range.len()];
                            Values::new(element, bytes, shuffled, range.clone()).visit(IntoF64(&mut out));
                            out
                        };
                        let (expected, found) = (read(&plain, false), read(&planes, true));
                        let equal = expected.iter().zip(&found).all(|(a, b)| a.to_bits() == b.to_bits());
                        assert!(equal, "{letter}{size} {big_endian} {range:?}");
                    }
                }
            }
        }
    }
}
