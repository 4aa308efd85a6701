//! A serialized object as a light tree: names and short vectors are there, of long vectors only where they stand.

use super::numbers::Numbers;
use super::texts::Texts;
use std::sync::Arc;

/// The number of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(pub u32);

/// R's NULL, the first node of every tree.
pub const NULL: NodeId = NodeId(0);

/// An object with its attributes, which are the slots of an S4 object.
#[derive(Debug, Clone)]
pub struct Node {
    pub kind: Kind,
    /// A node of the kind [`Kind::Pairs`], or [`NULL`].
    pub attributes: NodeId,
}

/// What an object is.
#[derive(Debug, Clone)]
pub enum Kind {
    Null,
    Symbol(Arc<str>),
    List(Vec<NodeId>),
    /// A pairlist: names (perhaps empty) and values.
    Pairs(Vec<(Arc<str>, NodeId)>),
    Numbers(Arc<Numbers>),
    Texts(Arc<Texts>),
    S4,
    /// The frame and the table of an environment: a pairlist, and a list of pairlists.
    Environment([NodeId; 2]),
    /// Anything that holds no data, by its name in R.
    Other(&'static str),
}

/// All nodes of a file.
#[derive(Debug)]
pub struct Tree {
    pub nodes: Vec<Node>,
    pub root: NodeId,
}

static NOTHING: Node = Node { kind: Kind::Null, attributes: NULL };

impl Tree {
    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&NOTHING)
    }

    pub fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    /// An attribute, or a slot; `None` when it is missing or NULL.
    pub fn attribute(&self, id: NodeId, name: &str) -> Option<NodeId> {
        let Kind::Pairs(pairs) = self.kind(self.node(id).attributes) else {
            return None;
        };
        pairs.iter().find(|(tag, _)| &**tag == name).map(|(_, value)| *value).filter(|&value| !self.is_null(value))
    }

    /// NULL, or what stands for it in a slot.
    pub fn is_null(&self, id: NodeId) -> bool {
        match self.kind(id) {
            Kind::Null => true,
            Kind::Symbol(name) => &**name == "\u{1}NULL\u{1}",
            _ => false,
        }
    }

    /// The classes of an object.
    pub fn classes(&self, id: NodeId) -> Vec<&str> {
        let texts = self.attribute(id, "class").and_then(|class| self.texts(class));
        texts.map_or_else(Vec::new, |texts| (0..texts.len()).filter_map(|number| texts.get(number)).collect())
    }

    /// Whether one of the classes of an object has this name.
    pub fn is_a(&self, id: NodeId, class: &str) -> bool {
        self.classes(id).contains(&class)
    }

    /// The package that defines the class of an object.
    pub fn package(&self, id: NodeId) -> Option<&str> {
        let class = self.attribute(id, "class")?;
        self.texts(self.attribute(class, "package")?)?.get(0)
    }

    pub fn texts(&self, id: NodeId) -> Option<&Arc<Texts>> {
        match self.kind(id) {
            Kind::Texts(texts) => Some(texts),
            _ => None,
        }
    }

    /// The first element of a vector of strings.
    pub fn text(&self, id: NodeId) -> Option<&str> {
        self.texts(id)?.get(0)
    }

    pub fn numbers(&self, id: NodeId) -> Option<&Arc<Numbers>> {
        match self.kind(id) {
            Kind::Numbers(numbers) => Some(numbers),
            _ => None,
        }
    }

    /// The elements of a list, or of a list in the slot `listData` (as Bioconductor has them), with their names.
    pub fn elements(&self, id: NodeId) -> Vec<(String, NodeId)> {
        match self.kind(id) {
            Kind::List(items) => {
                let names = self.attribute(id, "names").and_then(|names| self.texts(names));
                let name = |place| names.and_then(|names| names.get(place)).unwrap_or_default().to_owned();
                items.iter().enumerate().map(|(place, &item)| (name(place), item)).collect()
            }
            Kind::Pairs(pairs) => pairs.iter().map(|(tag, value)| (tag.to_string(), *value)).collect(),
            Kind::Environment(parts) => parts.iter().flat_map(|&part| self.variables(part)).collect(),
            Kind::S4 => {
                let inner = ["listData", ".xData"].into_iter().find_map(|slot| self.attribute(id, slot));
                // One step only: a slot never holds the same kind of wrapping again.
                match inner.map(|inner| (inner, self.kind(inner))) {
                    Some((inner, Kind::List(_) | Kind::Environment(_))) => self.elements(inner),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    fn variables(&self, id: NodeId) -> Vec<(String, NodeId)> {
        match self.kind(id) {
            Kind::Pairs(_) => self.elements(id),
            Kind::List(buckets) => buckets
                .iter()
                .filter(|&&bucket| matches!(self.kind(bucket), Kind::Pairs(_)))
                .flat_map(|&bucket| self.elements(bucket))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// An element by name.
    pub fn element(&self, id: NodeId, name: &str) -> Option<NodeId> {
        let found = self.elements(id).into_iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).filter(|&value| !self.is_null(value))
    }

    /// Follows slots, or elements where there is no such slot.
    pub fn at(&self, id: NodeId, path: &[&str]) -> Option<NodeId> {
        path.iter().try_fold(id, |id, name| self.attribute(id, name).or_else(|| self.element(id, name)))
    }
}
