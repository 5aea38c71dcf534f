//! What an expression reads of its input and of a variable: paths, without running it.
//!
//! The answer is never too small. Where a part of the input is handed to a function, that part counts as
//! read whole; an expression that nothing can be said of reads everything.

use jaq_core::load::parse::{BinaryOp, Pattern};
use jaq_core::path::Part;

use crate::tree::Term;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Into {
    /// The field of that name.
    Key(String),
    /// Any field or item.
    Any,
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum From {
    /// The input.
    Input,
    /// A variable, with its `$`.
    Variable(String),
}

/// A part of a value that is read; without steps, all of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// Where the path begins.
    pub from: From,
    /// The steps from there.
    pub path: Vec<Into>,
}

/// Functions that look at nothing.
const BLIND: &[&str] = &["null", "true", "false", "empty", "now", "infinite", "nan"];

/// What a term reads, each path once.
pub(crate) fn reads(term: &Term<'_>) -> Vec<Reading> {
    let mut walk = Walk { found: Vec::new(), bound: Vec::new() };
    let input = vec![Reading { from: From::Input, path: Vec::new() }];
    let out = walk.term(term, &input);
    walk.note(out);
    walk.found.sort();
    walk.found.dedup();
    walk.found
}

/// The parts of the input that a term may yield as they are.
type Parts = Vec<Reading>;

struct Walk<'s> {
    found: Vec<Reading>,
    bound: Vec<(&'s str, Parts)>,
}

impl<'s> Walk<'s> {
    fn note(&mut self, parts: Parts) {
        self.found.extend(parts);
    }

    fn read(&mut self, term: &Term<'s>, input: &Parts) {
        let parts = self.term(term, input);
        self.note(parts);
    }

    fn term(&mut self, term: &Term<'s>, input: &Parts) -> Parts {
        match term {
            Term::Id => input.clone(),
            Term::Num(_) | Term::Break(_) | Term::Arr(None) => Parts::new(),
            Term::Var(name) => self.variable(name),
            Term::Path(head, path) => {
                let mut parts = self.term(head, input);
                for (part, _) in &path.0 {
                    parts = self.step(part, parts, input);
                }
                parts
            }
            Term::BinOp(left, op, right) => self.operator(left, op, right, input),
            Term::Obj(entries) => {
                for (key, value) in entries {
                    match (key, value) {
                        (_, Some(value)) => {
                            self.read(key, input);
                            self.read(value, input);
                        }
                        (Term::Var(_), None) => self.read(key, input),
                        (key, None) => {
                            let field = steps(input, named(key));
                            self.note(field);
                        }
                    }
                }
                Parts::new()
            }
            Term::IfThenElse(branches, otherwise) => {
                let mut out = Parts::new();
                for (condition, then) in branches {
                    self.read(condition, input);
                    out.extend(self.term(then, input));
                }
                match otherwise {
                    Some(otherwise) => out.extend(self.term(otherwise, input)),
                    None => out.extend(input.iter().cloned()),
                }
                out
            }
            Term::TryCatch(body, catch) => {
                let out = self.term(body, input);
                if let Some(catch) = catch {
                    self.read(catch, &Parts::new());
                }
                out
            }
            Term::Call(name, args) => self.call(name, args, input),
            Term::Fold(_, source, pattern, args) => {
                let source = self.term(source, input);
                let mark = self.bind(pattern, source, input);
                for (at, arg) in args.iter().enumerate() {
                    // After the first, what is read is the value that is built.
                    let built = Parts::new();
                    self.read(arg, if at == 0 { input } else { &built });
                }
                self.bound.truncate(mark);
                Parts::new()
            }
            // A text, an array, a sign; and what is too seldom to be told apart.
            other => {
                if matches!(other, Term::Def(..) | Term::Recurse) {
                    self.note(input.clone());
                }
                let mut inner = Vec::new();
                crate::tree::children(other, &mut |child| inner.push(child));
                for child in inner {
                    self.read(child, input);
                }
                Parts::new()
            }
        }
    }

    fn step(&mut self, part: &Part<Term<'s>>, parts: Parts, input: &Parts) -> Parts {
        match part {
            Part::Index(index) => {
                let step = named(index);
                if step == Into::Any {
                    self.read(index, input);
                }
                steps(&parts, step)
            }
            Part::Range(None, None) => steps(&parts, Into::Any),
            Part::Range(from, to) => {
                for bound in from.iter().chain(to) {
                    self.read(bound, input);
                }
                parts
            }
        }
    }

