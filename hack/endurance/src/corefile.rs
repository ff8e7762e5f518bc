//! A Corefile as CoreDNS reads it: server blocks, their keys and directives.
//!
//! Written from the rules of the Caddyfile alone and knows neither the operator's
//! templates nor its checks. What the operator never writes (`import`, snippets) is
//! an error here.

mod intended;
mod lexer;

use std::fmt::{self, Write as _};

use anyhow::{Result, bail};

pub use intended::{Intended, intended};
use lexer::{Token, tokens};

/// A server block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// What stands in front of it. Without any, CoreDNS reads the block and forgets it.
    pub keys: Vec<String>,
    /// Its directives, in the order written.
    pub directives: Vec<Directive>,
}

/// A directive, or a line in the block of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directive {
    /// Its name and its arguments.
    pub words: Vec<String>,
    /// The lines between its braces, if it has any.
    pub block: Option<Vec<Directive>>,
}

impl Directive {
    /// A directive of some words, without a block.
    pub fn new(words: impl IntoIterator<Item: Into<String>>) -> Self {
        Self {
            words: words.into_iter().map(Into::into).collect(),
            block: None,
        }
    }

    /// The same with lines between braces.
    #[must_use]
    pub fn with(mut self, lines: Vec<Self>) -> Self {
        self.block = Some(lines);
        self
    }

    fn write(&self, depth: usize, text: &mut String) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{:width$}{}", "", self.words.join(" "), width = 4 * depth);
        let Some(lines) = &self.block else {
            text.push('\n');
            return;
        };
        text.push_str(" {\n");
        for line in lines {
            line.write(depth + 1, text);
        }
        let _ = writeln!(text, "{:width$}}}", "", width = 4 * depth);
    }
}

/// As OpenShift's operator lays a block out, without a word about what is in it.
impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for directive in &self.directives {
            directive.write(1, &mut text);
        }
        for key in &self.keys {
            write!(f, "{key} ")?;
        }
        writeln!(f, "{{\n{text}}}")
    }
}

/// Reads a Corefile. Blocks without keys are left out.
pub fn parse(text: &str) -> Result<Vec<Block>> {
    let tokens = tokens(text);
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
    };
    let mut blocks = Vec::new();
    while parser.at < tokens.len() {
        let block = parser.server_block()?;
        if !block.keys.is_empty() {
            blocks.push(block);
        }
    }
    Ok(blocks)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn word(&self) -> Option<&str> {
        self.tokens.get(self.at).map(|token| token.text.as_str())
    }

    /// Whether the present token begins a line.
    fn begins_line(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        match (before, self.tokens.get(self.at)) {
            (Some(before), Some(token)) => before.last_line() < token.line,
            _ => true,
        }
    }

    fn server_block(&mut self) -> Result<Block> {
        let keys = self.keys()?;
        if matches!(keys.as_slice(), [key] if key.starts_with('(') && key.ends_with(')')) {
            bail!("a snippet: {keys:?}");
        }
        let braces = self.word() == Some("{");
        if braces {
            self.at += 1;
        }
        let mut directives = Vec::new();
        while let Some(word) = self.word() {
            if word == "}" {
                self.at += 1;
                return Ok(Block { keys, directives });
            }
            directives.push(self.directive(0)?);
        }
        if braces {
            bail!("a server block is not closed: {keys:?}");
        }
        Ok(Block { keys, directives })
    }

    /// The words before a block: those of a line, and of the next ones after a comma.
    fn keys(&mut self) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let mut another = false;
        while let Some(word) = self.word() {
            let key = without_variables(word);
            match key.as_str() {
                "{" if another => bail!("a comma before a brace: {keys:?}"),
                "{" => break,
                "import" if self.begins_line() => bail!("an import"),
                "" => {}
                key => {
                    another = key.ends_with(',');
                    keys.push(key.strip_suffix(',').unwrap_or(key).to_owned());
                }
            }
            self.at += 1;
            if !another && self.begins_line() {
                break;
            }
        }
        Ok(keys)
    }

    /// A directive: its line, and what is between the braces that its line opens.
    fn directive(&mut self, depth: usize) -> Result<Directive> {
        let mut directive = Directive::default();
        loop {
            match self.word() {
                None => break,
                Some("{") if !directive.words.is_empty() => {
                    self.at += 1;
                    let block = directive.block.get_or_insert_default();
                    while self.word() != Some("}") {
                        if self.word().is_none() {
                            bail!("the block of {:?} is not closed", directive.words);
                        }
                        block.push(self.directive(depth + 1)?);
                    }
                    self.at += 1;
                }
                Some("}") if depth > 0 => break,
                Some("}") => bail!("a brace closes what none opened, after {:?}", directive.words),
                Some("import") if directive.words.is_empty() => bail!("an import"),
                Some(word) => {
                    directive.words.push(without_variables(word));
                    self.at += 1;
                }
            }
            if self.begins_line() {
                break;
            }
        }
        Ok(directive)
    }
}

/// A word with every reference to an environment variable taken away, as if each
/// were empty.
fn without_variables(word: &str) -> String {
    let mut word = word.to_owned();
    for (begin, end) in [("{%", "%}"), ("{$", "}")] {
        while let Some(from) = word.find(begin) {
            let Some(length) = word[from..].find(end) else {
                break;
            };
            // An empty name is no reference, and nothing after it is looked at.
            if length <= begin.len() {
                break;
            }
            let reference = word[from..from + length + end.len()].to_owned();
            word = word.replace(&reference, "");
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        parse(text).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn blocks_keys_and_lines_are_told_apart() {
        let read = "a:53, \n b:53 c {\n  one x y # not z\n  two {\n    three\n    four 4 {\n five\n }\n  }\n}\n{\nlost\n}\nd\nsix\n";
        assert_eq!(
            shown(read),
            "a:53 b:53 c {\n    one x y\n    two {\n        three\n        four 4 {\n            five\n        }\n    }\n}\n\
             d {\n    six\n}\n"
        );
        // What is printed reads the same.
        assert_eq!(shown(&shown(read)), shown(read));
    }

    #[test]
    fn variables_are_empty_and_an_empty_name_is_none() {
        assert_eq!(
            shown("a{$X}b c{%Y%}d e{$}f {$X} {\n w {$X}x\n}"),
            "ab cd e{$}f {\n    w x\n}\n"
        );
    }

    #[test]
    fn what_does_not_close_or_is_not_ours_is_refused() {
        for text in [
            "a {",
            "a {\n b {\n }",
            "a {\n b }\n}",
            "(s) {\n}",
            "import x",
            "a {\n import x\n}",
            "a, {\n}",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
