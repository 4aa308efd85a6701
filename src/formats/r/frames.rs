//! Objects of which some parts have been read, and what becomes of them when the next part is there.

use super::faults::broken;
use super::numbers::{Held, Numbers};
use super::parser::Parser;
use super::stream::Element;
use super::texts::Texts;
use super::tree::{Kind, NULL, NodeId};
use crate::error::Result;
use std::sync::Arc;

/// Longer sequences are not believed: R counts what it holds in memory.
const LONGEST_SEQUENCE: f64 = 4_294_967_296.0;
/// Sequences up to this length are written out.
const SHORT_SEQUENCE: f64 = 65_536.0;

/// An object whose parts are being read.
pub enum Frame {
    List {
        items: Vec<NodeId>,
        rest: u64,
        attributes: bool,
    },
    /// A chain of pairs, which R uses for attributes, and for expressions, of which nothing is kept.
    Cells(Cell),
    /// Waits for the attributes of a node, or of byte code, when there are any.
    Attributes {
        node: Option<NodeId>,
        wanted: bool,
    },
    Environment {
        node: NodeId,
        parts: Vec<NodeId>,
    },
    Pointer {
        node: NodeId,
        rest: u8,
        attributes: bool,
    },
    /// A vector in a form of its own: class, state and attributes follow.
    Altrep {
        parts: Vec<NodeId>,
    },
    /// Byte code: the code, and then that many constants.
    Code {
        rest: Option<u64>,
    },
    /// An expression among the constants of byte code.
    Expression {
        next: Part,
    },
}

/// What is read next of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Attributes,
    Tag,
    Value,
    Rest,
}

impl Part {
    pub fn first(attributes: bool, tag: bool) -> Self {
        match (attributes, tag) {
            (true, _) => Part::Attributes,
            (false, true) => Part::Tag,
            (false, false) => Part::Value,
        }
    }
}

/// A chain of pairs as far as it has been read.
pub struct Cell {
    kept: bool,
    pub next: Part,
    pub has_tag: bool,
    pub tag: Option<Arc<str>>,
    pairs: Vec<(Arc<str>, NodeId)>,
    attributes: NodeId,
}

impl Cell {
    pub fn new(kept: bool, next: Part, has_tag: bool) -> Self {
        Cell { kept, next, has_tag, tag: None, pairs: Vec::new(), attributes: NULL }
    }

    /// The value that has been read for a name.
    pub fn value(&self, tag: &str) -> Option<NodeId> {
        self.pairs.iter().find(|(known, _)| &**known == tag).map(|(_, value)| *value)
    }
}

impl Parser {
    /// Adds a part to an object; gives the object when it is complete.
    pub fn deliver(&mut self, frame: Frame, part: NodeId) -> Result<Option<NodeId>> {
        match frame {
            Frame::List { mut items, rest, attributes } => {
                self.keeper.count_items(1)?;
                items.push(part);
                self.frames.push(Frame::List { items, rest: rest - 1, attributes });
                if rest > 1 { Ok(None) } else { self.close_list() }
            }
            Frame::Cells(cell) => self.deliver_to_cell(cell, part),
            Frame::Attributes { node: None, wanted } => {
                // Byte code is complete.
                self.attributed(part, wanted)
            }
            Frame::Attributes { node: Some(node), .. } => {
                self.set_attributes(node, part);
                Ok(Some(node))
            }
            Frame::Environment { node, mut parts } => {
                parts.push(part);
                if let &[_, frame, table, attributes] = parts.as_slice() {
                    if let Some(known) = self.nodes.get_mut(node.0 as usize) {
                        known.kind = Kind::Environment([frame, table]);
                    }
                    self.set_attributes(node, attributes);
                    return Ok(Some(node));
                }
                self.frames.push(Frame::Environment { node, parts });
                Ok(None)
            }
            Frame::Pointer { node, rest, attributes } if rest <= 1 => self.attributed(node, attributes),
            Frame::Pointer { node, rest, attributes } => {
                self.frames.push(Frame::Pointer { node, rest: rest - 1, attributes });
                Ok(None)
            }
            Frame::Altrep { mut parts } => {
                parts.push(part);
                if let &[class, state, attributes] = parts.as_slice() {
                    return self.altrep(class, state, attributes).map(Some);
                }
                self.frames.push(Frame::Altrep { parts });
                Ok(None)
            }
            Frame::Code { rest: None } => {
                let count = self.stream.length()?;
                if count == 0 {
                    return self.add(Kind::Other("byte code")).map(Some);
                }
                self.frames.push(Frame::Code { rest: Some(count) });
                Ok(None)
            }
            Frame::Code { rest: Some(rest) } => {
                if rest <= 1 {
                    return self.add(Kind::Other("byte code")).map(Some);
                }
                self.frames.push(Frame::Code { rest: Some(rest - 1) });
                Ok(None)
            }
            Frame::Expression { next } => self.deliver_to_expression(next),
        }
    }

    /// Makes a node of the list on top, whose elements are all there.
    pub fn close_list(&mut self) -> Result<Option<NodeId>> {
        let Some(Frame::List { items, attributes, .. }) = self.frames.pop() else {
            return Err(broken("a list has no beginning"));
        };
        let node = self.add(Kind::List(items))?;
        self.attributed(node, attributes)
    }