    fn operator(
        &mut self,
        left: &Term<'s>,
        op: &BinaryOp<&'s str>,
        right: &Term<'s>,
        input: &Parts,
    ) -> Parts {
        match op {
            BinaryOp::Pipe(None) => {
                let left = self.term(left, input);
                self.term(right, &left)
            }
            BinaryOp::Pipe(Some(pattern)) => {
                let source = self.term(left, input);
                let mark = self.bind(pattern, source, input);
                let out = self.term(right, input);
                self.bound.truncate(mark);
                out
            }
            BinaryOp::Comma | BinaryOp::Alt => {
                let mut out = self.term(left, input);
                out.extend(self.term(right, input));
                out
            }
            BinaryOp::Or | BinaryOp::And | BinaryOp::Math(_) | BinaryOp::Cmp(_) => {
                self.read(left, input);
                self.read(right, input);
                Parts::new()
            }
            // An assignment yields its input, changed.
            _ => {
                self.read(left, input);
                self.read(right, input);
                input.clone()
            }
        }
    }

    fn call(&mut self, name: &str, args: &[Term<'s>], input: &Parts) -> Parts {
        match (name, args) {
            ("select", [condition]) => {
                self.read(condition, input);
                input.clone()
            }
            ("first" | "last", [of]) => self.term(of, input),
            ("first" | "last", []) => steps(input, Into::Any),
            ("map" | "any" | "all", [of]) => {
                let items = steps(input, Into::Any);
                self.read(of, &items);
                Parts::new()
            }
            (name, []) if BLIND.contains(&name) => Parts::new(),
            _ => {
                self.note(input.clone());
                for arg in args {
                    self.read(arg, input);
                }
                Parts::new()
            }
        }
    }

    fn variable(&self, name: &str) -> Parts {
        if let Some((_, parts)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return parts.clone();
        }
        vec![Reading { from: From::Variable(name.to_owned()), path: Vec::new() }]
    }

    /// Binds a pattern; how many were bound before.
    fn bind(&mut self, pattern: &Pattern<&'s str>, source: Parts, input: &Parts) -> usize {
        let mark = self.bound.len();
        match pattern {
            Pattern::Var(name) => self.bound.push((name, source)),
            Pattern::Arr(items) => {
                let parts = steps(&source, Into::Any);
                for item in items {
                    self.bind(item, parts.clone(), input);
                }
            }
            Pattern::Obj(entries) => {
                for (key, item) in entries {
                    if named(key) == Into::Any {
                        self.read(key, input);
                    }
                    self.bind(item, steps(&source, named(key)), input);
                }
            }
        }
        mark
    }
}

/// The step of an index: a field where its name is written out.
fn named(index: &Term<'_>) -> Into {
    use jaq_core::load::lex::StrPart;
    match index {
        Term::Str(None, parts) => match &parts[..] {
            [StrPart::Str(name)] => Into::Key((*name).to_owned()),
            _ => Into::Any,
        },
        _ => Into::Any,
    }
}

fn steps(parts: &Parts, step: Into) -> Parts {
    let longer = |part: &Reading| {
        let mut path = part.path.clone();
        path.push(step.clone());
        Reading { from: part.from.clone(), path }
    };
    parts.iter().map(longer).collect()
}

#[cfg(test)]
mod tests {
    use crate::Expr;

    fn shown(source: &str) -> Vec<String> {
        let readings = Expr::compile(source).expect("an expression").reads();
        readings
            .iter()
            .map(|reading| {
                let mut text = match &reading.from {
                    super::From::Input => String::new(),
                    super::From::Variable(name) => name.clone(),
                };
                for step in &reading.path {
                    match step {
                        super::Into::Key(key) => text.push_str(&format!(".{key}")),
                        super::Into::Any => text.push_str("[]"),
                    }
                }
                if text.is_empty() { ".".to_owned() } else { text }
            })
            .collect()
    }

    #[test]
    fn parts_of_the_input() {
        for (source, expected) in [
            (".a.b", vec![".a.b"]),
            (".a // .b", vec![".a", ".b"]),
            ("if .x == 1 then .a else null end", vec![".a", ".x"]),
            ("\"\\(.first) \\(.last)\"", vec![".first", ".last"]),
            ("{street: .s, city}", vec![".city", ".s"]),
            (
                "[.items[] | select(.kind == \"x\") | .value]",
                vec![".items[].kind", ".items[].value"],
            ),
            (".a | ascii_downcase", vec![".a"]),
            ("$lookup.d[.id].name", vec![".id", "$lookup.d[].name"]),
            ("$parent.id", vec!["$parent.id"]),
            (".a as $x | .b + $x.c", vec![".a.c", ".b"]),
            ("to_entries", vec!["."]),
            (".list | map(.id)", vec![".list[].id"]),
            ("\"fixed\"", vec![]),
            (".[\"Work Email\"]", vec![".Work Email"]),
            ("[.a[0], .b[1:2]]", vec![".a[]", ".b"]),
            ("..", vec!["."]),
            ("reduce .l[] as $i (0; . + $i.n)", vec![".l[].n"]),
        ] {
            assert_eq!(shown(source), expected, "{source}");
        }
    }
}
