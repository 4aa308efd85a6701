//! What H5AD and its relatives ask of a hierarchy of groups, arrays and attributes, whichever file holds it.

use super::array::NumericArray;
use super::hdf5::Table;
use crate::error::Result;
use std::rc::Rc;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    Group,
    Dataset,
    /// Nothing, or something unreadable.
    Missing,
}

/// Groups, arrays and attributes by their path, such as "raw/var".
pub trait Store {
    fn node(&self, path: &str) -> Node;

    fn exists(&self, path: &str) -> bool {
        self.node(path) != Node::Missing
    }

    /// The names in a group, sorted; none when there is no such group.
    ///
    /// # Errors
    /// When the group is damaged.
    fn members(&self, path: &str) -> Result<Vec<String>>;

    /// A text attribute.
    fn attribute_text(&self, path: &str, name: &str) -> Option<String>;

    /// A text attribute of several values; none when there is no such attribute.
    fn attribute_texts(&self, path: &str, name: &str) -> Vec<String>;

    /// An attribute of non-negative whole numbers, such as a shape.
    fn attribute_numbers(&self, path: &str, name: &str) -> Option<Vec<u64>>;

    /// The shape of a dataset.
    ///
    /// # Errors
    /// When there is none or it announces more than the file can hold.
    fn shape(&self, path: &str) -> Result<Vec<u64>>;

    /// Numbers of one or two dimensions, to be read in slices.
    ///
    /// # Errors
    /// When it is not numeric, stored in an unknown way, or damaged.
    fn array(&self, path: &str) -> Result<NumericArray>;

    /// Every value of a small one-dimensional array.
    ///
    /// # Errors
    /// As [`Self::array`].
    fn numbers(&self, path: &str) -> Result<Vec<f64>> {
        self.array(path)?.read_f64()
    }

    /// Whether the dataset holds strings.
    fn is_text(&self, path: &str) -> bool;

    /// Whether the dataset holds booleans.
    fn is_boolean(&self, path: &str) -> bool;

    /// The names of an enumeration's numbers, as R stores factors; none for anything else and for booleans.
    fn labels(&self, _path: &str) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// Strings of fixed or variable length; bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// When the dataset is missing, damaged, or not text.
    fn strings(&self, path: &str) -> Result<Vec<String>>;

    /// The rows of a table that older versions of anndata wrote as one compound dataset.
    ///
    /// # Errors
    /// When the dataset is missing, damaged, or not a table.
    fn table(&self, path: &str) -> Result<Table>;
}

/// A group of a store, as a store of its own.
pub struct Below {
    store: Rc<dyn Store>,
    prefix: String,
}

impl Below {
    pub fn new(store: Rc<dyn Store>, path: &str) -> Self {
        Below { store, prefix: format!("{path}/") }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{}", self.prefix, path.trim_matches('/'))
    }
}

impl Store for Below {
    fn node(&self, path: &str) -> Node {
        self.store.node(&self.at(path))
    }

    fn members(&self, path: &str) -> Result<Vec<String>> {
        self.store.members(&self.at(path))
    }

    fn attribute_text(&self, path: &str, name: &str) -> Option<String> {
        self.store.attribute_text(&self.at(path), name)
    }

    fn attribute_texts(&self, path: &str, name: &str) -> Vec<String> {
        self.store.attribute_texts(&self.at(path), name)
    }

    fn attribute_numbers(&self, path: &str, name: &str) -> Option<Vec<u64>> {
        self.store.attribute_numbers(&self.at(path), name)
    }

    fn shape(&self, path: &str) -> Result<Vec<u64>> {
        self.store.shape(&self.at(path))
    }

    fn array(&self, path: &str) -> Result<NumericArray> {
        self.store.array(&self.at(path))
    }

    fn is_text(&self, path: &str) -> bool {
        self.store.is_text(&self.at(path))
    }

    fn is_boolean(&self, path: &str) -> bool {
        self.store.is_boolean(&self.at(path))
    }

    fn labels(&self, path: &str) -> Vec<(String, f64)> {
        self.store.labels(&self.at(path))
    }

    fn strings(&self, path: &str) -> Result<Vec<String>> {
        self.store.strings(&self.at(path))
    }

    fn table(&self, path: &str) -> Result<Table> {
        self.store.table(&self.at(path))
    }
}
