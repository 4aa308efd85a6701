//! Errors and warnings, written for the person with the file.

use serde::Serialize;

/// What kind of thing went wrong; it decides the exit code of the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The query file: unreadable, of an unknown kind, or without counts.
    Input,
    /// The query is readable and does not fit the memory.
    Memory,
    /// The reference bundle.
    Reference,
    /// The query and the reference do not fit each other, or the mapping cannot be done.
    Mapping,
    /// The call itself: an unknown option, a level that does not exist.
    Usage,
}

/// A sentence that says what was found, what was expected, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), source: None }
    }

    pub fn input(message: impl Into<String>) -> Self {
        Self::new(Kind::Input, message)
    }

    pub fn reference(message: impl Into<String>) -> Self {
        Self::new(Kind::Reference, message)
    }

    pub fn mapping(message: impl Into<String>) -> Self {
        Self::new(Kind::Mapping, message)
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Keeps the underlying error as the cause.
    pub fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}

/// Something that the person should know, although the work went on. Returned as data, never printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// A short stable name, for programs.
    pub code: &'static str,
    /// A sentence, for people.
    pub message: String,
}

impl Warning {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Warning { code, message: message.into() }
    }
}
