//! The cluster DNS operator.
//!
//! Cluster DNS is in [`dns`], which reads from top to bottom as the path from a
//! DNS resource to running pods. The programs people start are in [`cli`],
//! [`run`] and [`render`].

pub mod cli;
pub mod difference;
pub mod dns;
pub mod images;
pub mod render;
pub mod schema;
