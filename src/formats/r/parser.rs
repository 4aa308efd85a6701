//! The first pass over a serialized object: everything is parsed, long vectors are passed over.
//!
//! Objects nest without a bound that we could trust, so the parser keeps its own stack of [`Frame`]s.
//!
//! # Source
//! The format as the manual "R Internals" describes it, section "Serialization Formats".

use super::faults::broken;
use super::frames::{Cell, Frame, Part};
use super::header::Header;
use super::keeper::Keeper;
use super::stream::{Element, Stream};
use super::texts::{Texts, decoded};
use super::tree::{Kind, NULL, Node, NodeId, Tree};
use crate::error::Result;
use std::sync::Arc;

/// Objects nest no deeper than this; R itself gives up earlier.
const DEEPEST: usize = 100_000;
/// The longest name of a variable, by far.
const LONGEST_NAME: usize = 1 << 16;

const HAS_ATTRIBUTES: i32 = 1 << 9;
const HAS_TAG: i32 = 1 << 10;
/// In the levels of a string: Latin-1.
const LATIN1: i32 = 1 << (12 + 2);

/// Parses the object behind the header.
///
/// # Errors
/// When the data are damaged, end early, or hold more than an experiment can.
pub fn parse(stream: Stream, header: &Header) -> Result<Tree> {
    let mut parser = Parser {
        stream,
        nodes: vec![Node { kind: Kind::Null, attributes: NULL }],
        references: Vec::new(),
        frames: Vec::new(),
        keeper: Keeper::default(),
        latin1: header.latin1,
    };
    let root = parser.object()?;
    Ok(Tree { nodes: parser.nodes, root })
}

pub struct Parser {
    pub stream: Stream,
    pub nodes: Vec<Node>,
    /// Symbols and environments are written once and then referred to by number.
    references: Vec<NodeId>,
    pub frames: Vec<Frame>,
    pub keeper: Keeper,
    /// Whether unmarked strings are Latin-1.
    latin1: bool,
}

impl Parser {
    fn object(&mut self) -> Result<NodeId> {
        loop {
            let Some(mut done) = self.next()? else {
                if self.frames.len() > DEEPEST {
                    return Err(broken("its parts are nested too deeply"));
                }
                continue;
            };
            // What is done may complete what it is a part of.
            loop {
                let Some(frame) = self.frames.pop() else {
                    return Ok(done);
                };
                match self.deliver(frame, done)? {
                    Some(node) => done = node,
                    None => break,
                }
            }
        }
    }

    pub fn add(&mut self, kind: Kind) -> Result<NodeId> {
        self.keeper.count_node()?;
        self.nodes.push(Node { kind, attributes: NULL });
        Ok(NodeId((self.nodes.len() - 1) as u32))
    }

    pub fn kind(&self, id: NodeId) -> &Kind {
        self.nodes.get(id.0 as usize).map_or(&Kind::Null, |node| &node.kind)
    }

    /// Begins the next object; `None` when its parts have to be read first.
    fn next(&mut self) -> Result<Option<NodeId>> {
        if let Some(Frame::Code { rest: Some(_) }) = self.frames.last() {
            let kind = self.stream.integer()?;
            return self.constant(kind);
        }
        self.item()
    }

    /// An object with its header.
    pub fn item(&mut self) -> Result<Option<NodeId>> {
        let flags = self.stream.integer()?;
        let attributes = flags & HAS_ATTRIBUTES != 0;
        match flags & 0xff {
            // NULL, the global environment and other things of which there is one.
            0 | 254 | 251 | 252 => Ok(Some(NULL)),
            241 | 242 | 250 | 253 => self.add(Kind::Other("environment")).map(Some),
            255 => self.reference(flags >> 8).map(Some),
            1 => self.symbol().map(Some),
            kind @ (2 | 3 | 5 | 6 | 17) => {
                self.cell(kind == 2, attributes, flags & HAS_TAG != 0);
                Ok(None)
            }
            4 => {
                self.stream.integer()?;
                let node = self.add(Kind::Environment([NULL; 2]))?;
                self.references.push(node);
                self.frames.push(Frame::Environment { node, parts: Vec::new() });
                Ok(None)
            }
            9 => {
                let mut texts = Texts::default();
                self.letters(flags, &mut texts)?;
                self.add(Kind::Texts(Arc::new(texts))).map(Some)
            }
            10 => self.vector(Element::Logical, attributes),
            13 => self.vector(Element::Integer, attributes),
            14 => self.vector(Element::Real, attributes),
            16 => self.strings(attributes),
            19 | 20 => {
                let rest = self.stream.length()?;
                self.frames.push(Frame::List { items: Vec::new(), rest, attributes });
                if rest > 0 {
                    return Ok(None);
                }
                self.close_list()
            }
            25 => {
                let node = self.add(Kind::S4)?;
                self.attributed(node, attributes)
            }
            238 => {
                self.frames.push(Frame::Altrep { parts: Vec::new() });
                Ok(None)
            }
            kind => self.without_data(kind, attributes),
        }
    }

