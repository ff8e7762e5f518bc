//! The one-node cluster.