    fn set_attributes(&mut self, node: NodeId, attributes: NodeId) {
        if matches!(self.kind(attributes), Kind::Pairs(_))
            && let Some(node) = self.nodes.get_mut(node.0 as usize)
        {
            node.attributes = attributes;
        }
    }

    fn deliver_to_cell(&mut self, mut cell: Cell, part: NodeId) -> Result<Option<NodeId>> {
        match cell.next {
            Part::Attributes => {
                if cell.pairs.is_empty() {
                    cell.attributes = part;
                }
                cell.next = Part::first(false, cell.has_tag);
            }
            Part::Tag => {
                if let Kind::Symbol(name) = self.kind(part) {
                    cell.tag = Some(Arc::clone(name));
                }
                cell.next = Part::Value;
            }
            Part::Value => {
                if cell.kept {
                    self.keeper.count_items(4)?;
                    cell.pairs.push((cell.tag.take().unwrap_or_else(|| Arc::from("")), part));
                }
                cell.next = Part::Rest;
            }
            Part::Rest => {
                let node = self.add(if cell.kept { Kind::Pairs(cell.pairs) } else { Kind::Other("expression") })?;
                self.set_attributes(node, cell.attributes);
                return Ok(Some(node));
            }
        }
        self.frames.push(Frame::Cells(cell));
        Ok(None)
    }

    /// A constant of byte code behind its type. Expressions have a form of their own here.
    pub fn constant(&mut self, kind: i32) -> Result<Option<NodeId>> {
        if kind == 21 {
            self.frames.push(Frame::Code { rest: None });
            return Ok(None);
        }
        self.expression(kind)
    }

    /// # Source
    /// The types 239, 240, 243 and 244 are written only inside of byte code: cells with attributes, and cells that
    /// are referred to or refer to others.
    fn expression(&mut self, kind: i32) -> Result<Option<NodeId>> {
        let kind = match kind {
            243 => {
                self.stream.integer()?;
                return Ok(Some(NULL));
            }
            244 => {
                self.stream.integer()?;
                self.stream.integer()?
            }
            kind => kind,
        };
        match kind {
            239 | 240 => self.frames.push(Frame::Expression { next: Part::Attributes }),
            2 | 6 => self.frames.push(Frame::Expression { next: Part::Tag }),
            _ => return self.item(),
        }
        Ok(None)
    }

    fn deliver_to_expression(&mut self, next: Part) -> Result<Option<NodeId>> {
        match next {
            Part::Attributes => {
                self.frames.push(Frame::Expression { next: Part::Tag });
                Ok(None)
            }
            Part::Tag => {
                self.frames.push(Frame::Expression { next: Part::Value });
                let kind = self.stream.integer()?;
                self.expression(kind)
            }
            // The rest takes the place of the cell, so that a chain of any length needs no depth.
            Part::Value | Part::Rest => {
                let kind = self.stream.integer()?;
                self.expression(kind)
            }
        }
    }

    /// A vector that R keeps in a form of its own, as the plain vector that it stands for.
    fn altrep(&mut self, class: NodeId, state: NodeId, attributes: NodeId) -> Result<NodeId> {
        let name = match self.kind(class) {
            Kind::Pairs(pairs) => pairs.first().map(|(_, name)| *name),
            Kind::List(items) => items.first().copied(),
            _ => None,
        };
        let name = match name.map(|name| self.kind(name)) {
            Some(Kind::Symbol(name)) => Arc::clone(name),
            _ => return Err(broken("a vector has no class")),
        };
        let first = match self.kind(state) {
            Kind::Pairs(pairs) => pairs.first().map(|(_, first)| *first),
            Kind::List(items) => items.first().copied(),
            _ => None,
        };
        let kind = match (&*name, first.map(|first| self.kind(first))) {
            ("compact_intseq", _) => sequence(Element::Integer, self.kind(state))?,
            ("compact_realseq", _) => sequence(Element::Real, self.kind(state))?,
            ("deferred_string", Some(Kind::Numbers(numbers))) => match Texts::of_numbers(numbers) {
                Some(texts) => Kind::Texts(Arc::new(texts)),
                None => Kind::Other("deferred_string"),
            },
            (name, Some(kind)) if name.starts_with("wrap_") => kind.clone(),
            _ => Kind::Other("vector of another package"),
        };
        let node = self.add(kind)?;
        self.set_attributes(node, attributes);
        Ok(node)
    }
}

fn sequence(element: Element, state: &Kind) -> Result<Kind> {
    let Kind::Numbers(numbers) = state else {
        return Err(broken("a sequence has no numbers"));
    };
    let Some(&[length, first, step]) = numbers.kept().map(|numbers| &**numbers) else {
        return Err(broken("a sequence needs three numbers"));
    };
    if !(0.0..=LONGEST_SEQUENCE).contains(&length) {
        return Err(broken("a sequence has an impossible length"));
    }
    let numbers = if length <= SHORT_SEQUENCE {
        Numbers::new(element, (0..length as u64).map(|place| first + step * place as f64).collect())
    } else {
        Numbers { element, length: length as u64, held: Held::Sequence { first, step } }
    };
    Ok(Kind::Numbers(Arc::new(numbers)))
}
