//! Cargo wants a source file; there is nothing to compile.
