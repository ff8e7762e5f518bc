//! Selectors as people write them on a command line: the grammar of Kubernetes, which
//! external-dns takes for labels and annotations.

use kube::core::{Expression, Selector};

/// A selector from its text: requirements with commas between them, all of which have to be
/// met. Empty is one that everything meets.
///
/// A requirement is `key`, `!key`, `key=value` (or `==`), `key!=value`, `key in (a,b)` or
/// `key notin (a,b)`.
pub fn parse(text: &str) -> Result<Selector, String> {
    if text.trim().is_empty() {
        return Ok(Selector::default());
    }
    let requirements = split(text)?;
    requirements.into_iter().map(requirement).collect()
}

/// Splits at the commas that are not in parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut begin, mut inside) = (Vec::new(), 0, false);
    for (index, letter) in text.char_indices() {
        match letter {
            '(' | ')' if inside == (letter == '(') => {
                return Err(format!(
                    "{text:?}: parentheses must be in pairs, none inside another"
                ));
            }
            '(' | ')' => inside = !inside,
            ',' if !inside => {
                parts.push(&text[begin..index]);
                begin = index + 1;
            }
            _ => {}
        }
    }
    if inside {
        return Err(format!("{text:?}: a closing parenthesis is missing"));
    }
    parts.push(&text[begin..]);
    Ok(parts)
}

fn requirement(text: &str) -> Result<Expression, String> {
    let text = text.trim();
    if let Some((head, values)) = text.split_once('(') {
        return set(text, head, values);
    }
    if let Some(key) = text.strip_prefix('!') {
        return Ok(Expression::DoesNotExist(word(key, text)?));
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Ok(Expression::NotEqual(word(key, text)?, value_of(value, text)?));
    }
    match text.split_once('=') {
        Some((key, value)) => {
            let value = value.strip_prefix('=').unwrap_or(value);
            Ok(Expression::Equal(word(key, text)?, value_of(value, text)?))
        }
        None => Ok(Expression::Exists(word(text, text)?)),
    }
}

/// `key in (a,b)`, split at the parenthesis.
fn set(text: &str, head: &str, values: &str) -> Result<Expression, String> {
    let values = values
        .strip_suffix(')')
        .ok_or_else(|| format!("{text:?}: nothing may follow the closing parenthesis"))?;
    let values = values.split(',').map(|value| value_of(value, text));
    let values = values.collect::<Result<_, _>>()?;
    match head.split_whitespace().collect::<Vec<_>>()[..] {
        [key, "in"] => Ok(Expression::In(word(key, text)?, values)),
        [key, "notin"] => Ok(Expression::NotIn(word(key, text)?, values)),
        _ => Err(format!(
            "{text:?}: before the parentheses must be a key and in or notin"
        )),
    }
}

/// A key, which is not empty.
fn word(key: &str, text: &str) -> Result<String, String> {
    match value_of(key, text)? {
        key if key.is_empty() => Err(format!("{text:?}: the key is missing")),
        key => Ok(key),
    }
}

fn value_of(value: &str, text: &str) -> Result<String, String> {
    let value = value.trim();
    match value
        .chars()
        .find(|letter| !letter.is_ascii_alphanumeric() && !"-_./".contains(*letter))
    {
        Some(letter) => Err(format!(
            "{text:?}: {value:?} must consist of letters, digits and any of -_./ (here {letter:?})"
        )),
        None => Ok(value.to_owned()),
    }
}
