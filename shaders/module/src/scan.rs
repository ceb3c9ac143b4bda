//! A lexical look at one WGSL file, before any parser sees it: its directives, and how deeply it nests.
//!
//! Knows comments, brackets and operators; no grammar. What it refuses would overflow a parser's stack, or would be
//! reported in the wrong one of several joined files.

use std::ops::Range;

/// Brackets within brackets; WGSL promises no more than 127 nested blocks, and naga refuses more.
const BRACKETS: usize = 120;
/// `else if` after `else if`, each of which nests in the last.
const ELSES: usize = 255;
/// Operators that may nest in one another, such as the terms of one sum.
const OPERATORS: usize = 4000;
/// Tokens of one declaration; naga's time grows with the square of a function's length, and this many take it seconds.
const TOKENS: usize = 400_000;
/// Declarations of a module: naga's stack grows with a chain of them in which each needs the next.
const DECLARATIONS: usize = 10_000;

/// What a file looks like.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) directives: Vec<Directive>,
    /// An upper bound of how deeply a parser has to recurse.
    pub(crate) nesting: usize,
    /// Global declarations.
    pub(crate) declarations: usize,
}

/// An `enable`, `requires` or `diagnostic` directive.
#[derive(Debug)]
pub(crate) struct Directive {
    pub(crate) keyword: &'static str,
    /// All of it, semicolon included.
    pub(crate) range: Range<usize>,
    /// What follows the keyword, one piece per listed name, without those that need no mention.
    pub(crate) pieces: Vec<Range<usize>>,
}

/// Why a file is refused, with the place.
#[derive(Debug)]
pub(crate) enum Fault {
    UnclosedComment(Range<usize>),
    Unclosed(char, usize),
    Brackets(usize),
    Elses(usize),
    Operators(usize),
    Tokens(usize),
    Declarations(Range<usize>),
}

impl Fault {
    /// The place, the message, what to write at the place, and how to mend it.
    pub(crate) fn explain(self) -> (Range<usize>, String, String, String) {
        let (range, message, label, note) = match self {
            Fault::UnclosedComment(range) => (
                range,
                "a block comment is not closed".into(),
                "opened here",
                "write `*/` where it ends; comments nest, so each `/*` inside needs its own `*/`".into(),
            ),
            Fault::Unclosed(open, at) => (
                at..at + 1,
                format!("`{open}` is not closed before the end of the file"),
                "opened here",
                format!("write the matching `{}`", closing(open)),
            ),
            Fault::Brackets(at) => (
                at..at + 1,
                format!("brackets nest deeper than {BRACKETS} levels"),
                "too deep here",
                "move inner parts into functions or `let` declarations".into(),
            ),
            Fault::Elses(at) => (
                at..at + 4,
                format!("a chain of `else if` is longer than {ELSES}"),
                "too long here",
                "use `switch`, or split the chain over functions".into(),
            ),
            Fault::Operators(at) => (
                at..at + 1,
                format!("an expression nests more than {OPERATORS} operators"),
                "too many here",
                "split it with `let` declarations, or compute it in a loop".into(),
            ),
            Fault::Tokens(at) => (
                at..at,
                format!("a declaration has more than {TOKENS} tokens"),
                "too long here",
                "split a function in several; put a table into a buffer".into(),
            ),
            Fault::Declarations(range) => (
                range,
                format!("the module has more than {DECLARATIONS} declarations"),
                "too many here",
                "split the module, or put values into arrays".into(),
            ),
        };
        (range, message, label.to_string(), note)
    }
}

/// Looks at one file of a module, of which earlier files hold `declared` declarations.
pub(crate) fn scan(text: &str, declared: usize) -> Result<Scan, Fault> {
    let mut tokens = Tokens { text, at: usize::from(text.starts_with('\u{feff}')) * 3 };
    let directives = directives(&mut tokens);
    let (nesting, declarations) = nesting(&mut tokens, declared)?;
    Ok(Scan { directives, nesting, declarations })
}

