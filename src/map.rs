//! The mapping, one step a file.