    /// An object that holds nothing of interest, but has to be passed, and may be referred to.
    fn without_data(&mut self, kind: i32, attributes: bool) -> Result<Option<NodeId>> {
        match kind {
            7 | 8 => {
                let length = self.short_length()?;
                self.stream.text(length, &mut Vec::new())?;
                self.add(Kind::Other("function")).map(Some)
            }
            15 | 24 => self.passed_over(kind == 15, attributes),
            21 => {
                self.stream.integer()?;
                self.frames.push(Frame::Attributes { node: None, wanted: attributes });
                self.frames.push(Frame::Code { rest: None });
                Ok(None)
            }
            22 => {
                let node = self.add(Kind::Other("pointer"))?;
                self.references.push(node);
                self.frames.push(Frame::Pointer { node, rest: 2, attributes });
                Ok(None)
            }
            23 => {
                let node = self.add(Kind::Other("weak reference"))?;
                self.references.push(node);
                self.attributed(node, attributes)
            }
            247..=249 => {
                self.stream.integer()?;
                let count = self.stream.integer()?;
                for _ in 0..count {
                    let flags = self.stream.integer()?;
                    self.letters(flags, &mut Texts::default())?;
                }
                let node = self.add(Kind::Other("environment"))?;
                self.references.push(node);
                Ok(Some(node))
            }
            kind => Err(broken(&format!("it has an object of the unknown type {kind}"))),
        }
    }

    /// Begins a cell of a pairlist or, when it follows another, goes on with it.
    fn cell(&mut self, kept: bool, attributes: bool, tag: bool) {
        let next = Part::first(attributes, tag);
        match self.frames.last_mut() {
            Some(Frame::Cells(cell)) if cell.next == Part::Rest => {
                cell.next = next;
                cell.has_tag = tag;
                cell.tag = None;
            }
            _ => self.frames.push(Frame::Cells(Cell::new(kept, next, tag))),
        }
    }

    /// A node that is finished but for its attributes.
    pub fn attributed(&mut self, node: NodeId, attributes: bool) -> Result<Option<NodeId>> {
        if !attributes {
            return Ok(Some(node));
        }
        self.frames.push(Frame::Attributes { node: Some(node), wanted: true });
        Ok(None)
    }

    fn reference(&mut self, packed: i32) -> Result<NodeId> {
        let number = if packed == 0 { self.stream.integer()? } else { packed };
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let found = place.and_then(|place| self.references.get(place)).copied();
        found.ok_or_else(|| broken("it refers to an object that is not there"))
    }

    fn symbol(&mut self) -> Result<NodeId> {
        let flags = self.stream.integer()?;
        let mut name = Texts::default();
        self.letters(flags, &mut name)?;
        let node = self.add(Kind::Symbol(name.get(0).unwrap_or("NA").into()))?;
        self.references.push(node);
        Ok(node)
    }

    fn short_length(&mut self) -> Result<usize> {
        let length = self.stream.length()?;
        usize::try_from(length)
            .ok()
            .filter(|&length| length <= LONGEST_NAME)
            .ok_or_else(|| broken("a name is impossibly long"))
    }

    /// A string behind its header.
    fn letters(&mut self, flags: i32, texts: &mut Texts) -> Result<()> {
        if flags & 0xff != 9 {
            return Err(broken("there is no string where one should stand"));
        }
        let length = self.stream.integer()?;
        if length == -1 {
            texts.push_missing();
            return Ok(());
        }
        let length = usize::try_from(length).map_err(|_| broken("a string has a negative length"))?;
        self.keeper.check_string(length)?;
        let mut letters = std::mem::take(&mut self.keeper.letters);
        letters.clear();
        self.stream.text(length, &mut letters)?;
        texts.push(&decoded(&letters, flags & LATIN1 != 0 || (self.latin1 && flags >> 12 & 0b100_1110 == 0)));
        self.keeper.letters = letters;
        Ok(())
    }

    fn strings(&mut self, attributes: bool) -> Result<Option<NodeId>> {
        let length = self.stream.length()?;
        let mut texts = Texts::default();
        for _ in 0..length {
            let flags = self.stream.integer()?;
            self.letters(flags, &mut texts)?;
            self.keeper.check_texts(texts.size())?;
        }
        let texts = self.keeper.share(texts);
        let node = self.add(Kind::Texts(texts))?;
        self.attributed(node, attributes)
    }

    fn vector(&mut self, element: Element, attributes: bool) -> Result<Option<NodeId>> {
        let length = self.stream.length()?;
        let cell = match self.frames.last() {
            Some(Frame::Cells(cell)) if cell.next == Part::Value => Some(cell),
            _ => None,
        };
        let tag = cell.and_then(|cell| cell.tag.as_deref());
        let offsets = cell.filter(|_| tag == Some("x")).and_then(|cell| cell.value("p"));
        let offsets = match offsets.map(|node| self.kind(node)) {
            Some(Kind::Numbers(numbers)) => numbers.kept().cloned(),
            _ => None,
        };
        let wanted = matches!(tag, Some("p" | "cells" | "features"));
        let numbers = self.keeper.vector(&mut self.stream, element, length, wanted, offsets.as_deref())?;
        let node = self.add(Kind::Numbers(Arc::new(numbers)))?;
        self.attributed(node, attributes)
    }

    /// Complex numbers and bytes.
    fn passed_over(&mut self, complex: bool, attributes: bool) -> Result<Option<NodeId>> {
        let length = self.stream.length()?;
        match (complex, self.stream.encoding) {
            (true, _) => self.stream.skip_numbers(Element::Real, length.saturating_mul(2))?,
            (false, super::stream::Encoding::Ascii) => self.stream.skip_numbers(Element::Integer, length)?,
            (false, _) => self.stream.skip(length)?,
        }
        let node = self.add(Kind::Other(if complex { "complex" } else { "raw" }))?;
        self.attributed(node, attributes)
    }
}
