//! Reads the module declarations, the imports and the other paths of one file.

use crate::tokens::{Token, tokenize};

/// A path as written, for example `["crate", "value", "text"]`.
pub(crate) type Names = Vec<String>;

/// `mod name;` or `mod name {`.
pub(crate) struct Declaration {
    /// The inline modules around it.
    pub(crate) scope: Names,
    pub(crate) name: String,
    /// The file of the attribute `#[path]`, if any.
    pub(crate) path: Option<String>,
    pub(crate) is_inline: bool,
    pub(crate) is_test: bool,
}

/// A path in a `use` declaration or elsewhere.
pub(crate) struct Reference {
    pub(crate) scope: Names,
    pub(crate) names: Names,
    /// The name that a `use` declaration makes known, or `*`.
    pub(crate) alias: Option<String>,
    pub(crate) line: usize,
}

#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) references: Vec<Reference>,
    /// The first line that is neither a module declaration nor an import.
    pub(crate) first_code: Option<usize>,
}

/// Reads a file. Code behind `#[cfg(test)]` is left out.
pub(crate) fn scan(source: &str) -> Scan {
    let tokens = tokenize(source);
    let is = |at: usize, text: &str| tokens.get(at).is_some_and(|token| token.is(text));
    let mut scan = Scan::default();
    let mut scopes: Vec<(usize, String)> = Vec::new();
    let (mut at, mut depth) = (0, 0);
    let mut attributes: &[Token] = &[];
    let mut attributes_start = None;
    while at < tokens.len() {
        let token = &tokens[at];
        let is_test = attributes.iter().any(|token| token.is("test"));
        let open = at + 1 + usize::from(is(at + 1, "!"));
        if token.is("#") && is(open, "[") {
            let start = *attributes_start.get_or_insert(at);
            at = end_of_group(&tokens, open);
            attributes = &tokens[start..at];
            continue;
        }
        if token.is("pub") {
            at += 1;
            if is(at, "(") {
                at = end_of_group(&tokens, at);
            }
            continue;
        }
        if token.is("mod") && (is(at + 2, ";") || is(at + 2, "{")) {
            let is_inline = is(at + 2, "{");
            let path = attributes.iter().position(|token| token.is("path"));
            let path = path.map(|path| attributes[path + 2].text[1..].to_owned());
            let name = tokens[at + 1].text.clone();
            scan.declarations.push(Declaration {
                scope: names_of(&scopes),
                name: name.clone(),
                path,
                is_inline,
                is_test,
            });
            at += 2;
            if is_inline && is_test {
                at = end_of_group(&tokens, at) - 1;
            } else if is_inline {
                scopes.push((depth, name));
                depth += 1;
            }
            if is_inline {
                scan.first_code.get_or_insert(token.line);
            }
        } else if token.is("use") && !is(at + 1, "<") {
            let end = at + tokens[at..].iter().position(|token| token.is(";")).unwrap_or(0);
            if !is_test {
                let mut leaves = Vec::new();
                use_tree(&tokens[at + 1..end], Names::new(), &mut leaves);
                let reference = |(names, alias)| Reference { scope: names_of(&scopes), names, alias, line: token.line };
                scan.references.extend(leaves.into_iter().map(reference));
            }
            at = end;
        } else {
            scan.first_code.get_or_insert(token.line);
            depth += usize::from(token.is("{"));
            if token.is("}") {
                depth -= 1;
                scopes.pop_if(|(outer, _)| *outer == depth);
            }
            let starts_path = token.is_identifier() && !(at > 0 && is(at - 1, "::"));
            if starts_path && is(at + 1, "::") {
                let mut names = vec![token.text.clone()];
                while is(at + 1, "::") && tokens.get(at + 2).is_some_and(Token::is_identifier) {
                    at += 2;
                    names.push(tokens[at].text.clone());
                }
                if is(at + 1, "::") {
                    names.push("*".to_owned()); // `name::$macro_variable` or `name::<T>`
                }
                scan.references.push(Reference { scope: names_of(&scopes), names, alias: None, line: token.line });
            }
        }
        // Attributes belong to the item that ends or opens here.
        if is(at, ";") || is(at, "{") || is(at, "}") {
            (attributes, attributes_start) = (&[], None);
        }
        at += 1;
    }
    scan
}

fn names_of(scopes: &[(usize, String)]) -> Names {
    scopes.iter().map(|(_, name)| name.clone()).collect()
}

/// Returns the position after the group of brackets that opens at `open`.
fn end_of_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 1 => return at + 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Lists the paths of a `use` tree, each with the name it makes known.
fn use_tree(tokens: &[Token], mut path: Names, leaves: &mut Vec<(Names, Option<String>)>) {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        if token.is("{") {
            let end = end_of_group(tokens, at - 1);
            for branch in split_at_commas(&tokens[at..end - 1]) {
                use_tree(branch, path.clone(), leaves);
            }
            return;
        }
        if token.is("as") {
            let alias = tokens.get(at).map(|token| token.text.clone());
            return leaves.push((path, alias));
        }
        // `{self}` names the module before the braces.
        if !token.is("::") && (!token.is("self") || path.is_empty()) {
            path.push(token.text.clone());
        }
    }
    if let Some(last) = path.last().cloned() {
        leaves.push((path, Some(last)));
    }
}

fn split_at_commas(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut branches, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 0 => {
                branches.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    branches.push(&tokens[start..]);
    branches.retain(|branch| !branch.is_empty());
    branches
}