/// Whether `name` can be declared in WGSL (keywords are left for the parser to refuse).
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut tokens = Tokens { text: name, at: 0 };
    let whole = matches!(tokens.next(), Some((0, Token::Word(word))) if word == name);
    whole && name != "_" && !name.starts_with("__") && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// What WGSL's text is made of, seen from afar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// An identifier, keyword or number.
    Word(&'a str),
    Open(char),
    Close(char),
    Comma,
    Semicolon,
    Operator,
    Other,
    UnclosedComment,
}

/// The tokens of a text from a byte offset on, each with its offset.
pub(crate) struct Tokens<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(opened) = self.skip_blank() {
            self.at = self.text.len();
            return Some((opened, Token::UnclosedComment));
        }
        let start = self.at;
        let rest = &self.text[start..];
        let first = rest.chars().next()?;
        if is_word(first) {
            let number = first.is_ascii_digit();
            let inside = |c| is_word(c) || number && c == '.';
            // Words of other letters are rare, and longer to look at.
            let plain = rest.bytes().position(|byte| !byte.is_ascii() || !inside(char::from(byte)));
            let len = match plain {
                Some(end) if !rest.as_bytes()[end].is_ascii() => {
                    end + rest[end..].find(|c| !inside(c)).unwrap_or(rest.len() - end)
                }
                end => end.unwrap_or(rest.len()),
            };
            self.at += len;
            return Some((start, Token::Word(&rest[..len])));
        }
        if is_operator(first) {
            self.at += if PAIRS.iter().any(|pair| rest.starts_with(pair)) { 2 } else { 1 };
            return Some((start, Token::Operator));
        }
        self.at += first.len_utf8();
        let token = match first {
            '(' | '[' | '{' => Token::Open(first),
            ')' | ']' | '}' => Token::Close(first),
            ',' => Token::Comma,
            ';' => Token::Semicolon,
            _ => Token::Other,
        };
        Some((start, token))
    }
}

impl Tokens<'_> {
    /// Goes past blanks and comments; the error is where an unclosed block comment opens.
    fn skip_blank(&mut self) -> Result<(), usize> {
        loop {
            let rest = &self.text[self.at..];
            if rest.starts_with("//") {
                self.at += rest.find(is_line_end).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                self.at += comment(rest).ok_or(self.at)?;
            } else {
                let plain = rest.bytes().position(|byte| byte != b' ' && byte != b'\n').unwrap_or(rest.len());
                if plain > 0 {
                    self.at += plain;
                    continue;
                }
                let blank = rest.find(|c: char| !is_blank(c)).unwrap_or(rest.len());
                if blank == 0 {
                    return Ok(());
                }
                self.at += blank;
            }
        }
    }
}

