//! Support of the tests: the cases they share and the program they start.

pub mod cases;
pub mod differences;
pub mod program;
