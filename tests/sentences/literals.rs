//! The string literals of Rust sources.

/// A string literal, as it is compiled.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    pub text: String,
    /// Counted from 1.
    pub line: usize,
    /// In bytes from the beginning of the source.
    pub start: usize,
}

/// All string literals outside of comments.
pub fn literals(source: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let literal = |length: usize, text: String| {
            let line = source[..at].matches('\n').count() + 1;
            (length, Some(Literal { text, line, start: at }))
        };
        let (length, literal) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |end| end + 2), None)
        } else if let Some(inside) = rest.strip_prefix('"') {
            let (text, length) = quoted(inside);
            literal(length + 1, text)
        } else if let Some((inside, end)) = raw(source, at) {
            let length = inside.find(&end).unwrap_or(inside.len());
            literal(rest.len() - inside.len() + length + end.len(), inside[..length].to_owned())
        } else {
            (character(rest), None)
        };
        found.extend(literal);
        at += length;
    }
    found
}

/// What is inside of a literal without escapes, which begins here, and what ends it.
fn raw(source: &str, at: usize) -> Option<(&str, String)> {
    let inside_of_a_name = source[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
    let rest = source[at..].strip_prefix("br").or_else(|| source[at..].strip_prefix('r'))?;
    let inside = rest.trim_start_matches('#');
    let marks = rest.len() - inside.len();
    let inside = inside.strip_prefix('"').filter(|_| !inside_of_a_name)?;
    Some((inside, format!("\"{}", "#".repeat(marks))))
}

/// The bytes of the next character of the source; a character literal counts as one.
fn character(rest: &str) -> usize {
    let mut characters = rest.chars();
    let first = characters.next().map_or(1, char::len_utf8);
    match (rest.starts_with('\''), characters.next()) {
        (true, Some('\\')) => rest.get(3..).and_then(|rest| rest.find('\'')).map_or(first, |end| end + 4),
        (true, Some(inside)) if characters.next() == Some('\'') => 2 + inside.len_utf8(),
        _ => first,
    }
}

/// The text of a literal behind its first quotation mark, and its bytes up to behind the last.
fn quoted(inside: &str) -> (String, usize) {
    let mut text = String::new();
    let mut characters = inside.char_indices().peekable();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return (text, place + 1),
            '\\' => match characters.next().map(|(_, escaped)| escaped) {
                Some('\n') => while characters.next_if(|(_, space)| space.is_whitespace()).is_some() {},
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other) => text.push(other),
                None => {}
            },
            character => text.push(character),
        }
    }
    (text, inside.len())
}

#[test]
fn literals_of_every_kind_are_found() {
    let source = "let a = \"one \\\"two\\\" \\\n      three\"; // \"no\"\n/* \"no\" */ let b = ('\"', '\\'', r#\"f\"o\"ur\"#);\nlet c: &'a str = b\"five\";";
    let texts: Vec<(String, usize)> = literals(source).into_iter().map(|found| (found.text, found.line)).collect();
    let expected = [("one \"two\" three", 1), ("f\"o\"ur", 3), ("five", 4)];
    assert_eq!(texts, expected.map(|(text, line)| (text.to_owned(), line)));
}