/// The length of the block comment that `rest` starts with.
fn comment(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Operators of two characters, which nest once.
const PAIRS: [&str; 9] = ["&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "->"];

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn is_operator(c: char) -> bool {
    matches!(c, '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '!' | '~' | '=' | '<' | '>' | '.')
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_blank(c: char) -> bool {
    is_line_end(c) || matches!(c, ' ' | '\t' | '\u{200e}' | '\u{200f}')
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// The place of the name of the function `name`.
pub(crate) fn function(text: &str, name: &str) -> Option<Range<usize>> {
    let mut tokens = Tokens { text, at: 0 };
    while tokens.find(|(_, token)| *token == Token::Word("fn")).is_some() {
        if let Some((at, Token::Word(word))) = tokens.next()
            && word == name
        {
            return Some(at..at + name.len());
        }
    }
    None
}

/// Takes the directives that the file starts with.
fn directives(tokens: &mut Tokens<'_>) -> Vec<Directive> {
    let mut found = Vec::new();
    loop {
        let restart = tokens.at;
        let Some(directive) = directive(tokens) else {
            tokens.at = restart;
            return found;
        };
        found.push(directive);
    }
}

fn directive(tokens: &mut Tokens<'_>) -> Option<Directive> {
    let (start, Token::Word(word)) = tokens.next()? else {
        return None;
    };
    let keyword = ["enable", "requires", "diagnostic"].into_iter().find(|k| *k == word)?;
    let mut pieces = Vec::new();
    let mut piece: Option<Range<usize>> = None;
    let mut depth = 0_usize;
    loop {
        let (at, token) = tokens.next()?;
        match token {
            Token::Semicolon => {
                pieces.extend(piece);
                break;
            }
            Token::Comma if depth == 0 => pieces.extend(piece.take()),
            Token::UnclosedComment | Token::Open('{') | Token::Close('}') => return None,
            _ => {
                depth += usize::from(matches!(token, Token::Open(_)));
                depth = depth.saturating_sub(usize::from(matches!(token, Token::Close(_))));
                piece.get_or_insert(at..at).end = tokens.at;
            }
        }
    }
    if pieces.is_empty() {
        return None;
    }
    // naga has the subgroup built-ins without the directive, and refuses the directive.
    pieces.retain(|piece| !(keyword == "enable" && &tokens.text[piece.clone()] == "subgroups"));
    Some(Directive { keyword, range: start..tokens.at, pieces })
}

/// One open bracket, or the file itself.
struct Level {
    open: Option<(char, usize)>,
    operators: usize,
    elses: usize,
}

/// How deep a parser would have to recurse, and how many declarations there are; an error where that is too much.
fn nesting(tokens: &mut Tokens<'_>, declared: usize) -> Result<(usize, usize), Fault> {
    let mut levels = vec![Level { open: None, operators: 0, elses: 0 }];
    let (mut deepest, mut operators, mut elses) = (0, 0, 0);
    let (mut after_brace, mut length, mut declarations) = (false, 0, 0);
    for (at, token) in tokens {
        let depth = levels.len() - 1;
        length =
            if depth == 0 && matches!(token, Token::Word("fn" | "const" | "var")) { 0 } else { length + 1 };
        if length > TOKENS {
            return Err(Fault::Tokens(at));
        }
        if let (0, Token::Word(word @ ("fn" | "const" | "var" | "override" | "alias" | "struct"))) =
            (depth, token)
        {
            declarations += 1;
            if declared + declarations > DECLARATIONS {
                return Err(Fault::Declarations(at..at + word.len()));
            }
        }
        let Some(level) = levels.last_mut() else { break };
        if after_brace && token == Token::Word("else") {
            level.elses += 1;
            elses += 1;
            if elses > ELSES {
                return Err(Fault::Elses(at));
            }
        } else if after_brace {
            elses -= std::mem::take(&mut level.elses);
        }
        after_brace = token == Token::Close('}');
        match token {
            Token::UnclosedComment => return Err(Fault::UnclosedComment(at..at + 2)),
            Token::Comma | Token::Semicolon => operators -= std::mem::take(&mut level.operators),
            Token::Operator | Token::Open('[' | '(') => {
                level.operators += 1;
                operators += 1;
            }
            _ => {}
        }
        if operators > OPERATORS {
            return Err(Fault::Operators(at));
        }
        match token {
            Token::Open(open) => {
                if depth == BRACKETS {
                    return Err(Fault::Brackets(at));
                }
                levels.push(Level { open: Some((open, at)), operators: 0, elses: 0 });
            }
            Token::Close(close) => match level.open {
                Some((open, _)) if closing(open) == close => {
                    operators -= level.operators;
                    elses -= level.elses;
                    levels.pop();
                    if let (Token::Close('}'), Some(outer)) = (token, levels.last_mut()) {
                        operators -= std::mem::take(&mut outer.operators);
                    }
                }
                // A stray closing bracket: the parser says it best, and does not get beyond it.
                _ => return Ok((deepest, declarations)),
            },
            _ => {}
        }
        deepest = deepest.max(levels.len() - 1 + operators + elses);
    }
    match levels.pop().and_then(|level| level.open) {
        Some((open, at)) => Err(Fault::Unclosed(open, at)),
        None => Ok((deepest, declarations)),
    }
}
