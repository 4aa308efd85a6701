//! Any object that R wrote, looked into for what it holds besides counts: slots, elements, names, numbers.

use super::columns::{Columns, rows};
use super::header;
use super::matrices;
use super::numbers::{File, Held, Numbers};
use super::offer::{Names, Table};
use super::parser;
use super::seurat::table_of;
use super::stream::Stream;
use super::texts::Texts;
use super::tree::{Kind, NodeId, Tree};
use crate::error::Result;
use crate::formats::source::BlockCache;
use crate::formats::{Column, Source};
use crate::matrix::Dense;
use std::cell::RefCell;
use std::sync::Arc;

/// Vectors that are wanted whole have at most so many numbers: one a cell.
const LONGEST: u64 = 8 << 20;

/// Takes values of a matrix: the matrix's shape, their column, the row of the first, and the values.
type TakePiece<'a> = &'a mut dyn FnMut([usize; 2], usize, usize, &[f64]);

/// A file that R wrote, parsed: names and short vectors are here, long vectors are read when they are asked for.
pub struct RObjects {
    tree: Tree,
    file: File,
    named: bool,
    /// Where reading stands, since what is asked for mostly stands in the order of the file.
    stream: RefCell<Option<Stream>>,
}

impl RObjects {
    /// Parses the file; `None` when it is not R's.
    ///
    /// # Errors
    /// When it is R's but damaged.
    pub fn open(source: Box<dyn Source>) -> Result<Option<RObjects>> {
        let source = Arc::new(BlockCache::new(source)?);
        let Some((header, stream)) = header::open(&source)? else {
            return Ok(None);
        };
        let tree = parser::parse(stream, &header)?;
        let file = File { source, container: header.container, encoding: header.encoding };
        Ok(Some(RObjects { tree, file, named: header.named, stream: RefCell::new(None) }))
    }

    /// The objects of the file, with their names where they have some.
    pub fn all(&self) -> Vec<(String, Object<'_>)> {
        let object = |id| Object { data: self, id };
        match self.named {
            true => self.tree.elements(self.tree.root).into_iter().map(|(name, id)| (name, object(id))).collect(),
            false => vec![(String::new(), object(self.tree.root))],
        }
    }
}

/// An object of a file.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    data: &'a RObjects,
    id: NodeId,
}

