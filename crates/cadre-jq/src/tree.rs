//! Walking jaq's syntax tree: what an expression uses, and what it must not.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{self, BinaryOp, Pattern};
use jaq_core::load::span;
use jaq_core::path::Part;

use crate::error::CompileError;
use crate::vars::{self, VARIABLES};

/// A node of the tree.
pub(crate) type Term<'s> = parse::Term<&'s str>;

/// Checks what jaq does not: known variables, bounded depth, no recursion. Yields the variables of
/// [`VARIABLES`] that the expression uses.
pub(crate) fn check(term: &Term<'_>, code: &str) -> Result<Vec<&'static str>, CompileError> {
    if depth(term) > crate::MAX_DEPTH {
        return Err(CompileError::new(
            format!("the expression is nested deeper than {}", crate::MAX_DEPTH),
            0,
        ));
    }
    let mut checker = Checker { code, bound: Vec::new(), defining: Vec::new(), used: Vec::new() };
    checker.term(term)?;
    checker.used.sort_unstable();
    Ok(checker.used.into_iter().map(|index| VARIABLES[index]).collect())
}

/// Calls `see` with every direct part of a term, those of patterns included.
pub(crate) fn children<'t, 's>(term: &'t Term<'s>, see: &mut dyn FnMut(&'t Term<'s>)) {
    use parse::Term::*;
    match term {
        Id | Recurse | Num(_) | Break(_) | Var(_) | Arr(None) => {}
        Str(_, parts) => {
            for part in parts {
                if let StrPart::Term(term) = part {
                    see(term);
                }
            }
        }
        Arr(Some(inner)) | Neg(inner) | Label(_, inner) => see(inner),
        Obj(entries) => {
            for (key, value) in entries {
                see(key);
                if let Some(value) = value {
                    see(value);
                }
            }
        }
        BinOp(left, op, right) => {
            see(left);
            if let BinaryOp::Pipe(Some(pattern)) = op {
                pattern_terms(pattern, see);
            }
            see(right);
        }
        Fold(_, source, pattern, args) => {
            see(source);
            pattern_terms(pattern, see);
            args.iter().for_each(see);
        }
        TryCatch(body, catch) => {
            see(body);
            if let Some(catch) = catch {
                see(catch);
            }
        }
        IfThenElse(branches, otherwise) => {
            for (condition, then) in branches {
                see(condition);
                see(then);
            }
            if let Some(otherwise) = otherwise {
                see(otherwise);
            }
        }
        Def(definitions, body) => {
            definitions.iter().for_each(|definition| see(&definition.body));
            see(body);
        }
        Call(_, args) => args.iter().for_each(see),
        Path(head, path) => {
            see(head);
            for (part, _) in &path.0 {
                match part {
                    Part::Index(index) => see(index),
                    Part::Range(from, to) => from.iter().chain(to).for_each(&mut *see),
                }
            }
        }
    }
}

fn pattern_terms<'t, 's>(pattern: &'t Pattern<&'s str>, see: &mut dyn FnMut(&'t Term<'s>)) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(items) => items.iter().for_each(|item| pattern_terms(item, see)),
        Pattern::Obj(entries) => {
            for (key, value) in entries {
                see(key);
                pattern_terms(value, see);
            }
        }
    }
}

fn depth(term: &Term<'_>) -> usize {
    let mut deepest = 0;
    children(term, &mut |child| deepest = deepest.max(depth(child)));
    deepest + 1
}

struct Checker<'c, 's> {
    code: &'c str,
    /// Variables that are bound where we are.
    bound: Vec<&'s str>,
    /// Definitions whose bodies we are in, by name and number of arguments.
    defining: Vec<(&'s str, usize)>,
    used: Vec<usize>,
}

impl<'s> Checker<'_, 's> {
    fn term(&mut self, term: &Term<'s>) -> Result<(), CompileError> {
        use parse::Term::*;
        match term {
            Var(name) => return self.variable(name),
            // `{$x}` holds the variable itself.
            BinOp(left, BinaryOp::Pipe(Some(pattern)), right) => {
                self.term(left)?;
                self.pattern(pattern)?;
                return self.with(pattern, |checker| checker.term(right));
            }
            Fold(_, source, pattern, args) => {
                self.term(source)?;
                self.pattern(pattern)?;
                let Some((init, rest)) = args.split_first() else { return Ok(()) };
                self.term(init)?;
                return self
                    .with(pattern, |checker| rest.iter().try_for_each(|arg| checker.term(arg)));
            }
            Def(definitions, body) => {
                for definition in definitions {
                    let mark = self.bound.len();
                    self.bound.extend(definition.args.iter().filter(|arg| arg.starts_with('$')));
                    self.defining.push((definition.name, definition.args.len()));
                    let result = self.term(&definition.body);
                    self.defining.pop();
                    self.bound.truncate(mark);
                    result?;
                }
                return self.term(body);
            }
            Call(name, args) if self.defining.contains(&(name, args.len())) => {
                let offset = span(self.code, name).start;
                let error = CompileError::new(format!("`{name}` calls itself"), offset);
                return Err(error.hint("use recurse, while, until, reduce or walk instead"));
            }
            _ => {}
        }
        let mut result = Ok(());
        children(term, &mut |child| {
            if result.is_ok() {
                result = self.term(child);
            }
        });
        result
    }

    fn pattern(&mut self, pattern: &Pattern<&'s str>) -> Result<(), CompileError> {
        let mut result = Ok(());
        pattern_terms(pattern, &mut |term| {
            if result.is_ok() {
                result = self.term(term);
            }
        });
        result
    }

    fn with<T>(&mut self, pattern: &Pattern<&'s str>, work: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.bound.len();
        bind(pattern, &mut self.bound);
        let value = work(self);
        self.bound.truncate(mark);
        value
    }

    fn variable(&mut self, name: &'s str) -> Result<(), CompileError> {
        if self.bound.contains(&name) {
            return Ok(());
        }
        match vars::index(name) {
            Some(index) => {
                if !self.used.contains(&index) {
                    self.used.push(index);
                }
                Ok(())
            }
            None => {
                let offset = span(self.code, name).start;
                let error = CompileError::new(format!("unknown variable `{name}`"), offset);
                Err(error.hint(format!("there are {}", VARIABLES.join(", "))))
            }
        }
    }
}

fn bind<'s>(pattern: &Pattern<&'s str>, bound: &mut Vec<&'s str>) {
    match pattern {
        Pattern::Var(name) => bound.push(name),
        Pattern::Arr(items) => items.iter().for_each(|item| bind(item, bound)),
        Pattern::Obj(entries) => entries.iter().for_each(|(_, item)| bind(item, bound)),
    }
}
