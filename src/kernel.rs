//! The few hot loops.
