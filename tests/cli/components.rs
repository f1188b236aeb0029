//! Components on the command line.
