//! The words of a Corefile, by the rules of the Caddyfile: white space parts words,
//! `#` starts a comment wherever it stands outside quotes, a word that begins with
//! `"` runs to the next one, `\"` in it stands for a quotation mark, and a carriage
//! return is nothing at all.

/// A word and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The word, without quotes around it.
    pub text: String,
    /// The line it begins on, from one.
    pub line: usize,
}

impl Token {
    /// The line it ends on: quoted words may have several.
    pub fn last_line(&self) -> usize {
        self.line + self.text.matches('\n').count()
    }
}

/// Every word of a text.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer::default();
    for letter in text.strip_prefix('\u{feff}').unwrap_or(text).chars() {
        lexer.take(letter);
    }
    // An open quotation ends with the file.
    lexer.end_word(false);
    lexer.tokens
}

#[derive(Default)]
struct Lexer {
    tokens: Vec<Token>,
    /// Line breaks so far.
    breaks: usize,
    word: String,
    /// Line breaks before the word.
    began: usize,
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Plain,
    Comment,
    Quoted,
    /// After a backslash between quotes.
    Escaped,
}

impl Lexer {
    fn take(&mut self, letter: char) {
        match self.state {
            State::Plain | State::Comment => self.take_plain(letter),
            State::Quoted => self.take_quoted(letter),
            State::Escaped => {
                if letter != '"' {
                    self.word.push('\\');
                }
                self.push_quoted(letter);
                self.state = State::Quoted;
            }
        }
    }

    fn take_plain(&mut self, letter: char) {
        if letter.is_whitespace() {
            if letter == '\r' {
                return;
            }
            if letter == '\n' {
                self.breaks += 1;
                self.state = State::Plain;
            }
            self.end_word(false);
            return;
        }
        if letter == '#' {
            self.state = State::Comment;
        }
        if self.state == State::Comment {
            return;
        }
        if self.word.is_empty() {
            self.began = self.breaks;
            if letter == '"' {
                self.state = State::Quoted;
                return;
            }
        }
        self.word.push(letter);
    }

    fn take_quoted(&mut self, letter: char) {
        match letter {
            '\\' => self.state = State::Escaped,
            '"' => {
                self.state = State::Plain;
                self.end_word(true);
            }
            letter => self.push_quoted(letter),
        }
    }

    fn push_quoted(&mut self, letter: char) {
        if letter == '\n' {
            self.breaks += 1;
        }
        self.word.push(letter);
    }

    /// Ends the word if there is one; between quotes it may be empty.
    fn end_word(&mut self, quoted: bool) {
        if quoted || !self.word.is_empty() {
            self.tokens.push(Token {
                text: std::mem::take(&mut self.word),
                line: self.began + 1,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(usize, String)> {
        tokens(text)
            .into_iter()
            .map(|token| (token.line, token.text))
            .collect()
    }

    /// The places where the rules surprise.
    #[test]
    fn words_end_where_corednss_words_end() {
        let cases: [(&str, &[(usize, &str)]); 14] = [
            ("", &[]),
            ("\u{feff}a", &[(1, "a")]),
            (" a\tb\n\nc", &[(1, "a"), (1, "b"), (3, "c")]),
            (
                "a\u{a0}b\u{2003}c\u{85}d",
                &[(1, "a"), (1, "b"), (1, "c"), (1, "d")],
            ),
            ("a\rb\r\nc", &[(1, "ab"), (2, "c")]),
            ("a#b c\nd # e", &[(1, "a"), (2, "d")]),
            ("a#b\u{2028}c", &[(1, "a")]),
            ("\"a b\"c", &[(1, "a b"), (1, "c")]),
            ("a\"b c\"", &[(1, "a\"b"), (1, "c\"")]),
            ("\"a\\\"b\\n\\\\\" c", &[(1, "a\"b\\n\\\\"), (1, "c")]),
            ("\"a\nb\" c\nd", &[(1, "a\nb"), (2, "c"), (3, "d")]),
            ("\"\" a", &[(1, ""), (1, "a")]),
            ("\"a # b", &[(1, "a # b")]),
            ("{ }{ {$X}", &[(1, "{"), (1, "}{"), (1, "{$X}")]),
        ];
        for (text, expected) in cases {
            let expected: Vec<(usize, String)> = expected
                .iter()
                .map(|(line, word)| (*line, (*word).to_owned()))
                .collect();
            assert_eq!(words(text), expected, "{text:?}");
        }
    }
}
