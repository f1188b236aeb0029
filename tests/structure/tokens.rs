//! Splits Rust source into tokens, just well enough to find paths.

/// A token: an identifier, `::`, a string literal (`"` and its contents), or one other character.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(crate) fn is_identifier(&self) -> bool {
        self.text.starts_with(is_word)
    }
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Returns the tokens of a file, without comments, character literals and lifetimes.
pub(crate) fn tokenize(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let mut push = |text: &str| tokens.push(Token { text: text.to_owned(), line });
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some((length, contents)) = string(rest) {
            push(&format!("\"{contents}"));
            length
        } else if rest.starts_with('\'') || rest.starts_with("b'") {
            character_or_lifetime(rest)
        } else if is_word(first) {
            let raw = if rest.starts_with("r#") { 2 } else { 0 };
            let length = raw + rest[raw..].find(|next| !is_word(next)).unwrap_or(rest.len() - raw);
            push(&rest[raw..length]);
            length
        } else if rest.starts_with("::") {
            push("::");
            2
        } else {
            if !first.is_whitespace() {
                push(&rest[..first.len_utf8()]);
            }
            first.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let step = &rest.as_bytes()[at..];
        if step.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if step.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// Returns the length and the contents of the string literal that `rest` starts with.
fn string(rest: &str) -> Option<(usize, &str)> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| rest.starts_with(prefix))?;
    let body = &rest[prefix.len()..];
    let hashes = if prefix.ends_with('r') { body.len() - body.trim_start_matches('#').len() } else { 0 };
    let body = body[hashes..].strip_prefix('"')?;
    let start = prefix.len() + hashes + 1;
    let length = if prefix.ends_with('r') {
        body.find(&format!("\"{}", "#".repeat(hashes)))?
    } else {
        let mut escaped = false;
        body.find(|next| {
            let end = next == '"' && !escaped;
            escaped = next == '\\' && !escaped;
            end
        })?
    };
    Some((start + length + 1 + hashes, &body[..length]))
}

fn character_or_lifetime(rest: &str) -> usize {
    let start = if rest.starts_with('b') { 2 } else { 1 };
    let body = &rest[start..];
    let first = body.chars().next().map_or(0, char::len_utf8);
    if body.starts_with('\\') {
        start + 2 + body[2..].find('\'').unwrap_or(0) + 1
    } else if body[first..].starts_with('\'') {
        start + first + 1
    } else {
        start + body.find(|next| !is_word(next)).unwrap_or(body.len())
    }
}