impl<'a> Object<'a> {
    /// The name of its class, or of its type.
    pub fn class(&self) -> &'a str {
        match (self.data.tree.classes(self.id).first(), self.data.tree.kind(self.id)) {
            (Some(class), _) => class,
            (None, Kind::Numbers(_)) => "numeric",
            (None, Kind::Texts(_)) => "character",
            (None, Kind::List(_)) => "list",
            (None, Kind::Other(name)) => name,
            (None, _) => "NULL",
        }
    }

    pub fn is_a(&self, class: &str) -> bool {
        self.data.tree.is_a(self.id, class)
    }

    /// Follows slots, or elements where there is no such slot; nothing where it is missing or NULL.
    pub fn at(&self, path: &[&str]) -> Option<Object<'a>> {
        self.data.tree.at(self.id, path).map(|id| Object { data: self.data, id })
    }

    /// The elements of a list with their names.
    pub fn elements(&self) -> Vec<(String, Object<'a>)> {
        let elements = self.data.tree.elements(self.id).into_iter();
        elements.map(|(name, id)| (name, Object { data: self.data, id })).collect()
    }

    /// Strings, missing ones as "NA"; nothing where it holds none.
    pub fn texts(&self) -> Option<Vec<String>> {
        self.data.tree.texts(self.id).map(|texts| texts.to_vec())
    }

    /// The names of the elements of a vector.
    pub fn names(&self) -> Option<Vec<String>> {
        self.at(&["names"])?.texts()
    }

    pub fn text(&self) -> Option<&'a str> {
        self.data.tree.text(self.id)
    }

    fn vector(&self) -> Option<&'a Arc<Numbers>> {
        self.data.tree.numbers(self.id)
    }

    /// How many numbers the vector has.
    pub fn length(&self) -> Option<u64> {
        self.vector().map(|numbers| numbers.length)
    }

    /// The numbers of a vector of at most one for each of millions of cells, missing ones as NaN; nothing where it holds none.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn numbers(&self) -> Result<Option<Arc<[f64]>>> {
        let Some(numbers) = self.vector().filter(|numbers| numbers.length <= LONGEST) else {
            return Ok(None);
        };
        self.data.file.whole(numbers, &mut self.data.stream.borrow_mut()).map(Some)
    }

    /// The first number of a short vector.
    pub fn number(&self) -> Option<f64> {
        self.vector()?.kept()?.first().copied()
    }

    /// Rows and columns of a matrix.
    pub fn shape(&self) -> Option<[usize; 2]> {
        matrices::shape(&self.data.tree, self.id)
    }

    /// The names of its rows and of its columns.
    pub fn dimnames(&self) -> [Option<Arc<Texts>>; 2] {
        matrices::names(&self.data.tree, self.id)
    }

    /// The first columns of a dense matrix, in f32; nothing where it is none, or has fewer columns or other numbers of values.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn dense(&self, columns: usize) -> Result<Option<Dense>> {
        let mut values = None;
        self.each_column(columns, &mut |shape, column, first, piece| {
            let values = values.get_or_insert_with(|| Dense::zeros((shape[0], columns)));
            for (row, &value) in (first..).zip(piece) {
                values[(row, column)] = value as f32;
            }
        })
        .map(|found| found.then_some(values).flatten())
    }

    /// As [`Self::dense`], for whole numbers that count from 1: what they number from 0, and `u32::MAX` for any other.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn numbered(&self, columns: usize) -> Result<Option<ndarray::Array2<u32>>> {
        let number = |value: f64| match (1.0..4_294_967_295.0).contains(&value) && value.fract() == 0.0 {
            true => value as u32 - 1,
            false => u32::MAX,
        };
        let mut values = None;
        self.each_column(columns, &mut |shape, column, first, piece| {
            let values = values.get_or_insert_with(|| ndarray::Array2::zeros((shape[0], columns)));
            for (row, &value) in (first..).zip(piece) {
                values[(row, column)] = number(value);
            }
        })
        .map(|found| found.then_some(values).flatten())
    }

    /// Gives the first columns of a dense matrix piece by piece; `false` where there is no such matrix. As many values as
    /// its shape says have passed by in the file.
    fn each_column(&self, columns: usize, take: TakePiece<'_>) -> Result<bool> {
        let inner = if self.vector().is_some() { Some(*self) } else { self.at(&["x"]) };
        let (Some(shape), Some(numbers)) = (self.shape(), inner.and_then(|inner| inner.vector())) else {
            return Ok(false);
        };
        let [rows, all] = shape;
        let whole = (rows as u64).checked_mul(all as u64) == Some(numbers.length);
        let held = !matches!(numbers.held, Held::Sequence { .. }) || numbers.length <= LONGEST;
        if !whole || !held || rows == 0 || columns == 0 || columns > all {
            return Ok(false);
        }
        let mut cursor = self.data.file.cursor(numbers, self.data.stream.borrow_mut().take())?;
        for column in 0..columns {
            let mut row = 0;
            while row < rows {
                let piece = cursor.take(rows - row)?;
                take(shape, column, row, piece);
                row += piece.len();
            }
        }
        *self.data.stream.borrow_mut() = cursor.release();
        Ok(true)
    }

    /// A matrix of few rows, dense or a "dgCMatrix", with its columns as rows; nothing where it is neither, contradicts itself, or is
    /// far larger than its values.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn transposed(&self) -> Result<Option<Dense>> {
        let Some([rows, columns]) = self.shape() else {
            return Ok(None);
        };
        let slots = ["p", "i", "x"].map(|slot| self.at(&[slot]));
        let [Some(offsets), Some(indices), Some(values)] = slots else {
            let dense = self.dense(columns)?;
            return Ok(dense.map(|dense| dense.t().as_standard_layout().into_owned()));
        };
        let length = values.length().unwrap_or(0);
        let believed =
            (rows as u64).checked_mul(columns as u64).is_some_and(|all| all <= length.saturating_mul(16) + (1 << 20));
        let Some(offsets) = offsets.numbers()? else {
            return Ok(None);
        };
        let ascend = offsets.first() == Some(&0.0) && offsets.windows(2).all(|pair| pair[0] <= pair[1]);
        let fits = offsets.len() == columns + 1 && offsets.last() == Some(&(length as f64));
        if !self.is_a("dgCMatrix") || !believed || !ascend || !fits || indices.length() != Some(length) {
            return Ok(None);
        }
        let mut row_of = Vec::new();
        indices.each(&mut |index| {
            row_of.push(if index >= 0.0 && index < rows as f64 { index as u32 } else { u32::MAX })
        })?;
        if row_of.contains(&u32::MAX) {
            return Ok(None);
        }
        let mut dense = Dense::zeros((columns, rows));
        let (mut at, mut column) = (0, 0);
        values.each(&mut |value| {
            // Ends at the last column, since the last offset is the number of values.
            while offsets[column + 1] <= at as f64 {
                column += 1;
            }
            dense[(column, row_of[at] as usize)] = value as f32;
            at += 1;
        })?;
        Ok(Some(dense))
    }

    /// Gives every number of a vector.
    fn each(&self, take: &mut dyn FnMut(f64)) -> Result<()> {
        let Some(numbers) = self.vector().filter(|numbers| !matches!(numbers.held, Held::Sequence { .. })) else {
            return Ok(());
        };
        let mut cursor = self.data.file.cursor(numbers, self.data.stream.borrow_mut().take())?;
        while cursor.rest() > 0 {
            cursor.take(usize::MAX)?.iter().for_each(|&value| take(value));
        }
        *self.data.stream.borrow_mut() = cursor.release();
        Ok(())
    }

    /// The names of a table's columns.
    pub fn column_names(&self) -> Vec<String> {
        table_of(&self.data.tree, self.id).columns.into_iter().map(|(name, _)| name).collect()
    }

    /// The names of a table's rows.
    pub fn row_names(&self) -> Option<Arc<Texts>> {
        table_of(&self.data.tree, self.id).rows
    }

    /// A column of a table (a data frame, or a list), for the rows of these names; nothing where there is no such column.
    ///
    /// # Errors
    /// When it is damaged, of an unknown kind, or of another length than the table.
    pub fn column(&self, name: &str, of: &Arc<Texts>) -> Result<Option<Column>> {
        let table: Table = table_of(&self.data.tree, self.id);
        let found = table.columns.iter().find(|(known, _)| known == name).map(|(_, id)| *id);
        let Some(id) = found.filter(|&id| !self.data.tree.is_null(id)) else {
            return Ok(None);
        };
        let names = Names::All(Arc::clone(of));
        let stream = self.data.stream.borrow_mut().take();
        let mut columns = Columns { tree: &self.data.tree, file: &self.data.file, stream };
        let column = columns.read(id, &rows(&table, &names), of.len());
        *self.data.stream.borrow_mut() = columns.stream;
        column.map(Some)
    }
}

/// Where each of these names stands among others, `u32::MAX` where it does not; nothing when they are the same.
pub fn places(names: &Arc<Texts>, others: &Texts) -> Option<Vec<u32>> {
    Names::All(Arc::clone(names)).among(others)
}
