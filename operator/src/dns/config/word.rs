//! Text that stays in its place in a Corefile.
//!
//! The rules are those of CoreDNS's lexer: words end at white space, `#` starts
//! a comment wherever it stands, a word that begins with `"` runs to the next
//! quote, and `{$NAME}` and `{%NAME%}` stand for environment variables.

use std::fmt;

/// Text for a comment: anything on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentText(String);

impl CommentText {
    /// Refuses what would end the comment.
    pub fn check(text: &str) -> Result<Self, String> {
        if text.contains('\n') {
            return Err("must be a single line, since it stands in a comment of the Corefile".into());
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for CommentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Refuses what CoreDNS would not read as the one word it is.
pub(super) fn check(text: &str) -> Result<(), String> {
    if let Some(space) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!(
            "must not contain white space or control characters (here {space:?})"
        ));
    }
    if text.contains('#') {
        return Err("must not contain '#', which starts a comment in a Corefile".into());
    }
    if text.starts_with('"') {
        return Err("must not start with a quotation mark".into());
    }
    if text.contains("{$") || text.contains("{%") {
        return Err("must not refer to environment variables ('{$' or '{%')".into());
    }
    Ok(())
}
