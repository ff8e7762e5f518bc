//! Support of the tests: the cases they share, the program they start, a stand-in for
//! Cloudflare.

pub mod cases;
pub mod cloudflare;
pub mod differences;
pub mod program;
pub mod route53;
