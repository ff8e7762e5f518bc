//! The types people write.
