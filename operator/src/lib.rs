//! The cluster DNS operator.
//!
//! Cluster DNS is in [`dns`], which reads from top to bottom as the path from a
//! DNS resource to running pods. Beside it, [`name_resolver`] keeps the addresses
//! of single names fresh, and [`upstreams`] tells which servers behind do not answer.
//! External records are in [`crate::records`], around the engine of the crate of that name.
//! What people start is in [`cli`]: the operator itself ([`run`]), and commands that
//! read files ([`render`], [`check`], [`explain`], [`diff`]). [`watch`] reads from the
//! API server into [`cache`], [`apply`] writes to it; beside them [`serve`] alone talks
//! to it, to ask who may read the metrics.

pub mod apply;
pub mod cache;
pub mod candidate;
pub mod check;
pub mod cli;
pub mod cluster_operator;
pub mod diff;
pub mod difference;
pub mod dns;
pub mod documents;
pub mod events;
pub mod exchange;
pub mod explain;
pub mod health;
pub mod images;
pub mod leader;
pub mod logging;
pub mod metrics;
pub mod mounted_files;
pub mod name_resolver;
pub mod nodes;
pub mod output;
pub mod records;
pub mod render;
pub mod resources;
pub mod run;
pub mod schema;
pub mod serve;
pub mod served;
pub mod upstreams;
pub mod vitals;
pub mod watch;
