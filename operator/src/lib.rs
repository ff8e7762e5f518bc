//! The cluster DNS operator.
