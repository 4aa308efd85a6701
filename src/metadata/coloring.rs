//! A column as the colours of cells.

use super::words::Words;
use super::{MOST_VALUES, ValueCount};
use crate::formats::Column;

/// What cells are coloured by: one class, or one number, for each.
#[derive(Debug, Clone, PartialEq)]
pub enum Coloring {
    Classes {
        /// At most [`MOST_VALUES`], the most frequent first, then by name.
        values: Vec<ValueCount>,
        /// For each cell the place of its value in `values`; their number for any other value, one more for a missing one.
        codes: Vec<u16>,
        other_values: usize,
        other_cells: usize,
        missing: usize,
    },
    Numbers {
        /// For each cell, NaN where missing.
        values: Vec<f64>,
        /// Of the finite numbers.
        min: Option<f64>,
        max: Option<f64>,
        missing: usize,
    },
}

impl Coloring {
    /// Of the first `cells` rows of a column.
    pub fn of(column: &Column, cells: usize) -> Coloring {
        let Column::Number(numbers) = column else {
            return Coloring::of_words(&Words::of(column, cells));
        };
        let numbers = numbers.get(..cells).unwrap_or(numbers);
        let finite = || numbers.iter().copied().filter(|number| number.is_finite());
        Coloring::Numbers {
            values: numbers.to_vec(),
            min: finite().reduce(f64::min),
            max: finite().reduce(f64::max),
            missing: numbers.iter().filter(|number| number.is_nan()).count(),
        }
    }

    fn of_words(words: &Words<'_>) -> Coloring {
        let named = words.most_frequent(MOST_VALUES);
        let values: Vec<ValueCount> = named.iter().map(|&value| words.count(value)).collect();
        let other = values.len() as u16;
        let mut classes = vec![other; words.values.len()];
        for (class, &value) in named.iter().enumerate() {
            classes[value] = class as u16;
        }
        let class = |&code: &u32| classes.get(code as usize).copied().unwrap_or(other + 1);
        let codes: Vec<u16> = words.codes.iter().map(class).collect();
        Coloring::Classes {
            other_values: words.distinct() - values.len(),
            other_cells: codes.iter().filter(|&&code| code == other).count(),
            missing: codes.iter().filter(|&&code| code > other).count(),
            values,
            codes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_values_are_classes() {
        let mut words: Vec<String> = (0..60).flat_map(|value| vec![format!("v{value:02}"); 60 - value]).collect();
        words.push(String::new());
        words.push("beyond the cells".into());
        let cells = words.len() - 1;
        let Coloring::Classes { values, codes, other_values, other_cells, missing } =
            Coloring::of(&Column::Text(words), cells)
        else {
            panic!("classes");
        };
        assert_eq!((values.len(), values[0].value.as_str(), values[0].cells), (50, "v00", 60));
        assert_eq!((other_values, other_cells, missing), (10, 55, 1));
        assert_eq!((codes.len(), codes[0], codes[60], codes[cells - 2], codes[cells - 1]), (cells, 0, 1, 50, 51));
    }

    #[test]
    fn numbers_are_values() {
        let column = Column::Number(vec![2.5, f64::NAN, f64::INFINITY, -1.0, 99.0]);
        let Coloring::Numbers { values, min, max, missing } = Coloring::of(&column, 4) else { panic!("numbers") };
        assert_eq!((values[0], values[1].is_nan(), values[3]), (2.5, true, -1.0));
        // A barcode's number is beyond what single precision tells apart.
        let Coloring::Numbers { values, .. } = Coloring::of(&Column::Number(vec![16_777_217.0]), 1) else {
            panic!("numbers")
        };
        assert_eq!(values, [16_777_217.0]);
        assert_eq!((min, max, missing), (Some(-1.0), Some(2.5), 1));
    }
}
