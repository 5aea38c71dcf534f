//! From source to jaq's syntax tree, with errors that say where and what to do.

use jaq_core::load::lex::{self, Lexer};
use jaq_core::load::parse::Parser;
use jaq_core::load::span;

use crate::error::CompileError;
use crate::tree::Term;

/// Stack for sources that may be nested deeply, in bytes. Only what is touched is ever allocated.
const BIG_STACK: usize = 512 << 20;

/// Marks of nesting up to which the caller's own stack will do.
const FEW_MARKS: usize = 60;

/// Parses jq source; the first `prefix` bytes were put before the author's text.
pub(crate) fn parse(code: &str, prefix: usize) -> Result<Term<'_>, CompileError> {
    if code.len() > crate::MAX_SOURCE {
        return Err(CompileError::new(
            format!("the expression is longer than {} bytes", crate::MAX_SOURCE),
            0,
        ));
    }
    let template = prefix > 0;
    let tokens = Lexer::new(code).lex().map_err(|errors| lex_error(code, &errors, template))?;
    Parser::new(&tokens).parse(|parser| parser.term()).map_err(|errors| {
        let found = errors
            .first()
            .map(|(expected, found)| (expected.as_str(), lex::Token::opt_as_str(*found, code)));
        parse_error(code, found, template)
    })
}

/// Runs `work` on a stack that is large enough for the tree of `code`: jaq's parser goes one frame
/// deeper for every bracket, sign and keyword.
pub(crate) fn on_enough_stack<T: Send>(
    code: &str,
    work: impl FnOnce() -> Result<T, CompileError> + Send,
) -> Result<T, CompileError> {
    let marks = code.bytes().filter(|byte| b"([{-|,+*/%<>=".contains(byte)).count()
        + ["try", "if", "def", "as", "reduce", "foreach", "label", "and", "or"]
            .iter()
            .map(|word| code.matches(word).count())
            .sum::<usize>();
    if marks <= FEW_MARKS || code.len() > crate::MAX_SOURCE {
        return work();
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(BIG_STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| CompileError::new(format!("no thread for the parser: {error}"), 0))?
            .join()
            .unwrap_or_else(|_| Err(CompileError::new("the expression cannot be read", 0)))
    })
}

fn lex_error(code: &str, errors: &[lex::Error<&str>], template: bool) -> CompileError {
    let Some((expected, found)) = errors.first() else {
        return CompileError::new("the expression cannot be read", 0);
    };
    let offset = span(code, found).start;
    let (message, hint) = match expected {
        lex::Expect::Escape => (
            "unknown escape in a text".to_owned(),
            Some("after \\ comes one of \" / \\ b f n r t u (; write \\\\ for a backslash"),
        ),
        lex::Expect::Token => (format!("unexpected {}", quote(found)), None),
        lex::Expect::Delim("\"") => {
            ("a text is not closed".to_owned(), Some("put a \" at its end"))
        }
        lex::Expect::Delim(open) => (format!("the {open} is not closed here"), None),
        lex::Expect::Digit => ("a number is not complete".to_owned(), None),
        lex::Expect::Ident => ("a name must follow".to_owned(), None),
        _ => (format!("expected {}", expected.as_str()), None),
    };
    let error = CompileError::new(message, offset);
    match hint {
        Some(hint) => error.hint(hint),
        None if template => error.hint(TEMPLATE_HINT),
        None => error,
    }
}

const TEMPLATE_HINT: &str =
    "this is a template: plain text with \\(…) around expressions; write \\\" for a quote";

fn parse_error(code: &str, found: Option<(&str, &str)>, template: bool) -> CompileError {
    let Some((expected, found)) = found else {
        return CompileError::new("the expression cannot be read", 0);
    };
    let offset = span(code, found).start.min(code.len());
    let message = match (expected, found) {
        ("nothing", found) => format!("unexpected {}", quote(found)),
        (expected, "") => format!("the expression ends, but {} must follow", article(expected)),
        (expected, found) => format!("unexpected {}, expected {}", quote(found), article(expected)),
    };
    let error = CompileError::new(message, offset);
    if template {
        error.hint(TEMPLATE_HINT)
    } else if expected == "end" || expected == "else or end" {
        error.hint("every `if` needs its `end`")
    } else {
        error
    }
}

fn article(expected: &str) -> String {
    match expected {
        "term" => "a value".to_owned(),
        "key" => "a field name".to_owned(),
        "variable" | "pattern" | "identifier" | "argument" | "string" => format!("a {expected}"),
        other => other.to_owned(),
    }
}

/// The beginning of what was found, in quotes.
fn quote(found: &str) -> String {
    let mut shown: String = found.chars().take(20).collect();
    if shown.len() < found.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}
